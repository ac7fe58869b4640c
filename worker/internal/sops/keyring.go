// Package sops decrypts what SOPS encrypted, with Age identities and nothing else.
package sops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"google.golang.org/grpc"
	"io"
	"slices"
	"strings"
	"sync"

	filippo "filippo.io/age"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/logging"
	"github.com/sirupsen/logrus"
)

func init() {
	logging.SetLevel(logrus.PanicLevel)
	for _, logger := range logging.Loggers {
		logger.SetOutput(io.Discard)
	}
}

// Every value that SOPS encrypts starts like this, the checksum of the file included.
var encryptedMark = []byte("ENC[AES256_GCM,")

// errSealed: none of the keys that we have opens it.
var errSealed = errors.New("no identity matches the recipients")

// Keyring opens data keys with Age identities, and with nothing else.
type Keyring struct {
	identities age.ParsedIdentities
	mu         sync.Mutex
	dataKeys   map[string][]byte
}

// NewKeyring takes the text of Age key files.
func NewKeyring(text string) (*Keyring, error) {
	keys := &Keyring{dataKeys: map[string][]byte{}}
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

// Recipients are the public halves of the identities, sorted; false when one of them has none to show.
func (k *Keyring) Recipients() ([]string, bool) {
	var names []string
	for _, identity := range k.identities {
		switch identity := identity.(type) {
		case *filippo.X25519Identity:
			names = append(names, identity.Recipient().String())
		case *filippo.HybridIdentity:
			names = append(names, identity.Recipient().String())
		default:
			return nil, false
		}
	}
	slices.Sort(names)
	return names, true
}

// Encrypt fails; SOPS wants it of a key service.
func (k *Keyring) Encrypt(context.Context, *keyservice.EncryptRequest, ...grpc.CallOption) (*keyservice.EncryptResponse, error) {
	return nil, errors.New("nothing is encrypted here")
}

// Decrypt decrypts a data key, for SOPS.
func (k *Keyring) Decrypt(_ context.Context, in *keyservice.DecryptRequest, _ ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
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

func (k *Keyring) dataKey(tree sops.Tree) ([]byte, error) {
	key, err := tree.Metadata.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{k}, sops.DefaultDecryptionOrder)
	if err != nil {
		return nil, errSealed
	}
	return key, nil
}

// IsSealed says whether decryption failed because no identity matches.
func IsSealed(err error) bool { return errors.Is(err, errSealed) }

// DecryptDocument decrypts a document and returns it in the same format, as text and as SOPS's tree. Like kustomize-controller it does not look at the
// checksum: kustomize may have added fields.
func (k *Keyring) DecryptDocument(content []byte, format formats.Format) (plain []byte, branches sops.TreeBranches, err error) {
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

// DecryptFile decrypts a file in the format of its name, or in the one that its content has.
func (k *Keyring) DecryptFile(name string, content []byte) (plain []byte, branches sops.TreeBranches, format formats.Format, err error) {
	format = FormatFor(name)
	if plain, branches, err = k.DecryptDocument(content, format); err == nil || IsSealed(err) {
		return plain, branches, format, err
	}
	for _, candidate := range formatMarks {
		if bytes.Contains(content, []byte(candidate.mark)) {
			plain, branches, err = k.DecryptDocument(content, candidate.format)
			return plain, branches, candidate.format, err
		}
	}
	return nil, nil, format, err
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

// FormatFor is the format that SOPS and Flux take a file of this name for.
func FormatFor(name string) formats.Format {
	if strings.HasSuffix(name, ".dockerconfigjson") {
		return formats.Json
	}
	return formats.FormatForPath(name)
}

// LooksEncrypted is cheap and errs on the side of yes.
func LooksEncrypted(content []byte) bool {
	return bytes.Contains(content, encryptedMark) && bytes.Contains(content, []byte("sops"))
}

// IsEncryptedFile asks SOPS whether the file has its metadata.
func IsEncryptedFile(name string, content []byte) bool {
	if !LooksEncrypted(content) {
		return false
	}
	_, err := loadEncrypted(name, content)
	return !errors.Is(err, sops.MetadataNotFound)
}

func loadEncrypted(name string, content []byte) (tree sops.Tree, err error) {
	defer recovered(&err)
	return common.StoreForFormat(FormatFor(name), config.NewStoresConfig()).LoadEncryptedFile(content)
}

// LooksSealed says whether a value, or a text, was encrypted by SOPS.
func LooksSealed(text string) bool { return strings.Contains(text, string(encryptedMark)) }
