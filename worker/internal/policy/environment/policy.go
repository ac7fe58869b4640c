package environment

import (
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Policy judges one object at a time, from several threads; about is the policy itself.
type Policy interface {
	About() protocol.ObjectReference
	Evaluate(*Object) []protocol.PolicyResult
}
