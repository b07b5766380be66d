package gitops

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzPath: what is accepted stays in the repository, is no file of Git's own, and cannot end a line of the language of fast-import.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"targets/local/shop/pr-1", "..", "/a", "a//b", ".git/config", "a/.GIT", "a\nD b", "a\x00", "-a", "a.", ".git.", "git~1", "ａ", `a\b`, `"a"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if pathFault(path) != "" {
			return
		}
		if !filepath.IsLocal(path) || filepath.Clean(path) != path || strings.ContainsAny(path, "\x00\r\n\"\\ ~") {
			t.Errorf("accepted %q", path)
		}
		for part := range strings.SplitSeq(strings.ToLower(path), "/") {
			if strings.TrimRight(part, ". ") == ".git" || len(part) > 255 {
				t.Errorf("accepted %q", path)
			}
		}
	})
}

func TestBatchKeepsDirectoriesApart(t *testing.T) {
	t.Parallel()
	q := queue{wake: make(chan struct{}, 1)}
	for _, dir := range []string{"a/b", "a/c", "a/b", "a/b/d", "a/e", "a"} {
		if err := q.add(&waiting{change: Change{Dir: dir}, answer: make(chan answer, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for batch := q.take(); len(batch) > 0; batch = q.take() {
		var dirs []string
		for _, w := range batch {
			dirs = append(dirs, w.change.Dir)
		}
		got = append(got, strings.Join(dirs, " "))
	}
	if want := "a/b a/c a/b|a/b/d a/e|a"; strings.Join(got, "|") != want {
		t.Errorf("batches %q, want %q", strings.Join(got, "|"), want)
	}
}

func TestChangesThatNobodyWaitsForAreNotMade(t *testing.T) {
	t.Parallel()
	q := queue{wake: make(chan struct{}, 1)}
	gone, stays := &waiting{change: Change{Dir: "a"}}, &waiting{change: Change{Dir: "b"}}
	gone.left.Store(true)
	for _, w := range []*waiting{gone, stays} {
		if err := q.add(w); err != nil {
			t.Fatal(err)
		}
	}
	if batch := q.take(); len(batch) != 1 || batch[0] != stays {
		t.Errorf("batch %v", batch)
	}
}
