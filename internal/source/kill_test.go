package source_test

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// victim makes this test binary a process that fetches until it is killed.
const victim = "BLUEBERRY_TEST_SOURCE_VICTIM"

func TestMain(m *testing.M) {
	if repository := os.Getenv(victim); repository != "" {
		fetchForever(os.Args[1], repository)
	}
	os.Exit(m.Run())
}

func fetchForever(dir, repository string) {
	for {
		k, err := source.Open(source.Config{Dir: dir, AllowLocal: true, KeepTrees: 2})
		if err != nil {
			fmt.Println("open:", err)
			os.Exit(1)
		}
		for _, branch := range []string{"b0", "b1", "b2", "b3"} {
			tree, err := k.Fetch(context.Background(), repository, branch)
			if err != nil {
				fmt.Println("fetch:", err)
				os.Exit(1)
			}
			fmt.Println("fetched")
			_ = tree.Close()
		}
	}
}

func TestKillLeavesNoHalfTree(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	want := map[string]map[string]string{}
	for i := range 4 {
		for n := range 60 {
			r.write(fmt.Sprintf("dir%d/file%d", n%7, n), fmt.Sprint(i, n))
		}
		commit := r.commit("x")
		r.git("branch", fmt.Sprintf("b%d", i))
		want[commit] = read(t, os.DirFS(r.dir))
		for name := range want[commit] {
			if len(name) > 5 && name[:5] == ".git/" {
				delete(want[commit], name)
			}
		}
	}
	dir := t.TempDir()
	for range 12 {
		killWhileFetching(t, dir, r.dir)
		k := open(t, source.Config{Dir: dir})
		for commit, files := range want {
			tree, err := k.Fetch(t.Context(), r.dir, commit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(files, read(t, tree.FS)); diff != "" {
				t.Fatalf("tree after a kill (-want +got):\n%s", diff)
			}
			_ = tree.Close()
		}
	}
}

// killWhileFetching ends a process after it has fetched a few times, at no particular moment.
func killWhileFetching(t *testing.T, dir, repository string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), victim+"="+repository)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range rand.IntN(7) {
		if !lines.Scan() || lines.Text() != "fetched" {
			t.Errorf("the process said %q", lines.Text())
			break
		}
	}
	for range rand.IntN(1 << 22) { //nolint:revive // a moment, not a pause
	}
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL { //nolint:forcetypeassert // on Unix it is
		t.Errorf("the process ended by itself: %v", err)
	}
}

func TestOpenRemovesWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := filepath.Join(dir, "tmp", "123")
	if err := os.MkdirAll(filepath.Join(left, "4", "tree"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	alive := open(t, source.Config{Dir: dir})
	if _, err := os.Stat(left); err == nil {
		t.Error("it is still there")
	}
	r := newRepository(t)
	r.commit("x")
	open(t, source.Config{Dir: dir}) // must leave the scratch of the first alone
	tree, err := alive.Fetch(t.Context(), r.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	_ = tree.Close()
}

func TestTreesLeaveTheCacheWhenNobodyHoldsThem(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "a\n")
	dir := t.TempDir()
	k := open(t, source.Config{Dir: dir, KeepTrees: 2})
	held, err := k.Fetch(t.Context(), r.dir, r.commit("held"))
	if err != nil {
		t.Fatal(err)
	}
	var last string
	for range 4 {
		last = r.commit("again")
		tree, err := k.Fetch(t.Context(), r.dir, last)
		if err != nil {
			t.Fatal(err)
		}
		_ = tree.Close()
	}
	if got, err := fs.ReadFile(held.FS, "a"); err != nil || string(got) != "a\n" {
		t.Errorf("the tree that is held gave %q, %v", got, err)
	}
	_ = held.Close()
	trees, err := filepath.Glob(filepath.Join(dir, "trees", "*", "*"))
	if err != nil || len(trees) != 4 { // two, each with its manifest
		t.Errorf("the cache holds %v, %v", trees, err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(trees[0]), last)); err != nil {
		t.Errorf("the tree used last has left: %v", err)
	}
}

func TestDamagedTreeIsFetchedAgain(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "all of it\n")
	commit := r.commit("x")
	dir := t.TempDir()
	tree, err := open(t, source.Config{Dir: dir}).Fetch(t.Context(), r.dir, commit)
	if err != nil {
		t.Fatal(err)
	}
	_ = tree.Close()
	found, err := filepath.Glob(filepath.Join(dir, "trees", "*", commit, "a"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if err := os.Truncate(found[0], 0); err != nil { // what a power cut leaves
		t.Fatal(err)
	}
	for _, ref := range []string{commit, "main"} {
		tree, err = open(t, source.Config{Dir: dir}).Fetch(t.Context(), r.dir, ref)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(tree.FS, "a"); err != nil || string(got) != "all of it\n" {
			t.Errorf("read %q, %v", got, err)
		}
		_ = tree.Close()
	}
}

func BenchmarkFetchCached(b *testing.B) {
	r := newRepository(b)
	r.write("blueberry.yaml", "name: x\n")
	commit := r.commit("x")
	k := open(b, source.Config{})
	for b.Loop() {
		tree, err := k.Fetch(b.Context(), r.dir, commit)
		if err != nil {
			b.Fatal(err)
		}
		_ = tree.Close()
	}
}
