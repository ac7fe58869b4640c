#!/usr/bin/env bash
# Kustomize loses a patch of a port without a word when only one side names the protocol; `kubectl patch` applies it.
set -euo pipefail

kustomize=v5.8.1
kubernetes=v0.36.4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

cat >go.mod <<MOD
module example.org/ports
go 1.26.0
require (
	k8s.io/api $kubernetes
	k8s.io/apimachinery $kubernetes
	sigs.k8s.io/yaml v1.6.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"
)

func read(path string) []byte {
	text, err := os.ReadFile(path)
	if err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err != nil {
		log.Fatal(err)
	}
	return text
}

// What the API server and kubectl do with a strategic merge patch of a Service.
func main() {
	patched, err := strategicpatch.StrategicMergePatch(read("service.yaml"), read("patch.yaml"), corev1.Service{})
	if err == nil {
		patched, err = yaml.JSONToYAML(patched)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(patched))
}
GO
# Without debug information the Kubernetes packages build faster.
CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=mod -buildvcs=false -trimpath -gcflags=all=-dwarf=false" go build -o patch .
GOBIN=$folder/bin GOWORK=off go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize"
expect "version of kustomize" "$kustomize" "$(go version -m bin/kustomize | awk '$1 == "mod" {print $3}')"
expect "version of k8s.io/apimachinery" "$kubernetes" "$(go version -m patch | awk '$2 == "k8s.io/apimachinery" {print $3}')"

printf 'resources: [service.yaml]\npatches: [{path: patch.yaml}]\n' >kustomization.yaml

both() { # PORT PATCH: the port after the patch, from Kustomize and from Kubernetes
  printf 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [%s]}\n' "$1" >service.yaml
  printf 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [%s]}\n' "$2" >patch.yaml
  printf 'kustomize:\n%s\n' "$(bin/kustomize build . | sed -n '/^  ports:/,$p')"
  printf 'kubernetes:\n%s\n' "$(./patch | sed -n '/^  ports:/,$p')"
}

expect "the patch leaves TCP out: Kustomize ignores it, nothing is added, nothing is refused" "kustomize:
  ports:
  - name: http
    port: 80
    protocol: TCP
    targetPort: 3000
kubernetes:
  ports:
  - name: http
    port: 80
    protocol: TCP
    targetPort: 8080" "$(both '{name: http, port: 80, protocol: TCP, targetPort: 3000}' '{port: 80, targetPort: 8080}')"

expect "the patch alone names TCP: the same" "kustomize:
  ports:
  - name: http
    port: 80
    targetPort: 3000
kubernetes:
  ports:
  - name: http
    port: 80
    protocol: TCP
    targetPort: 8080" "$(both '{name: http, port: 80, targetPort: 3000}' '{port: 80, protocol: TCP, targetPort: 8080}')"

expect "neither names it: both apply it" "kustomize:
  ports:
  - name: http
    port: 80
    targetPort: 8080
kubernetes:
  ports:
  - name: http
    port: 80
    targetPort: 8080" "$(both '{name: http, port: 80, targetPort: 3000}' '{port: 80, targetPort: 8080}')"
