package helm

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/source"
)

const helmChart = "HelmChart"

// namedChart is the HelmChart that spec.chartRef names, nil where it names none or nothing renders it.
func (w *release) namedChart() *scope.Export {
	if w.text("spec", "chartRef", "kind") != helmChart {
		return nil
	}
	namespace := cmp.Or(w.text("spec", "chartRef", "namespace"), w.object.GetNamespace())
	return w.scope.Find(scope.Key(helmChart, namespace, w.text("spec", "chartRef", "name")))
}

// chartSpec says where the chart is: the template in the HelmRelease, or the HelmChart; nil where the artifact is the chart.
func (w *release) chartSpec() map[string]any {
	if w.chartOf != nil {
		return w.chartOf
	}
	spec, _, _ := unstructured.NestedMap(w.object.Object, "spec", "chart", "spec")
	return spec
}

// packed loads an artifact as the packed chart that helm-controller takes it for: the chart is what is below its top folder.
func (w *release) packed() (*chart.Chart, error) {
	content, err := w.archive()
	if err != nil {
		return nil, err
	}
	loaded, err := loader.LoadArchive(bytes.NewReader(content))
	if err != nil && w.folder == "" {
		message := fmt.Sprintf("the artifact has no folder with a Chart.yaml (%v)", err)
		hint := "Helm strips the top folder: copy the chart into one, as in to: \"@artifact/NAME/\""
		return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: message, Hint: hint, Field: []any{"spec", "chartRef"}}
	}
	if err != nil {
		return nil, err
	}
	return loaded, addRevision(loaded, unknownDigest)
}

// archive is the artifact as source-controller serves it; the folder of the chart is the one with the Chart.yaml.
func (w *release) archive() ([]byte, error) {
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	packed := tar.NewWriter(zipped)
	err := w.view.Walk(source.Mount, func(name string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := w.view.ReadOriginal(name)
		if err != nil {
			return err
		}
		relative, _ := source.Within(name)
		if path.Base(name) == "Chart.yaml" && strings.Count(relative, "/") == 1 && w.folder == "" {
			w.folder = path.Dir(name)
		}
		header := &tar.Header{Name: relative, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		_, err = packed.Write(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := packed.Close(); err != nil {
		return nil, err
	}
	err = zipped.Close()
	return buffer.Bytes(), err
}

// unknownDigest replaces the part of a digest or a commit in a chart's version, which is only known once it is published.
const unknownDigest = "abcdef012345"

// revisionOf is what source-controller adds to the version of a chart from a repository.
func revisionOf(spec map[string]any) string {
	var parts []string
	if kind, _, _ := unstructured.NestedString(spec, "sourceRef", "kind"); spec["reconcileStrategy"] == "Revision" && kind != "HelmRepository" {
		parts = append(parts, unknownDigest)
	}
	if names, _, _ := unstructured.NestedSlice(spec, "valuesFiles"); len(names) > 0 {
		parts = append(parts, "1") // the generation of the HelmChart
	}
	return strings.Join(parts, ".")
}

func addRevision(loaded *chart.Chart, revision string) error {
	if revision == "" {
		return nil
	}
	version, err := semver.NewVersion(loaded.Metadata.Version)
	if err != nil {
		return fmt.Errorf("the version %s of the chart is not a semantic version", loaded.Metadata.Version)
	}
	complete, err := version.SetMetadata(revision)
	loaded.Metadata.Version = complete.String()
	return err
}
