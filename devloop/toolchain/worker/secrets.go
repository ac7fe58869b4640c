package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/logging"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"
	"sigs.k8s.io/kustomize/api/resource"
)

func init() {
	logging.SetLevel(logrus.PanicLevel)
	for _, logger := range logging.Loggers {
		logger.SetOutput(io.Discard)
	}
}

// Every value that SOPS encrypts starts like this, the checksum of the file included.
var encryptedMark = []byte("ENC[AES256_GCM,")

// What SOPS calls the services that hold keys, and what people call them.
var serviceNames = map[string]string{
	"pgp": "PGP", "kms": "AWS KMS", "gcp_kms": "Google Cloud KMS", "hckms": "Huawei Cloud KMS", "azure_kv": "Azure Key Vault",
	"hc_vault": "HashiCorp Vault", "age": "Age",
}

// errSealed: none of the keys that we have opens it.
var errSealed = errors.New("no identity matches the recipients")

// keyring opens data keys with Age identities, and with nothing else.
type keyring struct {
	identities age.ParsedIdentities
	mu         sync.Mutex
	dataKeys   map[string][]byte
}

func newKeyring(text string) (*keyring, error) {
	keys := &keyring{dataKeys: map[string][]byte{}}
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 && keys.identities.Import(lines...) != nil {
		return nil, errors.New("an Age identity cannot be parsed") // the cause would quote it
	}
	return keys, nil
}

func (k *keyring) Encrypt(context.Context, *keyservice.EncryptRequest, ...grpc.CallOption) (*keyservice.EncryptResponse, error) {
	return nil, errReadOnly
}

func (k *keyring) Decrypt(_ context.Context, in *keyservice.DecryptRequest, _ ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
	wanted, isAge := in.Key.KeyType.(*keyservice.Key_AgeKey)
	if !isAge || len(k.identities) == 0 {
		return nil, errSealed
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if known, ok := k.dataKeys[string(in.Ciphertext)]; ok {
		return &keyservice.DecryptResponse{Plaintext: known}, nil
	}
	key := age.MasterKey{Recipient: wanted.AgeKey.Recipient, EncryptedKey: string(in.Ciphertext)}
	k.identities.ApplyToMasterKey(&key)
	plain, err := key.Decrypt()
	if err != nil {
		return nil, errSealed
	}
	k.dataKeys[string(in.Ciphertext)] = plain
	return &keyservice.DecryptResponse{Plaintext: plain}, nil
}

func (k *keyring) dataKey(tree sops.Tree) ([]byte, error) {
	key, err := tree.Metadata.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{k}, sops.DefaultDecryptionOrder)
	if err != nil {
		return nil, errSealed
	}
	return key, nil
}

func isSealed(err error) bool { return errors.Is(err, errSealed) }

// open decrypts a document and returns it in the same format, as text and as SOPS's tree. Like kustomize-controller it does not look at the
// checksum: kustomize may have added fields.
func (k *keyring) open(content []byte, format formats.Format) (plain []byte, branches sops.TreeBranches, err error) {
	defer recovered(&err)
	store := common.StoreForFormat(format, config.NewStoresConfig())
	tree, err := store.LoadEncryptedFile(content)
	if err != nil {
		return nil, nil, fmt.Errorf("its SOPS metadata cannot be read: %w", userError(err))
	}
	key, err := k.dataKey(tree)
	if err != nil {
		return nil, nil, err
	}
	if _, err := tree.Decrypt(key, aes.NewCipher()); err != nil {
		return nil, nil, redacted(err)
	}
	plain, err = store.EmitPlainFile(tree.Branches)
	return plain, tree.Branches, err
}

// recovered: SOPS panics on some malformed input.
func recovered(err *error) {
	if panicked := recover(); panicked != nil {
		*err = errors.New("SOPS cannot make sense of it")
	}
}

func userError(err error) error {
	var user sops.UserError
	if errors.As(err, &user) {
		return errors.New(strings.TrimSpace(user.UserError()))
	}
	return err
}

// redacted keeps values out of messages: SOPS quotes what it could not decrypt.
func redacted(err error) error {
	before, _, quotes := strings.Cut(err.Error(), "Input string ")
	if quotes {
		return fmt.Errorf("%sa value that should be encrypted is not", before)
	}
	return errors.New("a value cannot be decrypted with the data key")
}

func formatFor(name string) formats.Format {
	if strings.HasSuffix(name, ".dockerconfigjson") {
		return formats.Json
	}
	return formats.FormatForPath(name)
}

// looksEncrypted is cheap and errs on the side of yes.
func looksEncrypted(content []byte) bool {
	return bytes.Contains(content, encryptedMark) && bytes.Contains(content, []byte("sops"))
}

// isEncryptedFile asks SOPS whether the file has its metadata.
func isEncryptedFile(name string, content []byte) bool {
	if !looksEncrypted(content) {
		return false
	}
	_, err := loadEncrypted(name, content)
	return !errors.Is(err, sops.MetadataNotFound)
}

func loadEncrypted(name string, content []byte) (tree sops.Tree, err error) {
	defer recovered(&err)
	return common.StoreForFormat(formatFor(name), config.NewStoresConfig()).LoadEncryptedFile(content)
}

// check says for each file whether it can be opened, its checksum included.
func (s *session) check(names []string) []opening {
	openings := make([]opening, len(names))
	for i, name := range names {
		openings[i] = s.checkFile(name)
	}
	return openings
}

func (s *session) checkFile(name string) (result opening) {
	result = opening{Path: name, Recipients: []string{}}
	content, err := s.readFile(name)
	if err != nil {
		result.Reason, result.Message = "format", err.Error()
		return result
	}
	tree, err := loadEncrypted(filepath.Base(name), content)
	if err != nil {
		result.Reason, result.Message = "format", fmt.Sprintf("its SOPS metadata cannot be read: %v", userError(err))
		return result
	}
	result.Recipients, result.Services = recipients(tree)
	key, err := s.keys.dataKey(tree)
	switch {
	case err == nil:
		if err := checksum(tree, key); err != nil {
			result.Reason, result.Message = "mac", err.Error()
		}
	case len(result.Services) > 0 && len(result.Recipients) == 0:
		result.Reason, result.Message = "service", strings.Join(result.Services, ", ")+" cannot be asked here"
	default:
		result.Reason, result.Message = "key", errSealed.Error()
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

// openResource decrypts an object as kustomize-controller does: whole where it carries SOPS metadata, value by value where a generator put
// encrypted files into a Secret. It returns "opened", "sealed" or "".
func (k *keyring) openResource(res *resource.Resource) (string, error) {
	if metadata := res.Field("sops"); !metadata.IsNilOrEmpty() && !metadata.Value.Field("mac").IsNilOrEmpty() {
		return k.openWhole(res)
	}
	if res.GetKind() == "Secret" {
		return k.openValues(res)
	}
	return "", nil
}

func (k *keyring) openWhole(res *resource.Resource) (string, error) {
	content, err := res.MarshalJSON()
	if err != nil {
		return "", err
	}
	plain, _, err := k.open(content, formats.Json)
	if isSealed(err) {
		return "sealed", nil
	}
	if err != nil {
		return "", err
	}
	return "opened", res.UnmarshalJSON(plain)
}

func (k *keyring) openValues(res *resource.Resource) (state string, err error) {
	data := res.GetDataMap()
	for key, value := range data {
		content, err := base64.StdEncoding.DecodeString(value)
		if err != nil || !looksEncrypted(content) {
			continue
		}
		plain, err := k.openAny(content, formatFor(key))
		switch {
		case isSealed(err):
			return "sealed", nil
		case err != nil:
			return "", fmt.Errorf("%s: %w", key, err)
		}
		state, data[key] = "opened", base64.StdEncoding.EncodeToString(plain)
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

// openAny finds out the format by itself; a key says what the format of the result is.
func (k *keyring) openAny(content []byte, output formats.Format) (plain []byte, err error) {
	defer recovered(&err)
	for _, candidate := range formatMarks {
		if !bytes.Contains(content, []byte(candidate.mark)) {
			continue
		}
		input := candidate.format
		if input == formats.Json && output == formats.Binary {
			input = formats.Binary
		}
		plain, branches, err := k.open(content, input)
		if err == nil && input != output {
			plain, err = common.StoreForFormat(output, config.NewStoresConfig()).EmitPlainFile(branches)
		}
		return plain, err
	}
	return content, nil
}
