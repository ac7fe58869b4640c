#!/usr/bin/env bash
# One manifest, two objects: kubectl reads unquoted scalars by other rules (`apply -f`) than Kustomize does (`apply -k`, Flux).
set -euo pipefail

kustomize=v5.8.1
yaml=v1.6.0 # sigs.k8s.io/yaml: how kubectl and client-go turn YAML into JSON
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

cat >go.mod <<MOD
module example.org/scalars
go 1.26.0
require sigs.k8s.io/yaml $yaml
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}
GO
GOWORK=off GOFLAGS=-mod=mod go build -o json .
GOBIN=$folder/bin GOWORK=off go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize"
expect "version of kustomize" "$kustomize" "$(go version -m bin/kustomize | awk '$1 == "mod" {print $3}')"
expect "version of sigs.k8s.io/yaml" "$yaml" "$(go version -m json | awk '$2 == "sigs.k8s.io/yaml" {print $3}')"

both() { # a manifest on standard input, read directly, and built by Kustomize and read then
  cat >manifest.yaml
  printf 'resources: [manifest.yaml]\n' >kustomization.yaml
  printf 'directly: %s\n' "$(./json <manifest.yaml)"
  printf 'Kustomize: %s\n' "$(bin/kustomize build . | ./json)"
}

expect "both are valid, and the application reads another date" \
  'directly: {"apiVersion":"v1","data":{"FROZEN_UNTIL":"2026-01-02"},"kind":"ConfigMap","metadata":{"name":"calendar"}}
Kustomize: {"apiVersion":"v1","data":{"FROZEN_UNTIL":"2026-01-02T00:00:00Z"},"kind":"ConfigMap","metadata":{"name":"calendar"}}' "$(both <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: calendar}
data:
  FROZEN_UNTIL: 2026-01-02
YAML
)"

expect "read directly it is a boolean, which no ConfigMap may hold, through Kustomize a text" \
  'directly: {"apiVersion":"v1","data":{"BANNER":true},"kind":"ConfigMap","metadata":{"name":"shop"}}
Kustomize: {"apiVersion":"v1","data":{"BANNER":"on"},"kind":"ConfigMap","metadata":{"name":"shop"}}' "$(both <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data:
  BANNER: on
YAML
)"

expect "the other way round: read directly it is the boolean that a Service needs, through Kustomize a text" \
  'directly: {"apiVersion":"v1","kind":"Service","metadata":{"name":"peers"},"spec":{"clusterIP":"None","publishNotReadyAddresses":true}}
Kustomize: {"apiVersion":"v1","kind":"Service","metadata":{"name":"peers"},"spec":{"clusterIP":"None","publishNotReadyAddresses":"yes"}}' "$(both <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: peers}
spec:
  clusterIP: None
  publishNotReadyAddresses: yes
YAML
)"
