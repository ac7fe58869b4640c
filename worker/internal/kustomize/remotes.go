package kustomize

//lint:file-ignore SA1019 repositories still use the deprecated fields of kustomization files

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

func newRemoteName(name string) protocol.RemoteName {
	found := protocol.RemoteName{Name: name, Shown: withoutCredentials(name)}
	if origin := (&resource.Origin{}).Append(name); origin.Repo != "" {
		found.Repo, found.Ref, found.Inside = origin.Repo, origin.Ref, origin.Path
		if found.Inside == noFolder && !strings.Contains(name, noFolder) {
			found.Inside = ""
		}
	}
	return found
}

// What kustomize calls the folder of a repository as such before it is cloned.
const noFolder = "notCloned"

var (
	credentials = regexp.MustCompile(`://[^/@\s]*@`)
	parameters  = regexp.MustCompile(`([?&](\w+)=)[^&\s'"]*`)
)

// withoutCredentials keeps of a URL's parameters those that kustomize knows.
func withoutCredentials(url string) string {
	return parameters.ReplaceAllStringFunc(credentials.ReplaceAllString(url, "://"), func(parameter string) string {
		match := parameters.FindStringSubmatch(parameter)
		if slices.Contains([]string{"ref", "version", "timeout", "submodules"}, match[2]) {
			return parameter
		}
		return match[1] + "***"
	})
}

// isRemote asks kustomize itself what it would clone.
func isRemote(name string) bool {
	return isURL(name) || (&resource.Origin{}).Append(name).Repo != ""
}

// replaceRemotes puts what was fetched in the place of its names and leaves the rest out; says whether there was something.
func (p *Preparation) replaceRemotes(folder string, k *types.Kustomization) bool {
	changed := false
	resolve := func(name string) string {
		found := p.Resolve(folder, name)
		changed = changed || found != name
		return found
	}
	for _, list := range []*[]string{
		&k.Resources, &k.Bases, &k.Components, &k.Crds, &k.Configurations, &k.Generators, &k.Transformers, &k.Validators,
	} {
		for i, name := range *list {
			(*list)[i] = resolve(name)
		}
		*list = collect.Filter(*list, func(name string) bool { return name != "" })
	}
	for i := range k.PatchesJson6902 {
		k.PatchesJson6902[i].Path = resolve(k.PatchesJson6902[i].Path)
	}
	k.PatchesJson6902 = collect.Filter(k.PatchesJson6902, func(patch types.Patch) bool { return patch.Path != "" || patch.Patch != "" })
	for i := range k.Patches {
		k.Patches[i].Path = resolve(k.Patches[i].Path)
	}
	k.Patches = collect.Filter(k.Patches, func(patch types.Patch) bool { return patch.Path != "" || patch.Patch != "" })
	for i, patch := range k.PatchesStrategicMerge {
		k.PatchesStrategicMerge[i] = types.PatchStrategicMerge(resolve(string(patch)))
	}
	k.PatchesStrategicMerge = collect.Filter(k.PatchesStrategicMerge, func(patch types.PatchStrategicMerge) bool { return patch != "" })
	for i := range k.Replacements {
		k.Replacements[i].Path = resolve(k.Replacements[i].Path)
	}
	k.Replacements = collect.Filter(k.Replacements, func(r types.ReplacementField) bool { return r.Path != "" || r.Source != nil })
	if schema := k.OpenAPI["path"]; isURL(schema) {
		changed = true
		if k.OpenAPI["path"] = p.resolveFile(folder, schema); k.OpenAPI["path"] == "" {
			delete(k.OpenAPI, "path")
		}
	}
	for i := range k.ConfigMapGenerator {
		changed = p.replaceRemoteFiles(folder, &k.ConfigMapGenerator[i].KvPairSources) || changed
	}
	for i := range k.SecretGenerator {
		changed = p.replaceRemoteFiles(folder, &k.SecretGenerator[i].KvPairSources) || changed
	}
	return changed
}

// isURL says whether kustomize fetches a file from a server; the scheme may be in capital letters.
func isURL(name string) bool {
	parsed, err := url.Parse(name)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https")
}

// Resolve gives the name of something local, "" for what is remote and not here.
func (p *Preparation) Resolve(folder, name string) string {
	if name == "" || strings.Contains(name, "\n") || p.view.Exists(path.Join(folder, name)) || !isRemote(name) {
		return name
	}
	return p.fetched(folder, name, newRemoteName(name))
}

// resolveFile does so for a file by URL: kustomize never takes it for a repository.
func (p *Preparation) resolveFile(folder, name string) string {
	return p.fetched(folder, name, protocol.RemoteName{Name: name, Shown: withoutCredentials(name)})
}

func (p *Preparation) fetched(folder, name string, remote protocol.RemoteName) string {
	remote.Path, remote.Line = p.named(folder, name)
	found, ok := p.view.FetchedAs(name)
	if !ok {
		p.Remote = append(p.Remote, remote)
		return ""
	}
	target := path.Join(source.MountOf(found.Folder), path.Clean("/"+found.Path))
	if !p.view.Exists(target) && p.problem == nil {
		message := fmt.Sprintf("%s was fetched and has no folder %s", remote.Shown, found.Path)
		p.problem = &protocol.Failure{Kind: protocol.KindBuild, Message: message, Hint: "write a folder that it has at that ref, after //", Path: remote.Path, Line: remote.Line, Object: ""}
	}
	p.view.NameRemote(target, remote)
	relative, _ := filepath.Rel(folder, target)
	return relative
}

// named is the place in the repository that names something remote: what a remote base names has the base's own.
func (p *Preparation) named(folder, name string) (string, int) {
	if outer := p.view.NamedBy(folder); outer != nil {
		return outer.Path, outer.Line
	}
	file, _ := ReadFile(p.view, folder)
	content, _ := p.view.Content(file)
	return p.view.ShownPath(file), yamldoc.LineOfText(content, name)
}

// checkRemoteReads refuses what kustomize refuses too: a remote base that reads files outside of itself.
func (p *Preparation) checkRemoteReads(folder string, k *types.Kustomization) error {
	root := source.RemoteRoot(folder)
	if root == "" {
		return nil
	}
	names := slices.Concat(k.Resources, k.Bases, k.Components)
	for _, patch := range k.Patches {
		names = append(names, patch.Path)
	}
	for _, generator := range k.ConfigMapGenerator {
		names = append(names, SourceFiles(generator.KvPairSources)...)
	}
	for _, generator := range k.SecretGenerator {
		names = append(names, SourceFiles(generator.KvPairSources)...)
	}
	for _, name := range names {
		target := path.Join(folder, name)
		if !strings.Contains(name, "\n") && target != root && !strings.HasPrefix(target, root+"/") && !isRemote(name) && source.RemoteRoot(target) == "" {
			outer := p.view.NamedBy(folder)
			return &protocol.Failure{Kind: protocol.KindOutside, Message: fmt.Sprintf("%s reads %s, outside of itself", outer.Shown, name), Path: outer.Path, Line: outer.Line}
		}
	}
	return nil
}
