package schema

import (
	"encoding/json"
	"slices"
	"testing"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// messages are what a check finds in an object, given as YAML.
func messages(t *testing.T, text string, check func(*validator, object)) (found []string) {
	t.Helper()
	body, err := json.Marshal(yamldoc.ParseObject([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	w := &validator{}
	check(w, object{Object: scope.WrapObjects([]protocol.BuiltObject{{Body: body}})[0]}.decode())
	for _, each := range w.found {
		found = append(found, each.Message)
	}
	return found
}

func TestFieldsOfBuiltInObjectsFitTogether(t *testing.T) {
	deployment := "apiVersion: apps/v1\nkind: Deployment\nspec:\n  "
	pod := "apiVersion: v1\nkind: Pod\nspec:\n  "
	service := "apiVersion: v1\nkind: Service\nspec: "
	for text, want := range map[string][]string{
		deployment + "strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}":     {"spec.strategy.rollingUpdate must not be set with the strategy Recreate"},
		deployment + "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}": {"spec.strategy.rollingUpdate.maxUnavailable must not be 0 where maxSurge is 0"},
		deployment + "template: {spec: {restartPolicy: Never}}":                     {"spec.template.spec.restartPolicy must be Always here"},
		"apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {}}}":             {"spec.template.spec.restartPolicy must be OnFailure or Never in a Job, the default is Always"},
		"apiVersion: batch/v1\nkind: CronJob\nspec: {schedule: 'TZ=UTC * * * * *'}": {"spec.schedule must not name a time zone"},
		"apiVersion: batch/v1\nkind: CronJob\nspec: {schedule: '*/5 * * * *'}":      nil,
		service + "{}":                              {"spec.ports is missing"},
		service + "{type: ExternalName}":            {"spec.externalName is missing"},
		service + "{ports: [{port: 1}, {name: b}]}": {"spec.ports[0] has no name, ports need one if there are several"},
		service + "{clusterIP: None}":               nil,
		pod + "containers: []":                      {"spec.containers must have at least one container"},
		pod + "volumes: [{name: a, emptyDir: {}, secret: {secretName: b}}]":                                 {"spec.volumes[a] has more than one source: emptyDir, secret"},
		pod + "containers: [{name: c, volumeMounts: [{name: gone, mountPath: /a}]}]":                        {"spec.containers[c].volumeMounts[0].name \"gone\" is not a volume of the pod"},
		pod + "containers: [{name: c, livenessProbe: {}}]":                                                  {"spec.containers[c].livenessProbe has none of exec, grpc, httpGet and tcpSocket"},
		pod + "containers: [{name: c, livenessProbe: {exec: {}, grpc: {}}}]":                                {"spec.containers[c].livenessProbe has more than one of exec, grpc"},
		"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: {minReplicas: 3, maxReplicas: 2}": {"spec.maxReplicas 2 is less than minReplicas, 3"},
		"apiVersion: policy/v1\nkind: PodDisruptionBudget\nspec: {minAvailable: 1, maxUnavailable: 1}":      {"spec has both minAvailable and maxUnavailable"},
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: {rules: [{http: {paths: [{path: a, pathType: Prefix}, {path: b, pathType: ImplementationSpecific}]}}]}": {
			"spec.rules[0].http.paths[0].path \"a\" must begin with /",
		},
		"apiVersion: apps/v1\nkind: StatefulSet\nspec:\n  volumeClaimTemplates: [{metadata: {name: data}}]\n" +
			"  template: {spec: {containers: [{name: c, volumeMounts: [{name: data, mountPath: /a}]}]}}": nil,
	} {
		if got := messages(t, text, (*validator).builtIn); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q instead of %q", text, got, want)
		}
	}
}
