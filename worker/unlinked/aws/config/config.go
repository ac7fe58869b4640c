// Package config has the names of AWS' SDK that SOPS refers to.
package config

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

type LoadOptions struct {
	Credentials         aws.CredentialsProvider
	SharedConfigProfile string
	Region              string
	HTTPClient          *http.Client
}

func LoadDefaultConfig(context.Context, ...func(*LoadOptions) error) (aws.Config, error) {
	return aws.Config{}, errors.ErrUnsupported
}
