#!/usr/bin/env bash
# kstatus, by which Flux judges `wait: true`, calls objects Current that do not work: Flux becomes Ready without a single running pod.
set -euo pipefail

kstatus=v1.2.3
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder" && rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

cat >go.mod <<MOD
module example.org/current
go 1.26.0
require (
	github.com/fluxcd/cli-utils $kstatus
	k8s.io/apimachinery v0.36.4
	sigs.k8s.io/yaml v1.6.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The status that kstatus computes for the object on standard input.
func main() {
	text, err := io.ReadAll(os.Stdin)
	object := unstructured.Unstructured{}
	if err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err == nil {
		err = object.UnmarshalJSON(text)
	}
	if err != nil {
		log.Fatal(err)
	}
	computed, err := status.Compute(&object)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", computed.Status, computed.Message)
}
GO
CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=mod -buildvcs=false -trimpath -gcflags=all=-dwarf=false" go build -o current .
expect "version of kstatus" "$kstatus" "$(go version -m current | awk '$2 == "github.com/fluxcd/cli-utils" {print $3}')"

stateful_set() { # STRATEGY: three replicas wanted, none ready, a new template that no pod has
  cat <<YAML
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, generation: 2}
spec: {replicas: 3, updateStrategy: {type: $1}}
status: {observedGeneration: 2, replicas: 3, readyReplicas: 0, updatedReplicas: 0, currentRevision: db-1, updateRevision: db-2}
YAML
}

expect "none of three pods is ready: in progress" "InProgress: Ready: 0/3" "$(stateful_set RollingUpdate | ./current)"
expect "the same with OnDelete: Current, whatever its pods do" "Current: StatefulSet is using the ondelete update strategy" \
  "$(stateful_set OnDelete | ./current)"
expect "a pod that failed: Current" "Current: Pod has completed, but not successfully" \
  "$(printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: check}\nstatus: {phase: Failed}\n' | ./current)"
expect "a DaemonSet with OnDelete is no such exception" "InProgress: Updated: 0/3" "$({
  printf 'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, generation: 2}\nspec: {updateStrategy: {type: OnDelete}}\n'
  printf 'status: {observedGeneration: 2, desiredNumberScheduled: 3, currentNumberScheduled: 3, numberAvailable: 3, numberReady: 3}\n'
} | ./current)"
