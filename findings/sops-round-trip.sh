#!/usr/bin/env bash
# SOPS rounds large integers of JSON when it encrypts a file, and changes scalars of YAML, in the parts that it leaves in clear as well.
set -euo pipefail

sops=v3.13.3
age=v1.3.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() { # TITLE EXPECTED ACTUAL
  printf '== %s\n%s\n' "$1" "$3"
  [[ "$2" == "$3" ]] || { printf 'changed, before it was:\n%s\n' "$2" >&2 && exit 1; }
}

# Without debug information the many packages of SOPS build faster.
export GOBIN=$folder/bin CGO_ENABLED=0 GOWORK=off GOFLAGS="-buildvcs=false -trimpath -gcflags=all=-dwarf=false"
go install "github.com/getsops/sops/v3/cmd/sops@$sops"
go install "filippo.io/age/cmd/age-keygen@$age"
expect "version" "$sops" "$(go version -m bin/sops | awk '$1 == "mod" {print $3}')"

bin/age-keygen -o key.txt 2>/dev/null
SOPS_AGE_RECIPIENTS=$(bin/age-keygen -y key.txt)
export SOPS_AGE_RECIPIENTS SOPS_AGE_KEY_FILE=$folder/key.txt

there_and_back() { # FILE: as it is after encrypting what lies below `secret`, and decrypting it
  bin/sops encrypt --encrypted-regex '^secret$' "$1" >"encrypted.${1##*.}"
  bin/sops decrypt "encrypted.${1##*.}"
}

printf '{"clear": {"account": 12345678901234567890}, "secret": {"account": 12345678901234567890}}\n' >values.json
expect "JSON: integers above 9223372036854775807 are rounded, in the clear part as well" '{
	"clear": {
		"account": 12345678901234567000
	},
	"secret": {
		"account": 12345678901234567000
	}
}' "$(there_and_back values.json)"

printf 'secret: {account: 12345678901234567890}\n' >account.yaml
expect "YAML: the same integer is refused" "Error encrypting tree: Error walking tree: Cannot walk value, unknown type: uint64" \
  "$(bin/sops encrypt --encrypted-regex '^secret$' account.yaml 2>&1 || true)"

cat >values.yaml <<'YAML'
clear:
  frozen: 2026-01-02
  banner: on
secret:
  frozen: 2026-01-02
  banner: on
YAML
expect "YAML: dates get a time, and what kubectl and Helm read as true becomes a text, in the clear part as well" "clear:
    frozen: 2026-01-02T00:00:00Z
    banner: \"on\"
secret:
    frozen: 2026-01-02T00:00:00Z
    banner: \"on\"" "$(there_and_back values.yaml)"
