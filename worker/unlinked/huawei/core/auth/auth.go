// Package auth has the names of Huawei Cloud's SDK that SOPS refers to.
package auth

type ICredential interface{ unlinked() }
