package kustomize

import (
	"errors"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"devloop.invalid/toolchain/worker/internal/crash"
)

// kustomize keeps one schema for all builds of a process. Builds that bring their own run alone and leave the usual one behind.
var schemaUse sync.RWMutex

// LoadSchemas reads kustomize's built-in OpenAPI schema, once.
var LoadSchemas = sync.OnceFunc(func() { openapi.Schema() })

// Build runs kustomize on a folder; ownSchemas says that its kustomization files name OpenAPI schemas of their own.
func Build(fs filesys.FileSystem, folder string, ownSchemas bool) (objects resmap.ResMap, err error) {
	LoadSchemas()
	if ownSchemas {
		schemaUse.Lock()
		defer schemaUse.Unlock()
		defer func() { openapi.ResetOpenAPI(); openapi.Schema() }()
	} else {
		schemaUse.RLock()
		defer schemaUse.RUnlock()
	}
	defer survive(&err)
	options := &krusty.Options{LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig()}
	return krusty.MakeKustomizer(options).Run(fs, folder)
}

// IsNamespaced says whether a kind is known to be in namespaces.
func IsNamespaced(apiVersion, kind string) bool {
	LoadSchemas()
	schemaUse.RLock()
	defer schemaUse.RUnlock()
	namespaced, known := openapi.IsNamespaceScoped(kyaml.TypeMeta{APIVersion: apiVersion, Kind: kind})
	return known && namespaced
}

// survive turns a panic of kustomize into an error, which package diagnose explains.
func survive(err *error) {
	where := crash.Location()
	switch panicked := recover(); {
	case panicked == nil:
	case strings.Contains(where, "/kyaml/openapi."):
		*err = errors.New("panicked at a schema")
	default:
		*err = errors.New("panicked" + where + crash.Cause(panicked))
	}
}
