package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/source"
)

func (r repository) at(commit string) source.CommitOf {
	return source.CommitOf{Repository: r.dir, Commit: commit}
}

// branch makes a branch with a commit from where the work tree is, and goes back to main.
func (r repository) branch(name string, files map[string]string) string {
	r.t.Helper()
	r.git("checkout", "--quiet", "-b", name)
	for file, content := range files {
		r.write(file, content)
	}
	commit := r.commit(name)
	r.git("checkout", "--quiet", "main")
	return commit
}

func changedFiles(t *testing.T, k *source.Checkouts, base, head source.CommitOf) []string {
	t.Helper()
	got, err := k.Changed(t.Context(), base, head)
	if err != nil || got.All != "" {
		t.Fatalf("%q, %v", got.All, err)
	}
	slices.Sort(got.Files)
	return got.Files
}

// TestChangedFiles: from where the histories part, whatever the branch that it goes to has got since.
func TestChangedFiles(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("api/main.go", "1")
	r.write("web/index.html", "1")
	r.write("old name.txt", strings.Repeat("the same ", 100))
	r.commit("first")
	evil := "web/\n\t\"$(id)\"\x01ä.txt"
	r.branch("topic", map[string]string{"api/main.go": "2", evil: "x"})
	r.git("checkout", "--quiet", "topic")
	r.git("mv", "old name.txt", "new name.txt")
	r.git("rm", "--quiet", "web/index.html")
	head := r.commit("moved")
	r.git("checkout", "--quiet", "main")
	r.write("web/other.html", "of main")
	base := r.commit("meanwhile")
	k := open(t, source.Config{})
	want := []string{"api/main.go", "new name.txt", "old name.txt", evil, "web/index.html"}
	slices.Sort(want)
	if diff := cmp.Diff(want, changedFiles(t, k, r.at(base), r.at(head))); diff != "" {
		t.Error(diff)
	}
	if got := changedFiles(t, k, r.at(base), r.at(base)); len(got) > 0 {
		t.Errorf("between a commit and itself: %q", got)
	}
	// What the branch took over from the one that it goes to is no change of its own.
	r.git("checkout", "--quiet", "topic")
	r.git("merge", "--quiet", "--no-edit", "main")
	if diff := cmp.Diff(want, changedFiles(t, k, r.at(base), r.at(r.git("rev-parse", "HEAD")))); diff != "" {
		t.Errorf("after main was merged:\n%s", diff)
	}
}

// TestChangedFilesOfAFork: the two commits are of two repositories, of which one asks for a password that the other is not told.
func TestChangedFilesOfAFork(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "1")
	base := r.commit("first")
	fork := repository{t, t.TempDir()}
	fork.git("clone", "--quiet", r.dir, ".")
	head := fork.branch("topic", map[string]string{"b/c": "1"})
	ours, asked := web(t, filepath.Dir(r.dir), "of-the-token")
	theirs, _ := web(t, filepath.Dir(fork.dir), "")
	from := source.CommitOf{Repository: ours + "/" + filepath.Base(r.dir), Commit: base, Login: source.Login{User: "x", Password: "of-the-token", Scope: "rep_1"}}
	to := source.CommitOf{Repository: theirs + "/" + filepath.Base(fork.dir), Commit: head}
	k := open(t, source.Config{})
	if got := changedFiles(t, k, from, to); !slices.Equal(got, []string{"b/c"}) {
		t.Errorf("got %q", got)
	}
	n := asked.Load()
	if got := changedFiles(t, k, from, to); len(got) != 1 || asked.Load() != n {
		t.Errorf("a second time it asked %d times more", asked.Load()-n)
	}
	from.Login = source.Login{}
	if _, err := k.Changed(t.Context(), from, to); len(faults(t, err)) != 1 || faults(t, err)[0] != "source.repository repository_auth" {
		t.Errorf("without the password: %v", err)
	}
}

// TestChangedFilesBeyondTheBound: histories without a common commit, those that part too long ago, and changes that are too many.
func TestChangedFilesBeyondTheBound(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "1")
	base := r.commit("first")
	r.git("checkout", "--quiet", "--orphan", "alone")
	alone := r.commit("alone")
	k := open(t, source.Config{})
	if got, err := k.Changed(t.Context(), r.at(base), r.at(alone)); err != nil || !strings.Contains(got.All, "no commit in common") {
		t.Errorf("%+v, %v", got, err)
	}
	// 120 commits behind: the first look does not reach so far, the second does. 600: no look does.
	r.git("checkout", "--quiet", "main")
	for _, c := range []struct {
		commits int
		want    string
	}{{120, ""}, {600, "no commit in common"}} {
		var script strings.Builder
		name := fmt.Sprintf("refs/heads/long%d", c.commits)
		for i := range c.commits {
			from := "from " + base + "\n"
			if i > 0 {
				from = ""
			}
			fmt.Fprintf(&script, "commit %s\ncommitter Ada <a@example.org> %d +0000\ndata 1\nx\n%sM 100644 inline long/%d\ndata 1\n1\n", name, 1_700_000_000+i, from, i)
		}
		r.gitIn(script.String(), "fast-import", "--quiet")
		got, err := k.Changed(t.Context(), r.at(base), r.at(r.git("rev-parse", name)))
		if err != nil || got.All == "" != (c.want == "") || !strings.Contains(got.All, c.want) || c.want == "" && len(got.Files) != c.commits {
			t.Errorf("%d commits: %d files, %q, %v", c.commits, len(got.Files), got.All, err)
		}
	}
	var script strings.Builder
	fmt.Fprintf(&script, "commit refs/heads/wide\ncommitter Ada <a@example.org> 1700000000 +0000\ndata 1\nx\nfrom %s\n", base)
	for i := range 10_001 {
		fmt.Fprintf(&script, "M 100644 inline wide/%d\ndata 1\n1\n", i)
	}
	r.gitIn(script.String(), "fast-import", "--quiet")
	if got, err := k.Changed(t.Context(), r.at(base), r.at(r.git("rev-parse", "wide"))); err != nil || got.All != "it changes more than 10000 files" || len(got.Files) > 0 {
		t.Errorf("%q, %d files, %v", got.All, len(got.Files), err)
	}
}

// TestChangedFilesOfAHostileRepository: nothing that a repository sets is run or read, and only whole commits are compared.
func TestChangedFilesOfAHostileRepository(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	ran := filepath.Join(t.TempDir(), "ran")
	r.write("a.txt", "1")
	base := r.commit("first")
	head := r.branch("topic", map[string]string{".gitattributes": "* diff=evil", "a.txt": "2", ".gitmodules": "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch " + ran})
	r.git("config", "diff.external", "touch "+ran)
	r.git("config", "diff.evil.textconv", "touch "+ran)
	r.git("config", "core.hooksPath", r.dir+"/hooks")
	r.write("hooks/post-checkout", "#!/bin/sh\ntouch "+ran)
	r.git("config", "core.fsmonitor", "touch "+ran)
	k := open(t, source.Config{})
	if got := changedFiles(t, k, r.at(base), r.at(head)); !slices.Equal(got, []string{".gitattributes", ".gitmodules", "a.txt"}) {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("something of the repository was run")
	}
	for _, commit := range []string{"main", "-x", "--upload-pack=touch " + ran, "HEAD", strings.Repeat("g", 40), base[:12], ""} {
		if _, err := k.Changed(t.Context(), r.at(base), r.at(commit)); err == nil {
			t.Errorf("%q was compared", commit)
		}
	}
	if _, err := k.Changed(t.Context(), r.at(base), r.at(strings.Repeat("a", 40))); err == nil {
		t.Error("a commit that is not there was compared")
	}
	if _, err := k.Changed(t.Context(), r.at(base), source.CommitOf{Repository: "ext::touch " + ran, Commit: head}); err == nil {
		t.Error("a transport that is not allowed was used")
	}
}

func TestBranchesOfARepository(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "1")
	first := r.commit("first")
	second := r.branch("feature/$(id);`x`", map[string]string{"b": "1"})
	r.git("tag", "v1")
	r.git("update-ref", "refs/pull/1/head", first)
	url, _ := web(t, filepath.Dir(r.dir), "of-the-token")
	url += "/" + filepath.Base(r.dir)
	k := open(t, source.Config{})
	got, err := k.Branches(t.Context(), source.Login{User: "x", Password: "of-the-token", Scope: "rep_1"}, url)
	if diff := cmp.Diff(map[string]string{"main": first, "feature/$(id);`x`": second}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := k.Branches(t.Context(), source.Login{}, url); err == nil {
		t.Error("read without the password")
	}
	if _, err := k.Branches(t.Context(), source.Login{}, r.dir+"/none"); len(faults(t, err)) != 1 {
		t.Errorf("of none: %v", err)
	}
}

func FuzzHeads(f *testing.F) {
	f.Add(strings.Repeat("a", 40) + "\trefs/heads/main\n" + strings.Repeat("b", 40) + "\trefs/heads/../x\nwarning\n")
	f.Add("\trefs/heads/\n" + strings.Repeat("c", 64) + "\trefs/heads/a b\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, commit := range source.ReadHeads(text) {
			if name == "" || len(name) > 255 || strings.ContainsAny(name, " \x00\n~^:?*[\\") || strings.Contains(name, "..") || len(commit) != 40 && len(commit) != 64 {
				t.Errorf("%q at %q", name, commit)
			}
		}
	})
}

// TestTreesThatTakeForever: a commit of which the walk does not end counts as changing every file, and is not walked a second time.
func TestTreesThatTakeForever(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "1")
	base := r.commit("first")
	tree := r.gitIn("", "mktree")
	for range 12 {
		var entries strings.Builder
		for i := range 10 {
			fmt.Fprintf(&entries, "040000 tree %s\t%d\n", tree, i)
		}
		tree = r.gitIn(entries.String(), "mktree")
	}
	bomb := r.git("commit-tree", "-p", base, "-m", "x", tree)
	r.git("update-ref", "refs/heads/bomb", bomb)
	k := open(t, source.Config{Timeout: 5 * time.Second})
	for range 2 {
		got, err := k.Changed(t.Context(), r.at(base), r.at(bomb))
		for err != nil && t.Context().Err() == nil { // the time is that of the fetches before, too
			got, err = k.Changed(t.Context(), r.at(base), r.at(bomb))
		}
		if err != nil || !strings.Contains(got.All, "too long") {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
