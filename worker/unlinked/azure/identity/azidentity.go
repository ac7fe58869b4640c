// Package azidentity has the names of Azure's SDK that SOPS refers to.
package azidentity

import (
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

func NewDefaultAzureCredential(options any) (azcore.TokenCredential, error) {
	return nil, errors.ErrUnsupported
}
