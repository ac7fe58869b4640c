package sops

import (
	"slices"
	"testing"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

const forEveryService = `
password: ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
sops:
    kms:
        - arn: arn:aws:kms:eu-west-1:123456789012:key/0
          role: arn:aws:iam::123456789012:role/deploy
          context: {app: shop}
          aws_profile: shop
          created_at: "2026-01-01T00:00:00Z"
          enc: AAAA
    gcp_kms:
        - resource_id: projects/shop/locations/global/keyRings/shop/cryptoKeys/shop
          created_at: "2026-01-01T00:00:00Z"
          enc: AAAA
    hckms:
        - key_id: eu-west-101:0
          created_at: "2026-01-01T00:00:00Z"
          enc: AAAA
    azure_kv:
        - vault_url: https://shop.vault.azure.net
          name: shop
          version: "1"
          created_at: "2026-01-01T00:00:00Z"
          enc: AAAA
    hc_vault:
        - vault_address: https://vault.example.org
          engine_path: transit
          key_name: shop
          created_at: "2026-01-01T00:00:00Z"
          enc: AAAA
    lastmodified: "2026-01-01T00:00:00Z"
    mac: ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
    version: 3.13.2
`

func TestEveryKeyServiceIsNamedAndNotAsked(t *testing.T) {
	keys, err := NewKeyring("")
	if err != nil {
		t.Fatal(err)
	}
	read := func(string) ([]byte, error) { return []byte(forEveryService), nil }
	result := CheckFiles(read, keys, []string{"settings.enc.yaml"})[0]
	want := []string{"AWS KMS", "Azure Key Vault", "Google Cloud KMS", "HashiCorp Vault", "Huawei Cloud KMS"}
	if !slices.Equal(result.Services, want) || result.Reason != protocol.ProblemService {
		t.Fatalf("%+v", result)
	}
}
