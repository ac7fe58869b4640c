package mask

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestHiddenNamesAreShownAsVariables(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                         "plain",
		Hide("A"):                       "${A}",
		"x-" + Hide("A_1") + "-y":       "x-${A_1}-y",
		Hide("A") + Hide("B"):           "${A}${B}",
		Hide("A")[4:]:                   "${A}", // a library cut the start off
		Hide("A") + "." + Hide("B")[4:]: "${A}.${B}",
	} {
		if got, hidden := Reveal(text); got != want || hidden != (text != "plain") {
			t.Errorf("%q: got %q, %v, want %q", text, got, hidden, want)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	encrypted := "ENC[AES256_GCM,data:x]"
	before := map[string]any{"data": map[string]any{"key": encrypted, "plain": "cGxhaW4="}}
	object := map[string]any{"data": map[string]any{"key": "c2VjcmV0", "plain": "cGxhaW4=", "name": "bmFtZQ=="}, "team": Hide("TEAM")}
	masker := &Masker{IsSecret: true, Secrets: Secrets{"name": true}}
	got, err := json.Marshal(masker.Value("", object, before))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"data":{"key":"KipTT1BTKio=","name":"KipTT1BTKio=","plain":"cGxhaW4="},"team":"${TEAM}"}`
	if string(got) != want || !slices.Equal(masker.Unknown, []string{"/team"}) {
		t.Errorf("got %s with %v unknown, want %s", got, masker.Unknown, want)
	}
}

func TestSecretsInTexts(t *testing.T) {
	secrets := Secrets{"short": true, "a-long-password": true}
	for text, want := range map[string]bool{"short": true, " short\n": true, "is short": false, "x a-long-password y": true, "": false} {
		if got := secrets.Contains(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
