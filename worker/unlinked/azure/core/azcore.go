// Package azcore has the names of Azure's SDK that SOPS refers to.
package azcore

type TokenCredential interface{ unlinked() }
