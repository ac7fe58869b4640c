package schema

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
)

// definitions are the schemas that others refer to by name.
type definitions map[string]*schema

const referencePrefix = "#/$defs/"

func (d definitions) resolve(s *schema) *schema {
	for s != nil && s.Ref != "" {
		_, name, _ := strings.Cut(s.Ref, referencePrefix)
		s = d[name]
	}
	return s
}

func (d definitions) metadata() *schema { return d["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] }

// catalog are the kinds of one Kubernetes version.
type catalog struct {
	definitions definitions
	kinds       map[kubernetes.Kind]*schema
	groups      map[string]bool
}

var catalogs struct {
	mu    sync.Mutex
	known map[string]*catalog
}

// openCatalog reads the definitions of a Kubernetes version once in the life of the process: a folder with the file _definitions.json,
// as the schemas of github.com/instrumenta/kubernetes-json-schema and its successors are laid out.
func openCatalog(folder string) (*catalog, error) {
	catalogs.mu.Lock()
	defer catalogs.mu.Unlock()
	if known := catalogs.known[folder]; known != nil {
		return known, nil
	}
	made, err := readCatalog(folder)
	if err != nil {
		return nil, err
	}
	if catalogs.known == nil {
		catalogs.known = map[string]*catalog{}
	}
	catalogs.known[folder] = made
	return made, nil
}

func readCatalog(folder string) (*catalog, error) {
	content, err := os.ReadFile(filepath.Join(folder, "_definitions.json"))
	if err != nil {
		return nil, fmt.Errorf("the schemas of Kubernetes cannot be read: %w", err)
	}
	var file struct {
		Definitions definitions `json:"$defs"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("the schemas of Kubernetes cannot be read: %w", err)
	}
	made := &catalog{file.Definitions, map[kubernetes.Kind]*schema{}, map[string]bool{}}
	for name, each := range made.definitions {
		each.quantity = strings.HasSuffix(name, ".resource.Quantity")
		each.compile()
		addLimits(name, each)
		if len(each.Kinds) == 1 {
			made.kinds[each.Kinds[0]] = each
			made.groups[each.Kinds[0].Group] = true
		}
	}
	return made, nil
}

// Preload reads the definitions for a check that will need them.
func Preload(folder string) { _, _ = openCatalog(folder) }
