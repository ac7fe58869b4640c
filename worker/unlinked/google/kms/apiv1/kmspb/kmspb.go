// Package kmspb has the names of Google Cloud's SDK that SOPS refers to.
package kmspb

type (
	EncryptRequest struct {
		Name      string
		Plaintext []byte
	}
	EncryptResponse struct{ Ciphertext []byte }
	DecryptRequest  struct {
		Name       string
		Ciphertext []byte
	}
	DecryptResponse struct{ Plaintext []byte }
)
