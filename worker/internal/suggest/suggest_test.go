package suggest

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"image", "imagePullPolicy", "name", "ports", "resources"}
	for name, want := range map[string]string{
		"Image": "image", "imgae": "image", "port": "ports", "resource": "resources", "imagepullpolicy": "imagePullPolicy", "nmae": "name",
		"volumeMounts": "", "x": "", "": "",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
