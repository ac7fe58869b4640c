package schema

import (
	"encoding/json"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"regexp"
	"strings"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
)

// schema is what may stand at one place of an object: of Kubernetes' own definitions (JSON Schema without combinations) and of a
// CustomResourceDefinition (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/).
type schema struct {
	Ref           string             `json:"$ref"`
	Type          typeList           `json:"type"`
	Nullable      bool               `json:"nullable"`
	Properties    map[string]*schema `json:"properties"`
	Required      []string           `json:"required"`
	Items         *schema            `json:"items"`
	Additional    *schemaOrBool      `json:"additionalProperties"`
	Enum          []any              `json:"enum"`
	Pattern       string             `json:"pattern"`
	Format        string             `json:"format"`
	Default       json.RawMessage    `json:"default"`
	AllOf         []*schema          `json:"allOf"`
	AnyOf         []*schema          `json:"anyOf"`
	OneOf         []*schema          `json:"oneOf"`
	Not           *schema            `json:"not"`
	Minimum       *float64           `json:"minimum"`
	Maximum       *float64           `json:"maximum"`
	AboveMinimum  bool               `json:"exclusiveMinimum"`
	BelowMaximum  bool               `json:"exclusiveMaximum"`
	MultipleOf    *float64           `json:"multipleOf"`
	MinLength     *int               `json:"minLength"`
	MaxLength     *int               `json:"maxLength"`
	MinItems      *int               `json:"minItems"`
	MaxItems      *int               `json:"maxItems"`
	MinProperties *int               `json:"minProperties"`
	MaxProperties *int               `json:"maxProperties"`
	UniqueItems   bool               `json:"uniqueItems"`
	ListType      string             `json:"x-kubernetes-list-type"`
	ListKeys      []string           `json:"x-kubernetes-list-map-keys"`
	Preserve      bool               `json:"x-kubernetes-preserve-unknown-fields"`
	IntOrString   bool               `json:"x-kubernetes-int-or-string"`
	Embedded      bool               `json:"x-kubernetes-embedded-resource"`
	Kinds         []kubernetes.Kind  `json:"x-kubernetes-group-version-kind"`

	pattern     *regexp.Regexp
	quantity    bool
	blank       bool // an empty text is as good as none
	refusesNull bool // as custom resources do, unless nullable or with a default
	defaults    bool // there is a default here or further down
	defaultsTo  any
}

// schemaOrBool: without a schema anything is allowed, or nothing when closed.
type schemaOrBool struct {
	schema *schema
	closed bool
}

func (s *schemaOrBool) UnmarshalJSON(content []byte) error {
	switch string(content) {
	case "true":
		return nil
	case "false":
		s.closed = true
		return nil
	}
	return json.Unmarshal(content, &s.schema)
}

// typeList are one text or several.
type typeList []string

func (w *typeList) UnmarshalJSON(content []byte) error {
	if strings.HasPrefix(string(content), "[") {
		return json.Unmarshal(content, (*[]string)(w))
	}
	var one string
	err := json.Unmarshal(content, &one)
	*w = typeList{one}
	return err
}

// compile prepares a schema and all below it once, so that checking only reads.
func (s *schema) compile() {
	if s == nil {
		return
	}
	s.mergeTypes()
	if s.Pattern != "" {
		s.pattern, _ = regexp.Compile(s.Pattern) // the API server would refuse the definition; then there is nothing to check
	}
	if len(s.Default) > 0 {
		s.defaults = kubejson.Unmarshal(s.Default, &s.defaultsTo) == nil
	}
	for _, below := range s.below() {
		below.compile()
		s.defaults = s.defaults || below.defaults
	}
}

// mergeTypes: Kubernetes' own definitions say "an integer or a text" as two forms; there they mean no more than the types.
func (s *schema) mergeTypes() {
	var types typeList
	for _, form := range s.OneOf {
		if len(form.Type) == 0 || form.Pattern != "" || form.Properties != nil || len(form.Required) > 0 {
			return
		}
		types = append(types, form.Type...)
	}
	if len(types) > 0 {
		s.Type, s.OneOf = append(s.Type, types...), nil
	}
}

func (s *schema) below() []*schema {
	below := make([]*schema, 0, len(s.Properties)+2)
	for _, property := range s.Properties {
		below = append(below, property)
	}
	if s.Items != nil {
		below = append(below, s.Items)
	}
	if s.Additional != nil && s.Additional.schema != nil {
		below = append(below, s.Additional.schema)
	}
	for _, forms := range [][]*schema{s.AllOf, s.AnyOf, s.OneOf} {
		below = append(below, forms...)
	}
	if s.Not != nil {
		below = append(below, s.Not)
	}
	return below
}

// refuseNulls: server-side apply takes null out of built-in objects, but not out of custom resources.
func (s *schema) refuseNulls() {
	s.refusesNull = !s.Nullable && len(s.Default) == 0 && len(s.Type) > 0
	for _, below := range s.below() {
		below.refuseNulls()
	}
}

func (s *schema) open() bool {
	return s.Preserve || s.Additional != nil && !s.Additional.closed || s.Properties == nil && s.Additional == nil && !s.Embedded
}
