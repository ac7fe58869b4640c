package secrets

import (
	"os"
	"testing"

	"devloop.invalid/toolchain/worker/internal/sops"
)

const files = `kind: Secret
metadata: {name: orders-db}
stringData: {password: hunter2-x, user: orders, host: database, mode: debug, url: "https://a.example", key: "line\nAKIA4711AKIA4711AKIA4711AKIA4711AKIA4711"}
---
kind: HelmRelease
metadata: {name: shop}
spec:
  values:
    adminPassword: from-9-values
    env: [{value: in-9-items, name: API_TOKEN}]
    existingSecret: shop-secret
`

func filter(t *testing.T) *Filter {
	t.Helper()
	keys, err := sops.NewKeyring("")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) ([]byte, error) {
		if name != "debugging/a.yaml" {
			return nil, os.ErrNotExist
		}
		return []byte(files), nil
	}
	return NewFilter(read, keys, []string{"debugging/a.yaml"})
}

func TestMessagesQuoteNoSecret(t *testing.T) {
	for text, want := range map[string]string{
		"it is hunter2-x":                          "it is ***",
		"in Base64 aHVudGVyMi14":                   "in Base64 ***",
		"a database, my-database":                  "a database, my-database",
		"is 'database', host: database":            "is '***', host: ***", // a word only as a value
		"orders in debug":                          "orders in debug",     // a name, and too short
		"https://a.example":                        "https://a.example",
		"from-9-values, in-9-items":                "***, ***",
		"shop-secret":                              "shop-secret",
		"AKIA4711AKIA4711AKIA4711AKIA4711AKIA4711": "***",
	} {
		if got := filter(t).Messages([]string{text})[0]; got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

func TestManifestsStayWhatFluxApplies(t *testing.T) {
	for text, want := range map[string]string{
		"password: hunter2-x":          "password: REDACTED",
		"host: database":               "host: database",
		"adminPassword: from-9-values": "adminPassword: from-9-values",
	} {
		if got := filter(t).Manifests([]string{text})[0]; got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
}
