"""What SOPS encrypts with: https://getsops.io/docs/."""

from collections.abc import Mapping

# Key in SOPS' metadata or in .sops.yaml -> name.
KEY_SERVICES: Mapping[str, str] = {
    "age": "Age",
    "azure_keyvault": "Azure Key Vault",
    "azure_kv": "Azure Key Vault",
    "gcp_kms": "Google Cloud KMS",
    "hc_vault": "HashiCorp Vault",
    "hc_vault_transit_uri": "HashiCorp Vault",
    "hckms": "Huawei Cloud KMS",
    "kms": "AWS KMS",
    "pgp": "PGP",
}
