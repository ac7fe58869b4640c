#!/usr/bin/env bash
# Scaffolds the sample with the devloop program $1 and validates it where Go can build nothing: the worker must have come with devloop.
set -euo pipefail

devloop=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

XDG_CONFIG_HOME=$folder/config "$devloop" init "$folder/sample"
export XDG_CACHE_HOME=$folder/cache GOPROXY=off GOMODCACHE=$folder/modules GOCACHE=$folder/compiled
"$devloop" -C "$folder/sample" validate
