package environment

import (
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Policy is evaluated against one object at a time, from several goroutines; About is the policy as an object.
type Policy interface {
	About() protocol.ObjectReference
	Evaluate(*Object) []protocol.PolicyResult
}
