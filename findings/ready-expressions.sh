#!/usr/bin/env bash
# Flux compiles the expressions of `dependsOn[].readyExpr`, and only parses those of `healthCheckExprs`.
set -euo pipefail

runtime=v0.110.3 # the one of kustomize-controller 1.9.6
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

cat >go.mod <<MOD
module example.org/expressions
go 1.26.0
require (
	github.com/fluxcd/pkg/apis/kustomize v1.18.0
	github.com/fluxcd/pkg/runtime $runtime
	github.com/google/cel-go v0.26.1
)
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	celtypes "github.com/google/cel-go/common/types"
)

// As kustomize-controller reads the expressions of a Kustomization.
func main() {
	var err error
	if os.Args[1] == "readyExpr" {
		_, err = cel.NewExpression(os.Args[2], cel.WithCompile(), cel.WithOutputType(celtypes.BoolType), cel.WithStructVariables("self", "dep"))
	} else {
		check := kustomize.CustomHealthCheck{APIVersion: "example.org/v1", Kind: "Report"}
		check.Current = os.Args[2]
		_, err = cel.NewStatusReader([]kustomize.CustomHealthCheck{check})
	}
	if err == nil {
		fmt.Println("accepted")
		return
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	fmt.Println(line)
}
GO
# Without debug information the Kubernetes packages build faster.
export CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=mod -buildvcs=false -trimpath -gcflags=all=-dwarf=false"
go build -o expressions .
expect "version" "$runtime" "$(go version -m expressions | awk '$2 == "github.com/fluxcd/pkg/runtime" {print $3}')"

expect "a readyExpr that is a field, whatever the field holds" "CEL expression output type mismatch: expected bool, got dyn" "$(./expressions readyExpr 'dep.status.ready')"
expect "the same, compared" "accepted" "$(./expressions readyExpr 'dep.status.ready == true')"
expect "a misspelled variable in a readyExpr" \
  "failed to parse the CEL expression 'depp.status.ready == true': ERROR: <input>:1:1: undeclared reference to 'depp' (in container '')" \
  "$(./expressions readyExpr 'depp.status.ready == true')"
expect "a variable that does not exist in a health check" "accepted" "$(./expressions healthCheck 'depp.status.ready == true')"
