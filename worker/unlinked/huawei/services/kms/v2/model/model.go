// Package model has the names of Huawei Cloud's SDK that SOPS refers to.
package model

type (
	Algorithms struct{ SYMMETRIC_DEFAULT string }

	EncryptDataRequest     struct{ Body *EncryptDataRequestBody }
	EncryptDataRequestBody struct {
		KeyId, PlainText    string
		EncryptionAlgorithm *string
	}
	EncryptDataResponse struct{ CipherText *string }

	DecryptDataRequest     struct{ Body *DecryptDataRequestBody }
	DecryptDataRequestBody struct {
		CipherText                 string
		EncryptionAlgorithm, KeyId *string
	}
	DecryptDataResponse struct{ PlainText *string }
)

func GetEncryptDataRequestBodyEncryptionAlgorithmEnum() Algorithms { return Algorithms{} }

func GetDecryptDataRequestBodyEncryptionAlgorithmEnum() Algorithms { return Algorithms{} }
