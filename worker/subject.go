package main

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// subject is one rendered object under judgement.
type subject struct {
	world                          *world
	rendered                       *rendered
	owner                          string
	index                          int
	group, version, kind, resource string
	namespace, name                string
	namespaced                     bool
	labels                         labelSet
	marking                        sync.Once
	marked                         map[string]any
	partial                        bool
	admitting                      sync.Once
	admitted                       map[string]any
	admittedPartial                bool
	refusal                        string
}

func itoa(number int) string { return strconv.Itoa(number) }

func newSubject(w *world, owner string, index int, object *rendered) *subject {
	body := object.body()
	apiVersion, _ := body["apiVersion"].(string)
	kind, _ := body["kind"].(string)
	metadata, _ := body["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	return &subject{
		world: w, rendered: object, owner: owner, index: index, group: group, version: version, kind: kind, name: name, namespace: namespace,
	}
}

// settle finds out what needs the whole world: the resource's name and scope, which a CustomResourceDefinition may tell.
func (s *subject) settle() {
	if known, ok := s.world.resources[[2]string{s.group, s.kind}]; ok {
		s.resource, s.namespaced = known.plural, known.namespaced
	} else {
		guess, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Group: s.group, Version: s.version, Kind: s.kind})
		s.resource = guess.Resource
		s.namespaced = s.namespace != "" || isBuiltIn(s.group) && !isClusterScoped(s.group, s.kind)
	}
	if s.namespaced && s.namespace == "" {
		s.namespace = "default"
	}
	s.labels = labelsOf(s.rendered.body(), s.rendered.Unknown)
}

func (s *subject) reference() *reference { return &reference{Owner: s.owner, Index: s.index} }

// manifest is the object as it was rendered, what is not known in it marked as such; says whether there is something. Nobody may change it.
func (s *subject) manifest() (map[string]any, bool) {
	s.marking.Do(func() {
		s.marked = s.rendered.body()
		if len(s.rendered.Unknown) > 0 || mayBeMasked(s.rendered.Body) {
			s.marked, s.partial = withUnknowns(s.marked, s.rendered.Unknown)
		}
	})
	return s.marked, s.partial
}

var maskedEncoded = base64.StdEncoding.EncodeToString([]byte(masked))

func mayBeMasked(body []byte) bool {
	return bytes.Contains(body, []byte(masked)) || bytes.Contains(body, []byte(maskedEncoded)) ||
		bytes.Contains(body, []byte(maskFor("/.dockerconfigjson", true)))
}

func isMasked(value string) bool {
	return strings.Contains(value, masked) || value == maskedEncoded || value == maskFor("/.dockerconfigjson", true)
}

// labelSet is the labels of an object; unknown are those whose values are not known here, others says that there may be more.
type labelSet struct {
	known   map[string]string
	unknown map[string]bool
	others  bool
}

func labelsOf(body map[string]any, pointers []string) labelSet {
	metadata, _ := body["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	set := labelSet{known: make(map[string]string, len(labels)), unknown: map[string]bool{}}
	for key, value := range labels {
		set.known[key], _ = value.(string)
	}
	for _, pointer := range pointers {
		if key, ok := strings.CutPrefix(pointer, "/metadata/labels/"); ok {
			key = pointerUnescapes.Replace(key)
			set.unknown[key] = true
			set.others = set.others || strings.Contains(key, "${")
		}
	}
	return set
}

var pointerUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

// builtInGroups end in k8s.io, or are these; what custom resources use of k8s.io has a CustomResourceDefinition or is not known.
var builtInGroups = map[string]bool{
	"": true, "apps": true, "batch": true, "autoscaling": true, "policy": true, "networking.k8s.io": true, "rbac.authorization.k8s.io": true,
	"storage.k8s.io": true, "scheduling.k8s.io": true, "node.k8s.io": true, "coordination.k8s.io": true, "discovery.k8s.io": true,
	"apiextensions.k8s.io": true, "apiregistration.k8s.io": true, "admissionregistration.k8s.io": true, "certificates.k8s.io": true,
	"flowcontrol.apiserver.k8s.io": true, "resource.k8s.io": true, "events.k8s.io": true,
}

func isBuiltIn(group string) bool { return builtInGroups[group] }

// The cluster-scoped kinds of Kubernetes 1.36 that a repository may hold, by group.
var clusterScoped = map[string][]string{
	"":                             {"Namespace", "Node", "PersistentVolume"},
	"networking.k8s.io":            {"IngressClass", "IPAddress", "ServiceCIDR"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"storage.k8s.io":               {"StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "VolumeAttributesClass"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"node.k8s.io":                  {"RuntimeClass"},
	"apiextensions.k8s.io":         {"CustomResourceDefinition"},
	"apiregistration.k8s.io":       {"APIService"},
	"admissionregistration.k8s.io": {"*"},
	"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
	"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
	"resource.k8s.io":              {"DeviceClass", "ResourceSlice"},
}

func isClusterScoped(group, kind string) bool {
	for _, each := range clusterScoped[group] {
		if each == kind || each == "*" {
			return true
		}
	}
	return false
}
