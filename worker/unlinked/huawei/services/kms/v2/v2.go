// Package v2 has the names of Huawei Cloud's SDK that SOPS refers to.
package v2

import (
	"errors"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kms/v2/model"
)

type KmsClient struct{}

func NewKmsClient(*core.HcHttpClient) *KmsClient { return nil }

func (*KmsClient) EncryptData(*model.EncryptDataRequest) (*model.EncryptDataResponse, error) {
	return nil, errors.ErrUnsupported
}

func (*KmsClient) DecryptData(*model.DecryptDataRequest) (*model.DecryptDataResponse, error) {
	return nil, errors.ErrUnsupported
}
