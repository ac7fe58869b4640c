package sops

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// What SOPS calls the services that hold keys, and what people call them.
var serviceNames = map[string]string{
	"pgp": "PGP", "kms": "AWS KMS", "gcp_kms": "Google Cloud KMS", "hckms": "Huawei Cloud KMS", "azure_kv": "Azure Key Vault",
	"hc_vault": "HashiCorp Vault", "age": "Age",
}

// CheckFiles says for each file whether it can be opened, its checksum included.
func CheckFiles(read func(string) ([]byte, error), keys *Keyring, names []string) []protocol.DecryptionResult {
	openings := make([]protocol.DecryptionResult, len(names))
	for i, name := range names {
		openings[i] = checkFile(read, keys, name)
	}
	return openings
}

func checkFile(read func(string) ([]byte, error), keys *Keyring, name string) (result protocol.DecryptionResult) {
	result = protocol.DecryptionResult{Path: name, Recipients: []string{}}
	content, err := read(name)
	if err != nil {
		result.Reason, result.Message = protocol.ProblemFormat, err.Error()
		return result
	}
	tree, err := loadEncrypted(filepath.Base(name), content)
	if err != nil {
		result.Reason, result.Message = protocol.ProblemFormat, fmt.Sprintf("its SOPS metadata cannot be read: %v", userError(err))
		return result
	}
	result.Recipients, result.Services = recipients(tree)
	key, err := keys.dataKey(tree)
	switch {
	case err == nil:
		if err := checksum(tree, key); err != nil {
			result.Reason, result.Message = protocol.ProblemMAC, err.Error()
		}
	case len(result.Services) > 0 && len(result.Recipients) == 0:
		result.Reason, result.Message = protocol.ProblemService, strings.Join(result.Services, ", ")+" cannot be asked here"
	default:
		result.Reason, result.Message = protocol.ProblemKey, errSealed.Error()
	}
	return result
}

func recipients(tree sops.Tree) (ages, services []string) {
	ages = []string{}
	seen := map[string]bool{}
	for _, group := range tree.Metadata.KeyGroups {
		for _, key := range group {
			service := key.TypeToIdentifier()
			switch {
			case service == age.KeyTypeIdentifier:
				ages = append(ages, key.ToString())
			case !seen[service]:
				seen[service] = true
				services = append(services, cmp.Or(serviceNames[service], service))
			}
		}
	}
	sort.Strings(services)
	return ages, services
}

func checksum(tree sops.Tree, key []byte) (err error) {
	defer recovered(&err)
	cipher := aes.NewCipher()
	computed, err := tree.Decrypt(key, cipher)
	if err != nil {
		return redacted(err)
	}
	stored, err := cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, key, tree.Metadata.LastModified.Format(time.RFC3339))
	if err != nil || stored != computed {
		return errors.New("it was changed after it was encrypted: the checksum (mac) does not match")
	}
	return nil
}
