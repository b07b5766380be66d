package gitops_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/gitops"
)

// victim makes this test binary a process that commits until it is killed: "<from>", with directory and remote as arguments.
const victim = "BLUEBERRY_TEST_GITOPS_VICTIM"

func TestMain(m *testing.M) {
	if from := os.Getenv(victim); from != "" {
		n, err := strconv.Atoi(from)
		if err == nil {
			err = commitForever(os.Args[1], os.Args[2], n)
		}
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// commitForever commits revisions of four environments and says "<environment> <revision> <commit>" after each.
func commitForever(dir, remote string, from int) error {
	ctx := context.Background()
	r, err := gitops.Open(ctx, gitops.Config{Dir: dir, Remote: remote})
	if err != nil {
		return err
	}
	failed := make(chan error, 5)
	go func() { failed <- r.Run(ctx) }()
	for e := range environments {
		go func() {
			for n := from; ; n++ {
				id, err := r.Commit(ctx, change(fmt.Sprintf("pr-%d", e), n, content(n)))
				if err != nil {
					failed <- err
					return
				}
				fmt.Printf("%d %d %s\n", e, n, id)
			}
		}()
	}
	return <-failed
}

const environments = 4

func content(revision int) map[string][]byte {
	return files("00-environment.yaml", "kind: Namespace\n", "01-web.yaml", fmt.Sprintf("revision: %d\n", revision))
}

func TestKillLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"embedded", "remote"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			dir, remote, holds := t.TempDir(), "", ""
			if holds = dir; place == "remote" {
				remote = bare(t)
				holds = remote
			}
			answered := map[string]string{} // commit by "<environment> <revision>"
			next := 1
			for range 5 {
				next = killWhileCommitting(t, dir, remote, next, answered)
				repeatAndCheck(t, dir, remote, holds, next, answered)
				next++
			}
			git(t, holds, "fsck", "--full", "--strict")
		})
	}
}

// killWhileCommitting ends a process at no particular moment and gives the newest revision it may have tried.
func killWhileCommitting(t *testing.T, dir, remote string, from int, answered map[string]string) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir, remote)
	cmd.Env = append(os.Environ(), victim+"="+strconv.Itoa(from))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	newest := from
	take := func() bool {
		line, err := lines.ReadString('\n')
		if err != nil {
			return false
		}
		var e, n int
		var id string
		if _, err := fmt.Sscan(line, &e, &n, &id); err != nil {
			t.Fatalf("the process said %q", line)
		}
		answered[fmt.Sprint(e, n)] = id
		newest = max(newest, n+1)
		return true
	}
	for range 1 + rand.IntN(30) {
		take()
	}
	for range rand.IntN(1 << 24) { //nolint:revive // a moment, not a pause
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	for take() { // what it had said before
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	return newest
}

// repeatAndCheck commits again what may have been cut off, and then reads the whole history.
func repeatAndCheck(t *testing.T, dir, remote, holds string, newest int, answered map[string]string) {
	t.Helper()
	r, stop := open(t, gitops.Config{Dir: dir, Remote: remote})
	defer stop()
	var wg sync.WaitGroup
	for e := range environments {
		wg.Go(func() {
			first := commit(t, r, change(fmt.Sprintf("pr-%d", e), newest, content(newest)))
			if again := commit(t, r, change(fmt.Sprintf("pr-%d", e), newest, content(newest))); again != first {
				t.Errorf("the repeated commit gave %s, want %s", again, first)
			}
		})
	}
	wg.Wait()
	seen := map[string]string{}
	for line := range strings.Lines(git(t, holds, "log", "--format=%H %(trailers:key=Blueberry-Environment,valueonly,separator=) %(trailers:key=Blueberry-Revision,valueonly,separator=)", "main")) {
		f := strings.Fields(line)
		key := strings.TrimPrefix(f[1], "env_pr-") + " " + f[2]
		if other, twice := seen[key]; twice {
			t.Errorf("revision %s is in two commits, %s and %s", key, f[0], other)
		}
		seen[key] = f[0]
	}
	for key, id := range answered {
		if seen[key] != id {
			t.Errorf("revision %s was answered with %s; history has %q", key, id, seen[key])
		}
	}
}
