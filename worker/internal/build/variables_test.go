package build

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/provider"

	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

func kustomization(postBuild string) unstructured.Unstructured {
	text := "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a, namespace: b}\nspec: {postBuild: " + postBuild + "}\n"
	return unstructured.Unstructured{Object: yamldoc.ParseObject([]byte(text))}
}

func TestSourcesOfVariables(t *testing.T) {
	found, err := references(kustomization("{substituteFrom: [{kind: Secret, name: x}, {kind: ConfigMap, name: z, optional: true}]}"))
	if want := []reference{{"Secret/b/x", false}, {"ConfigMap/b/z", true}}; err != nil || !slices.Equal(found, want) {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestWhatIsSubstituted(t *testing.T) {
	factory := provider.NewDefaultDepProvider().GetResourceFactory()
	optional, required := []variableSource{{nil, true}}, []variableSource{{nil, false}}
	for _, each := range []struct {
		postBuild            string
		sources              []variableSource
		text, want, complain string
	}{
		{"{substitute: {A: x}}", nil, "${A} ${B:=z}", "x z", ""},
		{"{substitute: {A: x}}", nil, "${B}", mask.Hide("B"), "the variable B is not defined"},
		{"{substitute: {A: x}}", optional, "${B}", mask.Hide("B"), ""},
		{"{substitute: {}}", nil, "${B:=z}", "${B:=z}", ""},
		{"{substituteFrom: [{}]}", optional, "${B:=z}", "${B:=z}", ""},
		{"{substituteFrom: [{}]}", required, "${B:=z}", "z", ""},
		{"{substituteStrategy: Always}", nil, "${B:=z}", "z", ""},
	} {
		res, err := factory.FromMap(map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "data": map[string]any{"text": each.text},
		})
		if err != nil {
			t.Fatal(err)
		}
		variables, err := variablesOf(kustomization(each.postBuild), each.sources, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := variables.substitute(res, variables.shown); err != nil {
			t.Errorf("%s: %v", each.text, err)
		}
		complaint := ""
		if variables.undefined != nil {
			complaint = variables.undefined.Message
		}
		if got := res.GetDataMap()["text"]; got != each.want || complaint != each.complain {
			t.Errorf("%s with %s: got %s, %q", each.text, each.postBuild, got, complaint)
		}
	}
}

func TestValuesOfVariablesAreStrings(t *testing.T) {
	for postBuild, want := range map[string]string{
		"{substitute: {A: x, B: 'true'}}":     "",
		"{substitute: {A: x, C: 1, B: true}}": "the value of the variable B must be a string",
		"{substitute: {a-b: x}}":              `"a-b" is no name for a variable`,
	} {
		_, err := variablesOf(kustomization(postBuild), nil, true)
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: %v", postBuild, err)
		}
	}
}
