package schema

import "strings"

// What Kubernetes' own definitions leave to the API server's code: the words that a field may hold, and the range of a number. Words after
// the constants of k8s.io/api that are marked +enum, ranges after k8s.io/kubernetes/pkg/apis/*/validation. Only what has been closed in
// every version since 1.25; fields in the form <definition>.<field>.
var fieldWords = map[string]string{
	"admissionregistration.v1.MatchResources.matchPolicy":                             "Exact Equivalent",
	"admissionregistration.v1.MutatingWebhook.failurePolicy":                          "Ignore Fail",
	"admissionregistration.v1.MutatingWebhook.matchPolicy":                            "Exact Equivalent",
	"admissionregistration.v1.MutatingWebhook.reinvocationPolicy":                     "Never IfNeeded",
	"admissionregistration.v1.MutatingWebhook.sideEffects":                            "None NoneOnDryRun",
	"admissionregistration.v1.RuleWithOperations.scope":                               "Cluster Namespaced *",
	"admissionregistration.v1.RuleWithOperations.operations":                          "* CREATE UPDATE DELETE CONNECT",
	"admissionregistration.v1.ValidatingAdmissionPolicySpec.failurePolicy":            "Ignore Fail",
	"admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.validationActions": "Deny Warn Audit",
	"admissionregistration.v1.ValidatingWebhook.failurePolicy":                        "Ignore Fail",
	"admissionregistration.v1.ValidatingWebhook.matchPolicy":                          "Exact Equivalent",
	"admissionregistration.v1.ValidatingWebhook.sideEffects":                          "None NoneOnDryRun",
	"apps.v1.DaemonSetUpdateStrategy.type":                                            "RollingUpdate OnDelete",
	"apps.v1.DeploymentStrategy.type":                                                 "Recreate RollingUpdate",
	"apps.v1.StatefulSetSpec.podManagementPolicy":                                     "OrderedReady Parallel",
	"apps.v1.StatefulSetUpdateStrategy.type":                                          "RollingUpdate OnDelete",
	"autoscaling.v2.MetricSpec.type":                                                  "Object Pods Resource ContainerResource External",
	"autoscaling.v2.MetricTarget.type":                                                "Utilization Value AverageValue",
	"batch.v1.CronJobSpec.concurrencyPolicy":                                          "Allow Forbid Replace",
	"batch.v1.JobSpec.completionMode":                                                 "NonIndexed Indexed",
	"batch.v1.PodFailurePolicyOnExitCodesRequirement.operator":                        "In NotIn",
	"batch.v1.PodFailurePolicyRule.action":                                            "FailJob FailIndex Ignore Count",
	"core.v1.Container.imagePullPolicy":                                               "Always Never IfNotPresent",
	"core.v1.Container.terminationMessagePolicy":                                      "File FallbackToLogsOnError",
	"core.v1.ContainerPort.protocol":                                                  "TCP UDP SCTP",
	"core.v1.HTTPGetAction.scheme":                                                    "HTTP HTTPS",
	"core.v1.HostPathVolumeSource.type":                                               "DirectoryOrCreate Directory FileOrCreate File Socket CharDevice BlockDevice",
	"core.v1.NodeSelectorRequirement.operator":                                        "In NotIn Exists DoesNotExist Gt Lt",
	"core.v1.PersistentVolumeClaimSpec.accessModes":                                   "ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod",
	"core.v1.PersistentVolumeClaimSpec.volumeMode":                                    "Block Filesystem",
	"core.v1.PersistentVolumeSpec.accessModes":                                        "ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod",
	"core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy":                      "Recycle Delete Retain",
	"core.v1.PersistentVolumeSpec.volumeMode":                                         "Block Filesystem",
	"core.v1.PodSecurityContext.fsGroupChangePolicy":                                  "OnRootMismatch Always",
	"core.v1.PodSpec.dnsPolicy":                                                       "ClusterFirstWithHostNet ClusterFirst Default None",
	"core.v1.PodSpec.preemptionPolicy":                                                "PreemptLowerPriority Never",
	"core.v1.PodSpec.restartPolicy":                                                   "Always OnFailure Never",
	"core.v1.SeccompProfile.type":                                                     "Unconfined RuntimeDefault Localhost",
	"core.v1.SecurityContext.procMount":                                               "Default Unmasked",
	"core.v1.ServicePort.protocol":                                                    "TCP UDP SCTP",
	"core.v1.ServiceSpec.externalTrafficPolicy":                                       "Cluster Local",
	"core.v1.ServiceSpec.internalTrafficPolicy":                                       "Cluster Local",
	"core.v1.ServiceSpec.ipFamilies":                                                  "IPv4 IPv6",
	"core.v1.ServiceSpec.ipFamilyPolicy":                                              "SingleStack PreferDualStack RequireDualStack",
	"core.v1.ServiceSpec.sessionAffinity":                                             "ClientIP None",
	"core.v1.ServiceSpec.type":                                                        "ClusterIP NodePort LoadBalancer ExternalName",
	"core.v1.Taint.effect":                                                            "NoSchedule PreferNoSchedule NoExecute",
	"core.v1.Toleration.effect":                                                       "NoSchedule PreferNoSchedule NoExecute",
	"core.v1.TopologySpreadConstraint.whenUnsatisfiable":                              "DoNotSchedule ScheduleAnyway",
	"core.v1.VolumeMount.mountPropagation":                                            "None HostToContainer Bidirectional",
	"meta.v1.LabelSelectorRequirement.operator":                                       "In NotIn Exists DoesNotExist",
	"networking.v1.HTTPIngressPath.pathType":                                          "Exact Prefix ImplementationSpecific",
	"networking.v1.NetworkPolicyPort.protocol":                                        "TCP UDP SCTP",
	"networking.v1.NetworkPolicySpec.policyTypes":                                     "Ingress Egress",
	"policy.v1.PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy":                    "IfHealthyBudget AlwaysAllow",
	"rbac.v1.RoleRef.kind":                                                            "Role ClusterRole",
	"rbac.v1.Subject.kind":                                                            "User Group ServiceAccount",
	"storage.v1.StorageClass.reclaimPolicy":                                           "Delete Retain",
	"storage.v1.StorageClass.volumeBindingMode":                                       "Immediate WaitForFirstConsumer",
}

type numbers struct{ least, most float64 }

const (
	anyMost    = 1<<31 - 1
	lastPort   = 65535
	mostWeight = 100
)

var fieldRanges = map[string]numbers{
	"apps.v1.DeploymentSpec.minReadySeconds":                 {0, anyMost},
	"apps.v1.DeploymentSpec.progressDeadlineSeconds":         {0, anyMost},
	"apps.v1.DeploymentSpec.replicas":                        {0, anyMost},
	"apps.v1.DeploymentSpec.revisionHistoryLimit":            {0, anyMost},
	"apps.v1.ReplicaSetSpec.replicas":                        {0, anyMost},
	"apps.v1.StatefulSetSpec.replicas":                       {0, anyMost},
	"autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas": {1, anyMost},
	"autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas": {0, anyMost},
	"batch.v1.CronJobSpec.failedJobsHistoryLimit":            {0, anyMost},
	"batch.v1.CronJobSpec.startingDeadlineSeconds":           {0, anyMost},
	"batch.v1.CronJobSpec.successfulJobsHistoryLimit":        {0, anyMost},
	"batch.v1.JobSpec.activeDeadlineSeconds":                 {0, anyMost},
	"batch.v1.JobSpec.backoffLimit":                          {0, anyMost},
	"batch.v1.JobSpec.completions":                           {0, anyMost},
	"batch.v1.JobSpec.parallelism":                           {0, anyMost},
	"batch.v1.JobSpec.ttlSecondsAfterFinished":               {0, anyMost},
	"core.v1.ContainerPort.containerPort":                    {1, lastPort},
	"core.v1.ContainerPort.hostPort":                         {0, lastPort},
	"core.v1.PodSpec.activeDeadlineSeconds":                  {1, anyMost},
	"core.v1.PodSpec.terminationGracePeriodSeconds":          {0, anyMost},
	"core.v1.PreferredSchedulingTerm.weight":                 {1, mostWeight},
	"core.v1.Probe.failureThreshold":                         {0, anyMost},
	"core.v1.Probe.initialDelaySeconds":                      {0, anyMost},
	"core.v1.Probe.periodSeconds":                            {0, anyMost},
	"core.v1.Probe.successThreshold":                         {0, anyMost},
	"core.v1.Probe.timeoutSeconds":                           {0, anyMost},
	"core.v1.ServicePort.nodePort":                           {0, lastPort},
	"core.v1.ServicePort.port":                               {1, lastPort},
	"core.v1.TopologySpreadConstraint.maxSkew":               {1, anyMost},
	"core.v1.WeightedPodAffinityTerm.weight":                 {1, mostWeight},
}

// addLimits puts words and ranges into the fields of a definition such as io.k8s.api.core.v1.Container.
func addLimits(name string, s *schema) {
	parts := strings.Split(name, ".")
	prefix := strings.Join(parts[max(0, len(parts)-3):], ".") + "."
	for field, property := range s.Properties {
		if words, ok := fieldWords[prefix+field]; ok && property.Ref == "" {
			limited := property
			if property.Items != nil {
				limited = property.Items
			}
			limited.blank = true
			for _, word := range strings.Fields(words) {
				limited.Enum = append(limited.Enum, word)
			}
		}
		if limits, ok := fieldRanges[prefix+field]; ok && property.Ref == "" {
			property.Minimum, property.Maximum = &limits.least, &limits.most
		}
	}
}
