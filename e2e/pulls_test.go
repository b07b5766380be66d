package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestPullRequestsThroughKills: deliveries that come twice, late or never, and a server that is killed in between three times: in the end each pull request has
// what the newest delivery about it says, in one environment.
func TestPullRequestsThroughKills(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "--target-driver", "sim", "--allow-local-repositories")
			if database == "postgres" {
				h.Database = newDatabase(t)
			}
			pullsThroughKills(t, h)
		})
	}
}

func pullsThroughKills(t *testing.T, h installation.Host) {
	t.Helper()
	const pulls, events, kills = 8, 120, 3
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	dir, commits := history(ctx, t, 6)
	s := start(t, h)
	added, err := s.Client.AddRepository(ctx, sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: dir, Policy: sdk.PullPolicy{AtOnce: pulls}})
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // which deliveries a test doubles is no secret
	queue, want := deliveries(dice, pulls, events, commits)
	at := time.Now()
	for i, e := range queue {
		if i > 0 && i%(len(queue)/(kills+1)) == 0 {
			s.Kill()
			s = start(t, h)
		}
		e.At = at.Add(time.Duration(e.At.UnixMilli()) * time.Millisecond)
		status, answer, err := s.Deliver(ctx, added.Repository, added.Secret, e.Body())
		if err != nil || status != http.StatusAccepted {
			t.Fatalf("delivery %d: %d %s %v", i, status, answer, err)
		}
	}
	for n, commit := range want {
		settle(ctx, t, s, n, commit)
	}
	names := map[string]int{}
	for e, err := range s.Client.AllEnvironments(ctx, sdk.EnvironmentFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Phase != sdk.Terminated && e.Phase != sdk.Terminating {
			names[e.Name]++
		}
	}
	for n, commit := range want {
		name := fmt.Sprintf("pr-%d", n)
		if there := names[name]; there > 1 || there == 1 != (commit != "") {
			t.Errorf("%s: %d environments live", name, there)
		}
	}
}

// history is a repository of the sample with some commits, each with another greeting.
func history(ctx context.Context, t *testing.T, n int) (dir string, commits []string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "shop")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "examples", "shop"))); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, "greeting"), []byte(fmt.Sprintln("hello", i)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := installation.Commit(ctx, dir); err != nil {
			t.Fatal(err)
		}
		head, err := installation.Git(ctx, dir, "rev-parse", "HEAD")
		if err != nil {
			t.Fatal(err)
		}
		commits = append(commits, strings.TrimSpace(head))
	}
	return dir, commits
}

// deliveries is what a host sends, and what the newest of it says: the commit of each pull request, empty for one that is closed. At is a count of milliseconds.
func deliveries(dice *rand.Rand, pulls, events int, commits []string) (queue []installation.PullEvent, want map[int]string) {
	want, newest := map[int]string{}, map[int]int{}
	for i := range events {
		e := installation.PullEvent{Number: 1 + dice.IntN(pulls), Action: "synchronize", Commit: commits[dice.IntN(len(commits))], At: time.UnixMilli(int64(i))}
		if dice.IntN(5) == 0 {
			e.State, e.Action = "closed", "closed"
		}
		if dice.IntN(10) == 0 { // never arrives
			continue
		}
		queue = append(queue, e)
		if dice.IntN(10) == 0 {
			queue = append(queue, e)
		}
		if j := len(queue) - 1 - dice.IntN(min(len(queue), 6)); dice.IntN(5) == 0 {
			queue[j], queue[len(queue)-1] = queue[len(queue)-1], queue[j]
		}
		if i >= newest[e.Number] {
			newest[e.Number], want[e.Number] = i, e.Commit
			if e.State == "closed" {
				want[e.Number] = ""
			}
		}
	}
	return queue, want
}

// settle waits until a pull request is where it should be: built with a commit, or without an environment.
func settle(ctx context.Context, t *testing.T, s *installation.Server, number int, commit string) {
	t.Helper()
	var last sdk.PullRequest
	for ctx.Err() == nil {
		for p, err := range s.Client.AllPulls(ctx, sdk.PullFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if p.Number == number {
				last = p
			}
		}
		built := last.Outcome == "built" && last.BuiltCommit == commit && last.HeadCommit == commit
		if commit != "" && built || commit == "" && (last.Outcome == "ended" || last.Outcome == "skipped") {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Errorf("pull request %d is never at %q:\n%s", number, commit, cmp.Diff(sdk.PullRequest{}, last))
}
