// Package kms has the names of AWS' SDK that SOPS refers to.
package kms

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
)

type (
	Client       struct{}
	Options      struct{ BaseEndpoint *string }
	EncryptInput struct {
		KeyId             *string
		Plaintext         []byte
		EncryptionContext map[string]string
	}
	EncryptOutput struct{ CiphertextBlob []byte }
	DecryptInput  struct {
		KeyId             *string
		CiphertextBlob    []byte
		EncryptionContext map[string]string
	}
	DecryptOutput struct{ Plaintext []byte }
)

func NewFromConfig(aws.Config, ...func(*Options)) *Client { return &Client{} }

func (*Client) Encrypt(context.Context, *EncryptInput) (*EncryptOutput, error) {
	return nil, errors.ErrUnsupported
}

func (*Client) Decrypt(context.Context, *DecryptInput) (*DecryptOutput, error) {
	return nil, errors.ErrUnsupported
}
