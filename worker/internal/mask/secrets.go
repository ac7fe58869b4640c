package mask

import (
	"fmt"
	"strings"

	getsops "github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"

	"devloop.invalid/toolchain/worker/internal/sops"
)

// Secrets are the plain values of encrypted files that went into a build by way of generators and patches.
type Secrets map[string]bool

func (s *Secrets) add(value string) {
	if value = strings.TrimSpace(value); value == "" {
		return
	}
	if *s == nil {
		*s = Secrets{}
	}
	(*s)[value] = true
}

// AddOpened adds the text of an encrypted file and every value that was encrypted in it.
func (s *Secrets) AddOpened(sealed, plain []byte, branches getsops.TreeBranches, format formats.Format) {
	s.add(string(plain))
	tree, err := common.StoreForFormat(format, config.NewStoresConfig()).LoadEncryptedFile(sealed)
	if err != nil {
		return
	}
	for i, branch := range branches {
		s.addPair(tree.Branches[i], branch)
	}
}

func (s *Secrets) addPair(sealed, plain any) {
	switch plain := plain.(type) {
	case getsops.TreeBranch:
		for i, item := range plain {
			s.addPair(sealed.(getsops.TreeBranch)[i].Value, item.Value)
		}
	case []any:
		for i, item := range plain {
			s.addPair(sealed.([]any)[i], item)
		}
	default:
		if text, ok := sealed.(string); ok && sops.LooksSealed(text) {
			s.add(fmt.Sprint(plain))
		}
	}
}

// Shorter values are only looked for as whole values: they would be found everywhere.
const shortest = 8

// Contains says whether a text is, or quotes, one of the values.
func (s Secrets) Contains(text string) bool {
	text = strings.TrimSpace(text)
	if s[text] {
		return true
	}
	for value := range s {
		if len(value) >= shortest && strings.Contains(text, value) {
			return true
		}
	}
	return false
}
