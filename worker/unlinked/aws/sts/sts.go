// Package sts has the names of AWS' SDK that SOPS refers to.
package sts

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
)

type (
	Client           struct{}
	AssumeRoleInput  struct{ RoleArn, RoleSessionName *string }
	AssumeRoleOutput struct{ Credentials *Credentials }
	Credentials      struct{ AccessKeyId, SecretAccessKey, SessionToken *string }
)

func NewFromConfig(aws.Config) *Client { return &Client{} }

func (*Client) AssumeRole(context.Context, *AssumeRoleInput) (*AssumeRoleOutput, error) {
	return nil, errors.ErrUnsupported
}
