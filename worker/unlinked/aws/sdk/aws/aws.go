// Package aws has the names of AWS' SDK that SOPS refers to.
package aws

type (
	CredentialsProvider interface{ unlinked() }
	Config              struct{ Credentials CredentialsProvider }
)

func String(text string) *string { return &text }
