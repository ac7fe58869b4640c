// Package azkeys has the names of Azure's SDK that SOPS refers to.
package azkeys

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

const EncryptionAlgorithmRSAOAEP256 = ""

type (
	Client                 struct{}
	ClientOptions          struct{}
	KeyOperationParameters struct {
		Algorithm *string
		Value     []byte
	}
	KeyOperationResult struct{ Result []byte }
	Response           struct {
		KeyOperationResult
		Key struct{ KID ID }
	}
	ID string
)

func NewClient(string, azcore.TokenCredential, *ClientOptions) (*Client, error) {
	return nil, errors.ErrUnsupported
}

func (*Client) Encrypt(_ context.Context, name, version string, _ KeyOperationParameters, options any) (Response, error) {
	return Response{}, errors.ErrUnsupported
}

func (*Client) Decrypt(_ context.Context, name, version string, _ KeyOperationParameters, options any) (Response, error) {
	return Response{}, errors.ErrUnsupported
}

func (*Client) GetKey(_ context.Context, name, version string, options any) (Response, error) {
	return Response{}, errors.ErrUnsupported
}

func (ID) Version() string { return "" }
