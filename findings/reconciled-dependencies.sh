#!/usr/bin/env bash
# When a source has a new revision, Flux sorts the Kustomizations (HelmReleases, ResourceSets) that use it and reconciles what the sort names.
# The sort also names what they depend on, whatever its source and its state.
set -euo pipefail

runtime=v0.110.3 api=v1.9.6
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder" && rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

cat >go.mod <<MOD
module example.org/sorted
go 1.26.0
require (
	github.com/fluxcd/kustomize-controller/api $api
	github.com/fluxcd/pkg/runtime $runtime
	sigs.k8s.io/yaml v1.6.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/dependency"
	"sigs.k8s.io/yaml"
)

// The sorted names of the Kustomizations in a YAML list on standard input.
func main() {
	var given []kustomizev1.Kustomization
	text, err := os.ReadFile("/dev/stdin")
	if err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err == nil {
		err = json.Unmarshal(text, &given)
	}
	if err != nil {
		log.Fatal(err)
	}
	var dependents []dependency.Dependent
	for i := range given {
		dependents = append(dependents, &given[i])
	}
	names, err := dependency.Sort(dependents)
	if err != nil {
		log.Fatal(err)
	}
	for _, each := range names {
		fmt.Println(each.String())
	}
}
GO
CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=mod -buildvcs=false -trimpath -gcflags=all=-dwarf=false" go build -o sorted .
expect "version of the sort" "$runtime" "$(go version -m sorted | awk '$2 == "github.com/fluxcd/pkg/runtime" {print $3}')"

# `apps` is all that uses the source with the new revision; `platform` has another source, and what `platform` depends on is not known here.
apps='- metadata: {name: apps, namespace: shop}
  spec: {sourceRef: {kind: GitRepository, name: shop}, dependsOn: [{name: platform, namespace: flux-system}]}'
platform='- metadata: {name: platform, namespace: flux-system}
  spec: {sourceRef: {kind: OCIRepository, name: platform}, dependsOn: [{name: crds}]}'

expect "of one Kustomization: two are reconciled" $'flux-system/platform\nshop/apps' "$(./sorted <<<"$apps")"
expect "of both: three" $'flux-system/crds\nflux-system/platform\nshop/apps' "$(./sorted <<<"$apps"$'\n'"$platform")"
