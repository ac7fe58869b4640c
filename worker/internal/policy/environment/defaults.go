package environment

import (
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsv1 "k8s.io/kubernetes/pkg/apis/apps/v1"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	autoscalingv1 "k8s.io/kubernetes/pkg/apis/autoscaling/v1"
	autoscalingv2 "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchv1 "k8s.io/kubernetes/pkg/apis/batch/v1"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkingv1 "k8s.io/kubernetes/pkg/apis/networking/v1"
	policyapi "k8s.io/kubernetes/pkg/apis/policy"
	policyv1 "k8s.io/kubernetes/pkg/apis/policy/v1"
	"k8s.io/kubernetes/pkg/apis/rbac"
	rbacv1 "k8s.io/kubernetes/pkg/apis/rbac/v1"
	"k8s.io/kubernetes/pkg/apis/scheduling"
	schedulingv1 "k8s.io/kubernetes/pkg/apis/scheduling/v1"
	"k8s.io/kubernetes/pkg/apis/storage"
	storagev1 "k8s.io/kubernetes/pkg/apis/storage/v1"
)

// builtInKinds are the built-in kinds whose defaults and conversions are the server's own code. Policies are not asked about others.
var builtInKinds = []func(*runtime.Scheme) error{
	core.AddToScheme, corev1.AddToScheme,
	apps.AddToScheme, appsv1.AddToScheme,
	batch.AddToScheme, batchv1.AddToScheme,
	networking.AddToScheme, networkingv1.AddToScheme,
	rbac.AddToScheme, rbacv1.AddToScheme,
	policyapi.AddToScheme, policyv1.AddToScheme,
	autoscaling.AddToScheme, autoscalingv1.AddToScheme, autoscalingv2.AddToScheme,
	scheduling.AddToScheme, schedulingv1.AddToScheme,
	storage.AddToScheme, storagev1.AddToScheme,
}

// ServerScheme knows the built-in kinds with the API server's defaults and conversions.
var ServerScheme = sync.OnceValue(func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range builtInKinds {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
})

// filledIn are the fields that the server's registries and admission plugins set, by kind, [] for every item of a list. With an
// exclamation mark they change what is there; the others are only filled in where nothing is, and not always.
var filledIn = map[string][]string{
	"Pod": {
		"status!", "spec.volumes!", "spec.tolerations!", "spec.priority!", "spec.preemptionPolicy!", "spec.serviceAccountName",
		"spec.serviceAccount", "spec.imagePullSecrets", "spec.overhead", "spec.nodeSelector", "spec.containers.[].volumeMounts!",
		"spec.containers.[].resources", "spec.containers.[].imagePullPolicy", "spec.initContainers.[].volumeMounts!",
		"spec.initContainers.[].resources",
	},
	"Service": {
		"spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy", "spec.healthCheckNodePort", "spec.ports.[].nodePort",
	},
	"PersistentVolumeClaim": {"spec.storageClassName", "metadata.finalizers!"},
	"PersistentVolume":      {"metadata.finalizers!"},
	"Namespace":             {"spec!", "status!"},
	"Ingress":               {"spec.ingressClassName"},
	"Job":                   {"spec.selector!", "spec.template.metadata.labels!"},
	"ServiceAccount":        {"secrets"},
}
