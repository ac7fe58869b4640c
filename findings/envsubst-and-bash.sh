#!/usr/bin/env bash
# Flux's envsubst takes `:+` and `:?` for `:-`: `${X:+text}` is the reverse of what it is in Bash.
# shellcheck disable=SC2016 # the expressions are not for this script to expand
set -euo pipefail

version=v1.7.1 # the one of kustomize-controller 1.9.6
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

cat >go.mod <<MOD
module example.org/envsubst
go 1.26.0
require github.com/fluxcd/pkg/envsubst $version
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/fluxcd/pkg/envsubst"
)

// Flux's strict mode: a variable that is in no map is an error.
func main() {
	result, err := envsubst.Eval(os.Args[1], os.LookupEnv)
	if err != nil {
		result = "error, " + err.Error()
	}
	fmt.Println(result)
}
GO
GOWORK=off GOFLAGS=-mod=mod go build -o flux .
expect "version" "$version" "$(go version -m flux | awk '$2 == "github.com/fluxcd/pkg/envsubst" {print $3}')"

export REGION=north DIGITS=0123456789
unset ABSENT OTHER

compare() { # the expressions on standard input, as Bash and as Flux expand them
  local text
  while read -r text; do
    printf '%s\n  bash: %s\n  flux: %s\n' "$text" "$(bash -c "printf %s \"$text\"" 2>/dev/null || echo refused)" "$(./flux "$text")"
  done
}

expect "the alternative value is used when the variable is absent, not when it is set" '${REGION:+-eu}
  bash: -eu
  flux: north
${ABSENT:+-eu}
  bash: 
  flux: -eu' "$(compare <<'TEXT'
${REGION:+-eu}
${ABSENT:+-eu}
TEXT
)"

expect "a required variable is replaced by the error message, even in strict mode" '${ABSENT:?set a region first}
  bash: refused
  flux: set a region first' "$(compare <<'TEXT'
${ABSENT:?set a region first}
TEXT
)"

expect "the default of a variable that is set has to expand too" '${REGION:-${OTHER}}
  bash: north
  flux: error, variable not set (strict mode): "OTHER"' "$(compare <<'TEXT'
${REGION:-${OTHER}}
TEXT
)"

expect "a negative offset takes the whole text" '${DIGITS: -3}
  bash: 789
  flux: 0123456789' "$(compare <<'TEXT'
${DIGITS: -3}
TEXT
)"
