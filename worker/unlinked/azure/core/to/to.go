// Package to has the names of Azure's SDK that SOPS refers to.
package to

func Ptr[T any](value T) *T { return &value }
