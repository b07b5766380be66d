package source_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/source"
)

func TestSymlinksThatLeaveTheTreeAreAllNamed(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.link("absolute", "/etc/passwd")
	r.link("a/b/up", "../../../x")
	r.link("root", ".")
	r.link("chain", "root/../x")       // reads as "x", leads to the parent of the tree
	r.link("a/far", "../a/b/../../..") // in, and out again
	r.link("fine", "a/b/../b")
	r.link("loop", "loop")
	r.link("none", "not/there/at/all")
	r.write("a/b/file", "x")
	r.commit("x")
	_, err := open(t, source.Config{}).Fetch(t.Context(), r.dir, "")
	want := "source.repository symlink_escape"
	wantFaults(t, err, want, want, want, want)
	for _, name := range []string{`"absolute"`, `"a/b/up"`, `"chain"`, `"a/far"`} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}

func TestRepositoryTooLarge(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	random := make([]byte, 4<<20)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reason string
		fill   func(repository)
	}{
		"pack":      {"what is fetched is too much", func(r repository) { r.write("a", string(random)) }},
		"zeros":     {"what is fetched is little, but becomes much", func(r repository) { r.write("a", strings.Repeat("0", 8<<20)) }},
		"many":      {"each file is small", func(r repository) { r.write("a", string(random[:limit/2])); r.write("b", strings.Repeat("0", limit)) }},
		"files":     {"there are too many", func(r repository) { writeMany(r, 101) }},
		"tree bomb": {"ten trees stand for ten thousand million files", bomb},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			c.fill(r)
			if r.git("status", "--porcelain") != "" {
				r.commit("x")
			}
			dir := t.TempDir()
			_, err := open(t, source.Config{Dir: dir, MaxBytes: limit, MaxFiles: 100}).Fetch(t.Context(), r.dir, "main")
			if diff := cmp.Diff([]string{"source.repository repository_too_large"}, faults(t, err)); diff != "" {
				t.Errorf("faults (-want +got), because %s:\n%s\n%v", c.reason, diff, err)
			}
			wantEmpty(t, dir)
		})
	}
}

// wantEmpty checks that a failed fetch left nothing: neither a tree nor scratch.
func wantEmpty(t *testing.T, cache string) {
	t.Helper()
	for _, pattern := range []string{"trees/*/*", "tmp/*/*"} {
		left, err := filepath.Glob(filepath.Join(cache, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range left {
			if filepath.Base(path) != "lock" {
				t.Errorf("%s is left", path)
			}
		}
	}
}

func writeMany(r repository, n int) {
	for i := range n {
		r.write(fmt.Sprintf("f%d", i), "")
	}
}

// bomb makes a commit of ten levels of trees, each ten times the one below.
func bomb(r repository) {
	object, kind := r.gitIn("boom", "hash-object", "-w", "--stdin"), "100644 blob"
	for range 10 {
		var b strings.Builder
		for i := range 10 {
			fmt.Fprintf(&b, "%s %s\td%d\n", kind, object, i)
		}
		object, kind = r.gitIn(b.String(), "mktree"), "040000 tree"
	}
	r.git("update-ref", "refs/heads/main", r.git("commit-tree", "-m", "x", object))
	r.git("symbolic-ref", "HEAD", "refs/heads/other") // so that git status does not walk it
}

func TestNamesThatMayNotBeInATree(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, entry string }{
		"dot git":       {"a tool that looks for a repository would find it", ".git"},
		"capitals":      {"some file systems have no case", ".GIT"},
		"trailing dots": {"some file systems drop them", ".git. ."},
		"short name":    {"one file system calls .git so", "GIT~1"},
		"dot dot":       {"it is the directory above", ".."},
		"dot":           {"it is the directory itself", "."},
		"slash":         {"a name has none", "../escaped"},
		"empty":         {"a file has a name", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			r.rawTree("100644", c.entry)
			dir := t.TempDir()
			_, err := open(t, source.Config{Dir: dir}).Fetch(t.Context(), r.dir, "main")
			if err == nil {
				t.Fatalf("it was read, although %s", c.reason)
			}
			for _, f := range faults(t, err) {
				if !strings.HasPrefix(f, "source.repository ") {
					t.Errorf("fault %q", f)
				}
			}
			wantEmpty(t, dir)
		})
	}
}

// rawTree commits a tree with entries of one name each, which Git's own commands refuse to make.
func (r repository) rawTree(pairs ...string) {
	r.t.Helper()
	blob, err := hex.DecodeString(r.gitIn("content", "hash-object", "-w", "--stdin"))
	if err != nil {
		r.t.Fatal(err)
	}
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%s %s\x00%s", pairs[i], pairs[i+1], blob)
	}
	tree := r.gitIn(b.String(), "hash-object", "-w", "-t", "tree", "--literally", "--stdin")
	r.git("update-ref", "refs/heads/main", r.git("commit-tree", "-m", "x", tree))
}

func TestNameTwiceInATree(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.rawTree("100644", "a", "120000", "a")
	_, err := open(t, source.Config{}).Fetch(t.Context(), r.dir, "main")
	if err == nil {
		t.Fatal("a tree with one name twice was read")
	}
	wantFaults(t, err, "source.repository repository_path")
}

func TestConfigOfALocalRepositoryRunsNothing(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "a\n")
	r.commit("a")
	proof := filepath.Join(t.TempDir(), "ran")
	r.git("config", "uploadpack.packObjectsHook", "touch "+proof+";")
	r.git("config", "core.fsmonitor", "touch "+proof)
	r.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch "+proof+"\n")
	if err := os.Chmod(filepath.Join(r.dir, ".git/hooks/post-checkout"), 0o700); err != nil { //nolint:gosec // a hook has to be executable
		t.Fatal(err)
	}
	tree, err := open(t, source.Config{}).Fetch(t.Context(), r.dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close() //nolint:errcheck // read from
	if _, err := os.Stat(proof); err == nil {
		t.Error("the repository's own configuration ran a command")
	}
}
