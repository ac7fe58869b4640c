package cache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
)

// nameOf is the name of what is stored under a key; "" for "".
func nameOf(key string) string {
	if key == "" {
		return ""
	}
	return Digest("name", key)
}

// seal encrypts content so that only who knows the key can read it.
func seal(key string, content []byte) []byte {
	if key == "" {
		return nil
	}
	return cipherFor(key).Seal(nil, nil, content, nil)
}

// unseal gives what was sealed with the key, nil for anything else.
func unseal(key string, sealed []byte) []byte {
	if sealed == nil {
		return nil
	}
	content, err := cipherFor(key).Open(nil, nil, sealed, nil)
	if err != nil {
		return nil
	}
	return content
}

func cipherFor(key string) cipher.AEAD {
	sum := sha256.Sum256([]byte(key))
	block, _ := aes.NewCipher(sum[:]) // fails for keys of other lengths only
	made, _ := cipher.NewGCMWithRandomNonce(block)
	return made
}
