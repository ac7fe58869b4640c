#!/usr/bin/env bash
# Kustomize adds `images[].tagSuffix` twice in a Deployment, once in a CronJob, and not at all where the entry has a newTag.
set -euo pipefail

version=v5.8.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

images() { # kinds and their images, with the entry under `images` from standard input
  cat >kustomization.yaml
  bin/kustomize build . | grep -oE '^kind: .*|(init)?[cC]ontainers:|image: .*'
}

GOBIN=$folder/bin GOWORK=off go install "sigs.k8s.io/kustomize/kustomize/v5@$version"
expect "version" "$version" "$(go version -m bin/kustomize | awk '$1 == "mod" {print $3}')"

cat >workloads.yaml <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: "0 6 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: report, image: "registry.example.org/shop:1.4"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      initContainers:
      - {name: migrate, image: "registry.example.org/shop:1.4"}
      containers:
      - {name: shop, image: "registry.example.org/shop:1.4"}
YAML

expect "tagSuffix alone: twice in the Deployment, once in the CronJob" "kind: Deployment
containers:
image: registry.example.org/shop:1.4-slim-slim
initContainers:
image: registry.example.org/shop:1.4-slim-slim
kind: CronJob
containers:
image: registry.example.org/shop:1.4-slim" "$(images <<'YAML'
resources: [workloads.yaml]
images:
- {name: registry.example.org/shop, tagSuffix: -slim}
YAML
)"

expect "tagSuffix with newTag: never" "kind: Deployment
containers:
image: registry.example.org/shop:1.5
initContainers:
image: registry.example.org/shop:1.5
kind: CronJob
containers:
image: registry.example.org/shop:1.5" "$(images <<'YAML'
resources: [workloads.yaml]
images:
- {name: registry.example.org/shop, newTag: "1.5", tagSuffix: -slim}
YAML
)"

expect "tagSuffix with newName: once, as the second pass no longer finds the old name" "kind: Deployment
containers:
image: mirror.example.org/shop:1.4-slim
initContainers:
image: mirror.example.org/shop:1.4-slim
kind: CronJob
containers:
image: mirror.example.org/shop:1.4-slim" "$(images <<'YAML'
resources: [workloads.yaml]
images:
- {name: registry.example.org/shop, newName: mirror.example.org/shop, tagSuffix: -slim}
YAML
)"
