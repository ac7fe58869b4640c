package jsonpointer

import "testing"

func TestEscape(t *testing.T) {
	for key, want := range map[string]string{"a": "a", "a/b": "a~1b", "~1": "~01", "": ""} {
		if got := Escape(key); got != want || Unescape(got) != key {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}
