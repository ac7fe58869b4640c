// Package kms has the names of Google Cloud's SDK that SOPS refers to.
package kms

import (
	"context"
	"errors"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/api/option"
)

type KeyManagementClient struct{}

func NewKeyManagementClient(context.Context, ...option.ClientOption) (*KeyManagementClient, error) {
	return nil, errors.ErrUnsupported
}

func NewKeyManagementRESTClient(context.Context, ...option.ClientOption) (*KeyManagementClient, error) {
	return nil, errors.ErrUnsupported
}

func (*KeyManagementClient) Encrypt(context.Context, *kmspb.EncryptRequest) (*kmspb.EncryptResponse, error) {
	return nil, errors.ErrUnsupported
}

func (*KeyManagementClient) Decrypt(context.Context, *kmspb.DecryptRequest) (*kmspb.DecryptResponse, error) {
	return nil, errors.ErrUnsupported
}

func (*KeyManagementClient) Close() error { return nil }
