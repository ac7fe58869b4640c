package helm

import "testing"

func TestItemsOfListsAreObjects(t *testing.T) {
	text := "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Service}\n- kind: List\n  items: [{apiVersion: v1, kind: Secret}]\n"
	objects, err := parsedManifests([]manifest{{"a.yaml", text}, {"b.yaml", "# nothing\n"}})
	if err != nil || len(objects) != 2 || objects[1].object["kind"] != "Secret" || objects[1].origin != "a.yaml" {
		t.Errorf("got %v, %v", objects, err)
	}
	if _, err := parsedManifests([]manifest{{"a.yaml", "kind: Service\n"}}); err == nil {
		t.Error("an object without an apiVersion passes")
	}
}
