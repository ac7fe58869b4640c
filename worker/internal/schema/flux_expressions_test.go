package schema

import (
	"strings"
	"testing"
)

func TestExpressionsAreCompiledAsFluxDoes(t *testing.T) {
	kustomization := "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: "
	receiver := "apiVersion: notification.toolkit.fluxcd.io/v1\nkind: Receiver\nspec: "
	for text, want := range map[string]string{
		kustomization + "{healthCheckExprs: [{current: 'status.ready == true'}]}":                                   "",
		kustomization + "{healthCheckExprs: [{current: 'unknown.field'}]}":                                          "",
		kustomization + "{healthCheckExprs: [{failed: 'status.ready =='}]}":                                         "spec.healthCheckExprs[0].failed is not valid CEL, column 16: it ends too early",
		kustomization + "{dependsOn: [{name: a, readyExpr: 'dep.status.x == 1'}]}":                                  "",
		kustomization + "{dependsOn: [{name: a, readyExpr: 'other.x'}]}":                                            "undeclared reference to 'other'",
		kustomization + "{dependsOn: [{name: a, readyExpr: '1 + 1'}]}":                                              "must be true or false, it is of type int",
		kustomization + "{dependsOn: [{name: a, readyExpr: '${EXPRESSION} =='}]}":                                   "",
		receiver + "{resourceFilter: 'req.name == res.name'}":                                                       "",
		receiver + "{resourceFilter: 'claims.sub == \"a\"'}":                                                        "undeclared reference to 'claims'",
		receiver + "{type: generic-oidc, resourceFilter: 'claims.sub == \"a\"'}":                                    "",
		receiver + "{resources: [{kind: A, filter: 'gone.x'}]}":                                                     "undeclared reference to 'gone'",
		receiver + "{oidcProviders: [{variables: [{name: a, expression: '1'}], validations: [{expression: '1'}]}]}": "validations[0].expression must be true or false",
		"apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nspec: {commitStatusExpr: '1'}":         "spec.commitStatusExpr must be a text, it is of type int",
		"apiVersion: example.com/v1\nkind: Receiver\nspec: {resourceFilter: 'broken ('}":                            "",
	} {
		got := strings.Join(messages(t, text, (*validator).fluxExpressions), "; ")
		if got == "" != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s:\n%q instead of %q", text, got, want)
		}
	}
}
