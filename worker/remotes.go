package main

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
)

// What is remote and was fetched appears to kustomize below here, each folder under a name of its own.
const remoteMount = "/remote"

// fetched is where what a kustomization file names lies now: Path in Folder, which never changes.
type fetched struct {
	Folder string `json:"folder"`
	Path   string `json:"path"`
}

// remoteName is something that a kustomization file takes from elsewhere, with the place that names it. With Repo it is what kustomize would
// clone: Inside of it at Ref.
type remoteName struct {
	Name   string `json:"name"`
	Shown  string `json:"shown"` // without credentials
	Repo   string `json:"repo,omitempty"`
	Ref    string `json:"ref,omitempty"`
	Inside string `json:"inside,omitempty"`
	Path   string `json:"path,omitempty"`
	Line   int    `json:"line,omitempty"`
}

func newRemoteName(name string) remoteName {
	found := remoteName{Name: name, Shown: withoutCredentials(name)}
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
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") || (&resource.Origin{}).Append(name).Repo != ""
}

// takeRemote puts what was fetched in the place of its names and leaves the rest out; says whether there was something.
func (p *preparation) takeRemote(folder string, k *types.Kustomization) bool {
	changed := false
	resolve := func(name string) string {
		found := p.resolve(folder, name)
		changed = changed || found != name
		return found
	}
	for _, list := range []*[]string{
		&k.Resources, &k.Bases, &k.Components, &k.Crds, &k.Configurations, &k.Generators, &k.Transformers, &k.Validators,
	} {
		for i, name := range *list {
			(*list)[i] = resolve(name)
		}
		*list = keep(*list, func(name string) bool { return name != "" })
	}
	for i := range k.Patches {
		k.Patches[i].Path = resolve(k.Patches[i].Path)
	}
	k.Patches = keep(k.Patches, func(patch types.Patch) bool { return patch.Path != "" || patch.Patch != "" })
	for i, patch := range k.PatchesStrategicMerge {
		k.PatchesStrategicMerge[i] = types.PatchStrategicMerge(resolve(string(patch)))
	}
	k.PatchesStrategicMerge = keep(k.PatchesStrategicMerge, func(patch types.PatchStrategicMerge) bool { return patch != "" })
	for i := range k.Replacements {
		k.Replacements[i].Path = resolve(k.Replacements[i].Path)
	}
	k.Replacements = keep(k.Replacements, func(r types.ReplacementField) bool { return r.Path != "" || r.Source != nil })
	return changed
}

// resolve gives the name of something local, ” for what is remote and not here.
func (p *preparation) resolve(folder, name string) string {
	if name == "" || strings.Contains(name, "\n") || p.view.Exists(path.Join(folder, name)) || !isRemote(name) {
		return name
	}
	remote := newRemoteName(name)
	remote.Path, remote.Line = p.named(folder, name)
	found, ok := p.view.fetched[name]
	if !ok {
		p.remote = append(p.remote, remote)
		return ""
	}
	target := path.Join(mountOf(found.Folder), path.Clean("/"+found.Path))
	if !p.view.Exists(target) && p.problem == nil {
		message := fmt.Sprintf("%s was fetched and has no folder %s", remote.Shown, found.Path)
		p.problem = &failure{"build", message, "write a folder that it has at that ref, after //", remote.Path, remote.Line, ""}
	}
	if _, known := p.view.named[target]; !known {
		p.view.named[target] = remote
	}
	relative, _ := filepath.Rel(folder, target)
	return relative
}

// named is the place in the repository that names something remote: what a remote base names has the base's own.
func (p *preparation) named(folder, name string) (string, int) {
	if outer := p.view.namedBy(folder); outer != nil {
		return outer.Path, outer.Line
	}
	file, _ := p.kustomizationFile(folder)
	content, _ := p.view.content(file)
	return p.view.shown(file), lineOfText(content, name)
}

// contained refuses what kustomize refuses, too: a remote base that reads beside itself.
func (p *preparation) contained(folder string, k *types.Kustomization) error {
	root := remoteRoot(folder)
	if root == "" {
		return nil
	}
	names := append(append(append([]string{}, k.Resources...), k.Bases...), k.Components...)
	for _, patch := range k.Patches {
		names = append(names, patch.Path)
	}
	for _, generator := range k.ConfigMapGenerator {
		names = append(names, sourceFiles(generator.KvPairSources)...)
	}
	for _, generator := range k.SecretGenerator {
		names = append(names, sourceFiles(generator.KvPairSources)...)
	}
	for _, name := range names {
		target := path.Join(folder, name)
		if !strings.Contains(name, "\n") && target != root && !strings.HasPrefix(target, root+"/") && !isRemote(name) && remoteRoot(target) == "" {
			outer := p.view.namedBy(folder)
			return &failure{Kind: "outside", Message: fmt.Sprintf("%s reads %s, outside of itself", outer.Shown, name), Path: outer.Path, Line: outer.Line}
		}
	}
	return nil
}

func sourceFiles(sources types.KvPairSources) []string {
	files := append([]string{sources.EnvSource}, sources.EnvSources...)
	for _, source := range sources.FileSources {
		_, file, named := strings.Cut(source, "=")
		if !named {
			file = source
		}
		files = append(files, file)
	}
	return files
}

func mountOf(folder string) string { return path.Join(remoteMount, digest(folder)[:16]) }

// remoteRoot is the mount that a path is below, ” for one of the source.
func remoteRoot(name string) string {
	inside, ok := strings.CutPrefix(path.Clean(name), remoteMount+"/")
	if !ok {
		return ""
	}
	root, _, _ := strings.Cut(inside, "/")
	return path.Join(remoteMount, root)
}

// namedBy is what names the remote base that a path is in, nil for a path of the source.
func (v *view) namedBy(name string) *remoteName {
	root := remoteRoot(name)
	for at := path.Clean(name); root != "" && strings.HasPrefix(at, root); at = path.Dir(at) {
		if found, ok := v.named[at]; ok {
			return &found
		}
	}
	for target, found := range v.named { // a base may go up in its own repository
		if root != "" && remoteRoot(target) == root {
			return &found
		}
	}
	return nil
}

// shown is a path of the view as one of the repository; of what is remote, the file that names it.
func (v *view) shown(name string) string {
	if relative, ok := within(name); ok {
		return v.origin(relative)
	}
	if by := v.namedBy(name); by != nil {
		return by.Path
	}
	return ""
}

// remoteTree is the tree that a path lies in, and the path there; nil for a path of the source.
func (v *view) remoteTree(name string) (*tree, string) {
	root := remoteRoot(name)
	if root == "" || v.remotes[root] == nil {
		return nil, ""
	}
	return v.remotes[root], mount + strings.TrimPrefix(path.Clean(name), root)
}

// mountAll lets the view see what was fetched.
func (s *session) mountAll(v *view, all map[string]fetched) error {
	v.fetched, v.remotes, v.named = all, map[string]*tree{}, map[string]remoteName{}
	for _, each := range all {
		made, err := s.remote(each.Folder)
		if err != nil {
			return err
		}
		v.remotes[mountOf(each.Folder)] = made
	}
	return nil
}

func (s *session) remote(folder string) (*tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := "remote " + folder
	if known := s.trees[name]; known != nil {
		return known, nil
	}
	made, err := newTree(folder, ".")
	if err == nil {
		made.whole = true
		s.trees[name] = made
	}
	return made, err
}
