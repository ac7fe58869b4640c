package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/sourceignore"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// archived lists what the artifact of a folder holds, by Flux's own library: as Storage.Archive of fluxcd/pkg/artifact goes through a clone.
func archived(t *testing.T, root, ignore string) []string {
	t.Helper()
	domain := strings.Split(root, "/")
	patterns, err := sourceignore.LoadIgnorePatterns(root, domain)
	if err != nil {
		t.Fatal(err)
	}
	patterns = append(patterns, sourceignore.ReadPatterns(strings.NewReader(ignore), domain)...)
	matcher := sourceignore.NewDefaultMatcher(patterns, domain)
	if len(patterns) > 0 {
		matcher = sourceignore.NewMatcher(append(sourceignore.VCSPatterns(domain), patterns...))
	}
	held := map[string]bool{}
	err = filepath.WalkDir(root, func(name string, item fs.DirEntry, err error) error {
		info, _ := item.Info()
		if !info.Mode().IsRegular() && !info.IsDir() || matcher.Match(strings.Split(name, "/"), info.IsDir()) {
			return err
		}
		relative, _ := filepath.Rel(root, name)
		for ; relative != "."; relative = filepath.Dir(relative) { // unpacking makes the folders above
			held[relative] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sorted(held)
}

// seen lists what a tree shows of the same folder.
func seen(t *testing.T, root, ignore string) []string {
	t.Helper()
	tree, err := newTree(root, ".", checkout{}, protocol.SourceSettings{Ignore: ignore})
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]bool{}
	var visit func(folder string)
	visit = func(folder string) {
		names, err := tree.names(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			inside, _ := Within(folder + "/" + name)
			held[inside] = true
			if tree.entry(Mount + "/" + inside).info.IsDir() {
				visit(Mount + "/" + inside)
			}
		}
	}
	visit(Mount)
	return sorted(held)
}

func sorted(names map[string]bool) []string {
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// write makes files below a new folder; "-> target" makes a link.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		file := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if target, link := strings.CutPrefix(content, "-> "); link && err == nil {
			err = os.Symlink(target, file)
		} else if err == nil {
			err = os.WriteFile(file, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestATreeHoldsWhatTheArtifactHolds(t *testing.T) {
	files := map[string]string{
		"a.png": "", "app/b.png": "", "app/x.yaml": "", "app/deep/c.zip": "", "app/deep/y.yaml": "", "docs/keep/z.md": "", "docs/z.md": "",
		".gitignore": "", ".github/ci.yaml": "", ".sops.yaml": "", "app/.sops.yaml": "", "tabs/a b.yaml": "", "only/d.gif": "",
		"link.yaml": "-> app/x.yaml", "linked": "-> app", "links/to": "-> ../app",
	}
	for _, each := range []struct {
		name, ignore string
		more         map[string]string
	}{
		{name: "nothing but the built-in patterns"},
		{name: "comments and empty lines are no patterns", more: map[string]string{".sourceignore": "# docs/\n\n   \n"}, ignore: "# no\n"},
		{name: "one pattern replaces the built-in ones", more: map[string]string{".sourceignore": "docs/\n"}},
		{name: "one in a sub-folder too", more: map[string]string{"docs/.sourceignore": "nothing\n"}},
		{name: "one in an excluded sub-folder too", more: map[string]string{".github/.sourceignore": "nothing\n"}},
		{name: "spec.ignore too", ignore: "nothing"},
		{name: "all but one folder", ignore: "/*\n!/app\n"},
		{name: "a folder below an excluded one", ignore: "/docs\n!/docs/keep\n"},
		{name: "a file below an excluded folder", more: map[string]string{".sourceignore": "docs/\n!docs/z.md\n"}},
		{name: "spec.ignore has the last word", more: map[string]string{"app/.sourceignore": "*.yaml\n"}, ignore: "!x.yaml\n"},
		{name: "patterns count from their folder", more: map[string]string{"app/.sourceignore": "/deep\n/docs\n"}},
		{name: "what Git needs can be included", ignore: "!.gitignore\n"},
		{name: "a folder with nothing left in it", ignore: "only/*\n"},
		{name: "any depth", ignore: "**/x.yaml\napp/**/y.yaml\n"},
		{name: "trailing blanks", ignore: "docs/   \na?b.yaml\n"},
		{name: "a link as .sourceignore", more: map[string]string{"rules": "docs\n", ".sourceignore": "-> rules"}},
		{name: "a linked folder's .sourceignore is another folder's", more: map[string]string{"app/.sourceignore": "x.yaml\n"}},
	} {
		t.Run(each.name, func(t *testing.T) {
			root := write(t, files)
			for name, content := range each.more {
				more := write(t, map[string]string{name: content})
				_ = os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755)
				if err := os.Rename(filepath.Join(more, name), filepath.Join(root, name)); err != nil {
					t.Fatal(err)
				}
			}
			if want, got := archived(t, root, each.ignore), seen(t, root, each.ignore); !slices.Equal(want, got) {
				t.Errorf("the artifact holds %v, the tree %v", want, got)
			}
		})
	}
}

func TestASparseCheckoutComparesBeginningsOfPaths(t *testing.T) {
	root := write(t, map[string]string{"apps/a.yaml": "", "apps-old/b.yaml": "", "top.yaml": "", "more/c.yaml": ""})
	tree, err := newTree(root, ".", checkout{}, protocol.SourceSettings{Sparse: []string{"./apps"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"apps/a.yaml": true, "apps-old/b.yaml": true, "top.yaml": false, "more": false} {
		if got := tree.entry(Mount+"/"+name).err == nil; got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
}
