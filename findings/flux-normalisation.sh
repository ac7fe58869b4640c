#!/usr/bin/env bash
# Before it applies a built-in kind, Flux drops fields that it does not know, and `false` wherever the API says "omitempty" without a pointer.
set -euo pipefail

ssa=v0.76.2 # the one of kustomize-controller 1.9.6
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

cat >go.mod <<MOD
module example.org/normalisation
go 1.26.0
require (
	github.com/fluxcd/pkg/ssa $ssa
	sigs.k8s.io/yaml v1.6.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/fluxcd/pkg/ssa/normalize"
	"github.com/fluxcd/pkg/ssa/utils"
	"sigs.k8s.io/yaml"
)

// The specs of the objects, as kustomize-controller hands them to server-side apply.
func main() {
	objects, err := utils.ReadObjects(os.Stdin)
	if err == nil {
		err = normalize.UnstructuredList(objects)
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, object := range objects {
		spec, err := yaml.Marshal(object.Object["spec"])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(string(spec))
	}
}
GO
# Without debug information the Kubernetes packages build faster.
export CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=mod -buildvcs=false -trimpath -gcflags=all=-dwarf=false"
go build -o normalise .
expect "version" "$ssa" "$(go version -m normalise | awk '$2 == "github.com/fluxcd/pkg/ssa" {print $3}')"

# `suspended` is misspelled; `hostNetwork` and `stdinOnce` are turned off.
manifest() { # VERSION KIND
  cat <<YAML
apiVersion: $1
kind: $2
metadata: {name: report, namespace: shop}
spec:
  schedule: "0 6 * * *"
  suspended: true
  successfulJobsHistoryLimit: 0
  jobTemplate:
    spec:
      template:
        spec:
          hostNetwork: false
          restartPolicy: Never
          containers:
          - {name: report, image: "registry.example.org/report:1.4", stdinOnce: false}
YAML
}

expect "a CronJob: the misspelled field and both that are false are gone, the zero behind a pointer stays" \
  "jobTemplate:
  metadata: {}
  spec:
    template:
      metadata: {}
      spec:
        containers:
        - image: registry.example.org/report:1.4
          name: report
          resources: {}
        restartPolicy: Never
schedule: 0 6 * * *
successfulJobsHistoryLimit: 0" "$(manifest batch/v1 CronJob | ./normalise)"

expect "the same in a custom resource: all of it stays" \
  "jobTemplate:
  spec:
    template:
      spec:
        containers:
        - image: registry.example.org/report:1.4
          name: report
          stdinOnce: false
        hostNetwork: false
        restartPolicy: Never
schedule: 0 6 * * *
successfulJobsHistoryLimit: 0
suspended: true" "$(manifest example.org/v1 Report | ./normalise)"
