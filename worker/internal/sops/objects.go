package sops

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"sigs.k8s.io/kustomize/api/resource"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// DecryptObject decrypts an object as kustomize-controller does: whole where it carries SOPS metadata, value by value where a generator put
// encrypted files into a Secret. The state is empty where nothing in it is encrypted.
func (k *Keyring) DecryptObject(res *resource.Resource) (protocol.SecretState, error) {
	if IsEncrypted(res) {
		return k.decryptWhole(res)
	}
	return k.decryptValues(res)
}

// IsEncrypted says whether SOPS encrypted the object as a whole.
func IsEncrypted(res *resource.Resource) bool {
	metadata := res.Field("sops")
	return !metadata.IsNilOrEmpty() && !metadata.Value.Field("mac").IsNilOrEmpty()
}

func (k *Keyring) decryptWhole(res *resource.Resource) (protocol.SecretState, error) {
	content, err := res.MarshalJSON()
	if err != nil {
		return "", err
	}
	plain, _, err := k.DecryptDocument(content, formats.Json)
	if IsSealed(err) {
		return protocol.SecretEncrypted, nil
	}
	if err != nil {
		return "", err
	}
	return protocol.SecretDecrypted, res.UnmarshalJSON(plain)
}

func (k *Keyring) decryptValues(res *resource.Resource) (state protocol.SecretState, err error) {
	data := res.GetDataMap()
	for key, value := range data {
		content, err := base64.StdEncoding.DecodeString(value)
		if err != nil || !LooksEncrypted(content) {
			continue
		}
		plain, err := k.decryptAny(content, FormatFor(key))
		switch {
		case IsSealed(err):
			return protocol.SecretEncrypted, nil
		case err != nil:
			return "", fmt.Errorf("%s: %w", key, err)
		}
		state, data[key] = protocol.SecretDecrypted, base64.StdEncoding.EncodeToString(plain)
	}
	if state != "" {
		res.SetDataMap(data)
	}
	return state, nil
}

// Where the checksum stands in each format, in the order in which to ask.
var formatMarks = []struct {
	format formats.Format
	mark   string
}{
	{formats.Json, `"mac": "ENC[`}, {formats.Dotenv, "sops_mac=ENC["}, {formats.Ini, "[sops]"}, {formats.Yaml, "mac: ENC["},
}

// decryptAny detects the format; output is the format of the result.
func (k *Keyring) decryptAny(content []byte, output formats.Format) (plain []byte, err error) {
	defer recovered(&err)
	for _, candidate := range formatMarks {
		if !bytes.Contains(content, []byte(candidate.mark)) {
			continue
		}
		input := candidate.format
		if input == formats.Json && output == formats.Binary {
			input = formats.Binary
		}
		plain, branches, err := k.DecryptDocument(content, input)
		if err == nil && input != output {
			plain, err = common.StoreForFormat(output, config.NewStoresConfig()).EmitPlainFile(branches)
		}
		return plain, err
	}
	return content, nil
}
