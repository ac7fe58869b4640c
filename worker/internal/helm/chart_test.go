package helm

import (
	"testing"

	chart "helm.sh/helm/v4/pkg/chart/v2"
)

func TestADependencyHasTheVersionThatTheChartNeeds(t *testing.T) {
	for wanted, want := range map[string]bool{"1.2.3": true, "^1.0.0": true, ">=1 <2": true, "~1.3.0": false, "one": false} {
		found := &chart.Chart{Metadata: &chart.Metadata{Version: "1.2.3"}}
		if err := fits(&chart.Dependency{Name: "db", Version: wanted}, found); (err == nil) != want {
			t.Errorf("%s: %v", wanted, err)
		}
	}
}

func TestWhatSourceControllerAddsToTheVersionOfAChart(t *testing.T) {
	for _, each := range []struct {
		spec map[string]any
		want string
	}{
		{map[string]any{}, "0.1.0"},
		{map[string]any{"valuesFiles": []any{"a.yaml"}}, "0.1.0+1"},
		{map[string]any{"reconcileStrategy": "Revision", "valuesFiles": []any{"a.yaml"}}, "0.1.0+" + unknownDigest + ".1"},
		{map[string]any{"reconcileStrategy": "Revision", "sourceRef": map[string]any{"kind": "HelmRepository"}}, "0.1.0"},
	} {
		loaded := &chart.Chart{Metadata: &chart.Metadata{Version: "0.1.0"}}
		if err := addRevision(loaded, revisionOf(each.spec)); err != nil || loaded.Metadata.Version != each.want {
			t.Errorf("%v: got %s, %v", each.spec, loaded.Metadata.Version, err)
		}
	}
}

func TestOnlySchemasThatHelmHasAreChecked(t *testing.T) {
	for schema, want := range map[string]bool{
		`{"$schema": "https://json-schema.org/draft/2020-12/schema"}`: false,
		`{"$schema": "http://json-schema.org/draft-07/schema#"}`:      false,
		`{"$ref": "#/definitions/a"}`:                                 false,
		`{"$ref": "https://example.com/a.json"}`:                      true,
		`{"$ref": "file:///etc/passwd"}`:                              true,
	} {
		if got := fetchesSchema(&chart.Chart{Schema: []byte(schema)}); got != want {
			t.Errorf("%s: %v", schema, got)
		}
	}
}
