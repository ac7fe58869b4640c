package helm

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net/url"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

func init() {
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler)) // Helm logs values
}

// chart loads the chart as source-controller would package it: with the values files that are named and its dependencies.
func (w *release) chart() (*chart.Chart, error) {
	spec := w.chartSpec()
	if spec == nil {
		return w.packed()
	}
	name, _ := spec["chart"].(string)
	w.folder = path.Join(source.Mount, path.Clean("/"+name))
	if !w.view.Exists(w.folder) {
		return nil, w.view.Missing(w.folder, "the chart "+name)
	}
	loaded, err := w.load(w.folder)
	if err != nil {
		return nil, err
	}
	if err := addRevision(loaded, revisionOf(spec)); err != nil {
		return nil, err
	}
	if err := w.overwriteValues(loaded, spec); err != nil {
		return nil, err
	}
	return loaded, w.addDependencies(loaded, w.folder)
}

func (w *release) load(folder string) (*chart.Chart, error) {
	if !w.view.IsDir(folder) {
		content, err := w.view.ReadOriginal(folder)
		if err != nil {
			return nil, err
		}
		return loader.LoadArchive(bytes.NewReader(content))
	}
	rules, err := w.ignored(folder)
	if err != nil {
		return nil, err
	}
	var files []*archive.BufferedFile
	err = w.view.Walk(folder, func(name string, info fs.FileInfo, err error) error {
		relative := strings.TrimPrefix(name, folder+"/")
		switch {
		case err != nil:
			return err
		case name == folder:
			return nil
		case rules.Ignore(relative, info) && info.IsDir():
			return fs.SkipDir
		case info.IsDir() || rules.Ignore(relative, info):
			return nil
		}
		content, err := w.view.ReadOriginal(name)
		if err == nil {
			files = append(files, &archive.BufferedFile{Name: relative, Data: bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

func (w *release) ignored(folder string) (*ignore.Rules, error) {
	rules := ignore.Empty()
	if content, err := w.view.ReadOriginal(path.Join(folder, ignore.HelmIgnore)); err == nil {
		parsed, err := ignore.Parse(bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		rules = parsed
	}
	rules.AddDefaults()
	return rules, nil
}

// overwriteValues: the files count from the source's root, and take the place of the chart's own values.yaml.
func (w *release) overwriteValues(loaded *chart.Chart, spec map[string]any) error {
	names, _, _ := unstructured.NestedStringSlice(spec, "valuesFiles")
	if len(names) == 0 {
		return nil
	}
	merged := map[string]any{}
	for _, name := range names {
		file := path.Join(source.Mount, path.Clean("/"+name))
		content, err := w.view.ReadOriginal(file)
		if err != nil {
			missing := w.view.Missing(file, "the values file "+name)
			if missing.Kind != protocol.KindUnknown && spec["ignoreMissingValuesFiles"] == true {
				continue
			}
			missing.Hint = cmp.Or(missing.Hint, "its path counts from the source")
			return missing
		}
		var values map[string]any
		if err := yaml.Unmarshal(content, &values); err != nil {
			relative, _ := source.Within(file)
			return syntaxErrorOr(w.view.Origin(relative), content, err)
		}
		merged = collect.MergeValues(merged, values)
	}
	loaded.Values = merged
	return nil
}

func syntaxErrorOr(name string, content []byte, err error) error {
	if found := yamldoc.SyntaxError(name, content); found != nil {
		return found
	}
	return err
}

// addDependencies adds those that the chart names and does not bring, from elsewhere in the source; they are not looked for elsewhere.
func (w *release) addDependencies(loaded *chart.Chart, folder string) error {
	wanted := loaded.Metadata.Dependencies
	if loaded.Lock != nil {
		wanted = loaded.Lock.Dependencies
	}
	if len(wanted) == len(loaded.Dependencies()) || !w.view.IsDir(folder) {
		return nil
	}
	there := map[string]bool{}
	for _, each := range loaded.Dependencies() {
		there[each.Name()] = true
	}
	for _, each := range wanted {
		if there[cmp.Or(each.Alias, each.Name)] {
			continue
		}
		dependency, err := w.dependency(each, folder)
		if err != nil {
			return err
		}
		loaded.AddDependency(dependency)
	}
	return nil
}

// dependency loads one from its folder or archive in the source.
func (w *release) dependency(wanted *chart.Dependency, folder string) (*chart.Chart, error) {
	place, err := url.Parse(cmp.Or(wanted.Repository, "file://charts/"+wanted.Name))
	if err != nil || place.Scheme != "file" {
		message := fmt.Sprintf("the chart's dependency %s comes from %s, which is not here", wanted.Name, wanted.Repository)
		return nil, &protocol.Failure{Kind: protocol.KindRemote, Message: message}
	}
	target := path.Join(source.Mount, path.Clean("/"+strings.TrimPrefix(path.Join(folder, place.Host, place.Path), source.Mount)))
	if !w.view.Exists(target) {
		if unknown := w.view.Unknown(); unknown != nil {
			return nil, unknown
		}
		message := fmt.Sprintf("the chart's dependency %s does not exist at %s", wanted.Name, place)
		return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: message, Path: w.fromRoot("/Chart.yaml")}
	}
	found, err := w.load(target)
	if err != nil {
		return nil, err
	}
	if err := fits(wanted, found); err != nil {
		return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: err.Error(), Path: w.fromRoot("/Chart.yaml")}
	}
	found.Metadata.Name = cmp.Or(wanted.Alias, found.Metadata.Name)
	return found, nil
}

// fits says whether a dependency has a version that the chart accepts.
func fits(wanted *chart.Dependency, found *chart.Chart) error {
	constraint, err := semver.NewConstraint(wanted.Version)
	if err != nil {
		return fmt.Errorf("the version %q of the chart's dependency %s is not a valid range", wanted.Version, wanted.Name)
	}
	version, err := semver.NewVersion(found.Metadata.Version)
	if err != nil || !constraint.Check(version) {
		return fmt.Errorf("the chart requires version %s of its dependency %s, which has version %s", wanted.Version, wanted.Name, found.Metadata.Version)
	}
	return nil
}
