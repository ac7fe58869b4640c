// Package provider has the names of Huawei Cloud's SDK that SOPS refers to.
package provider

import (
	"errors"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
)

type Chain struct{}

func BasicCredentialProviderChain() Chain { return Chain{} }

func (Chain) GetCredentials() (auth.ICredential, error) { return nil, errors.ErrUnsupported }
