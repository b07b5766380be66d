package cli_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestSleepOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	if got := p.must(t, "env", "sleep", "pr-1", "--wait"); got != "pr-1 is sleeping\n" {
		t.Errorf("sleep prints %q", got)
	}
	contains(t, "get", p.must(t, "env", "get", "pr-1"), "phase       sleeping", "asleep      since")
	contains(t, "wake", p.must(t, "env", "wake", "pr-1", "--wait"), "pr-1 is ready")
	contains(t, "wakes", p.must(t, "env", "wakes", "pr-1"), "fell asleep", "woke", "hand", "admin")
	if got := reads[[]sdk.WakeEntry](t, p, cli.ExitDone, "env", "wakes", "pr-1", "--limit", "1"); len(got) != 1 || got[0].Asleep {
		t.Errorf("the newest entry is %+v", got)
	}

	contains(t, "policy", p.must(t, "env", "sleep-policy", "pr-1"), "its project's policy", "never by itself")
	contains(t, "own policy", p.must(t, "env", "sleep-policy", "pr-1", "--idle", "2h", "--window", "fri-mon 22:00-24:00", "--time-zone", "Europe/Zurich"),
		"its own policy", "after 2h without use", "fri,sat,sun,mon 22:00-00:00 Europe/Zurich")
	got := reads[sdk.EnvironmentSleep](t, p, cli.ExitDone, "env", "sleep-policy", "pr-1")
	if w := got.Policy.Windows; len(w) != 1 || !slices.Equal(w[0].Days, []string{"fri", "sat", "sun", "mon"}) || w[0].To != "00:00" || got.Policy.IdleMinutes != 120 {
		t.Errorf("the policy is %+v", got.Policy)
	}
	contains(t, "never", p.must(t, "env", "sleep-policy", "pr-1", "--never"), "never by itself")
	for _, wrong := range []string{"19:00-07:00", "mon 19-07", "someday 19:00-07:00", "mon-xyz 19:00-07:00", "mon 19:00-24:01", "mon 9:00-10:00", ""} {
		usage(t, p, "--window", "env", "sleep-policy", "pr-1", "--window", wrong)
	}
	usage(t, p, "--idle", "env", "sleep-policy", "pr-1", "--idle", "90s")
	usage(t, p, "cannot be given together", "env", "sleep-policy", "pr-1", "--never", "--idle", "1h")
	if _, said := p.ends(t, cli.ExitRefused, "env", "sleep-policy", "pr-1", "--idle", "1m", "--time-zone", "No/Where"); !strings.Contains(said, "idle_minutes") || !strings.Contains(said, "time_zone") {
		t.Errorf("not every fault at once: %s", said)
	}
	contains(t, "project", p.must(t, "project", "life", "default", "--idle", "8h", "--pin-up-to", "14d"), "pinned for 336h", "after 8h without use")
	contains(t, "as project", p.must(t, "env", "sleep-policy", "pr-1", "--as-project"), "its project's policy", "after 8h without use")
}

func TestLeasesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1", "--ttl", "4h")
	usage(t, p, "--for is needed", "env", "pin", "pr-1")
	contains(t, "pin", p.must(t, "env", "pin", "pr-1", "--for", "10d", "--reason", "demo"), "pinned by admin")
	if got := p.must(t, "env", "unpin", "pr-1"); strings.Contains(got, "pinned") {
		t.Errorf("unpin prints %q", got)
	}
	p.ends(t, cli.ExitRefused, "env", "pin", "pr-1", "--for", "500d")
	link := strings.TrimSpace(p.must(t, "env", "extend", "pr-1", "--by", "2h", "--link", "-o", "name"))
	if !strings.Contains(link, "/extend") {
		t.Errorf("the link is %q", link)
	}
	if strings.Contains(p.must(t, "env", "events", "pr-1", "-o", "json"), link[strings.LastIndexAny(link, "=/")+1:]) {
		t.Error("the link stands in an event")
	}
}

func TestTheEndOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	contains(t, "why", p.must(t, "env", "why", "pr-1"), "pr-1 is ready", "MAY TAKE", "Reachable", "nothing is known to be wrong")
	contains(t, "scale", p.must(t, "env", "scale", "pr-1", "--component", "web", "--replicas", "2"), "as of revision 2")
	contains(t, "scale to the same", p.must(t, "env", "scale", "pr-1", "--component", "web", "--replicas", "2"), "runs as many already")
	usage(t, p, "--component is needed", "env", "scale", "pr-1")
	contains(t, "restart", p.must(t, "env", "restart", "pr-1"), "restarts deployment/web")
	contains(t, "object", p.must(t, "env", "object", "pr-1", "deployment/web"), "--- # desired", "--- # live", "kind: Deployment")
	usage(t, p, "deployment/backend", "env", "object", "pr-1", "web")
	contains(t, "open", p.must(t, "env", "open", "pr-1", "--print"), "http://web-pr-1.")
	contains(t, "all events", p.must(t, "env", "events", "pr-1", "--all"), "environment.requested", "WHEN")
	usage(t, p, "--all", "env", "events", "pr-1", "--all", "--follow")

	p.must(t, "env", "destroy", "pr-1", "--yes", "--wait")
	contains(t, "receipt", p.must(t, "env", "receipt", "pr-1"), "PROOF", "kubernetes", "git", "leftovers: 0")
	archives := reads[[]sdk.Archive](t, p, cli.ExitDone, "archive", "list", "--name", "pr-1")
	if len(archives) != 1 || archives[0].State != "terminated" || archives[0].UndoUntil.IsZero() {
		t.Fatalf("archives %+v", archives)
	}
	id := archives[0].EnvironmentID
	contains(t, "archive", p.must(t, "archive", "get", id), "record.json", "receipt.json", "env undo "+id)
	contains(t, "one file", p.must(t, "archive", "download", id, "record.json"), `"pr-1"`)
	usage(t, p, "--to", "archive", "download", id)
	dir := filepath.Join(t.TempDir(), "kept")
	p.must(t, "archive", "download", id, "--to", dir)
	if _, err := os.Stat(filepath.Join(dir, "receipt.json")); err != nil {
		t.Error(err)
	}
	p.must(t, "env", "logs", "pr-1")
	usage(t, p, "--since", "env", "logs", "pr-1", "--since", "yesterday")
	usage(t, p, "--follow and --previous", "env", "logs", "pr-1", "-f", "--previous")

	contains(t, "undo", p.must(t, "env", "undo", "pr-1", "--wait"), "pr-1 is ready")
	p.ends(t, cli.ExitRefused, "env", "undo", id)
	contains(t, "retention", p.must(t, "retention"), "archives", "90d", "logs")
}

func TestTargetsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.must(t, "target", "add", "second", "--driver", "sim", "--domain", "second.localhost", "--region", "eu")
	contains(t, "list", p.must(t, "target", "list"), "second", "sim", "second.localhost")
	contains(t, "get", p.must(t, "target", "get", "second"), "region       eu", "state        active")
	contains(t, "update", p.must(t, "target", "update", "second", "--region", "us"), "region       us")
	usage(t, p, "name what is to change", "target", "update", "second")
	usage(t, p, "--reason", "target", "cordon", "second")
	contains(t, "cordon", p.must(t, "target", "cordon", "second", "--reason", "its nodes are replaced"), "cordoned: its nodes are replaced")
	contains(t, "uncordon", p.must(t, "target", "uncordon", "second"), "active")
	if _, said := p.ends(t, cli.ExitUsage, "target", "drain", "second", "--reason", "x"); !strings.Contains(said, "--yes") {
		t.Errorf("nobody was asked: %s", said)
	}
	contains(t, "drain plan", p.must(t, "target", "drain", "second", "--plan"), "would remove 0 environments")
	contains(t, "drain", p.must(t, "target", "drain", "second", "--reason", "given up", "--yes"), "removes 0 environments")
	if _, said := p.ends(t, cli.ExitUsage, "target", "remove", "second"); !strings.Contains(said, "--yes") {
		t.Errorf("nobody was asked: %s", said)
	}
	p.must(t, "target", "remove", "second", "--yes")
	p.ends(t, cli.ExitRefused, "target", "get", "second")
	p.must(t, "target", "scan", "local")
	contains(t, "orphans", p.must(t, "orphan", "list"), "no orphans")
	p.ends(t, cli.ExitRefused, "orphan", "get", "orp_06d5xw7k3c8qf2v9m4n1r0t6ya")
	_, said := p.ends(t, cli.ExitRefused, "target", "add", "Bad_Name", "--driver", "sim", "--domain", "no domain", "--gateway", "ftp://x")
	for _, field := range []string{"name", "domain", "gateway"} {
		if !strings.Contains(said, field) {
			t.Errorf("no fault of %s: %s", field, said)
		}
	}
}

// TestExec: the command's streams and its exit code are those of the command here; what the server refuses is told as any other refusal.
func TestExec(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	p.create(t, "pr-1")
	r.Shell = func(_ context.Context, q target.ShellRequest) (int, error) {
		q.Opened("web-1", "app")
		typed, err := io.ReadAll(q.Stdin) // ends only when the end of the input was passed on
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(q.Stdout, "%s: %s", strings.Join(q.Command, " "), typed)
		fmt.Fprint(q.Stderr, "and an error\n")
		return 7, nil
	}
	p.in = "typed here\n"
	out, said := p.ends(t, 7, "env", "exec", "pr-1", "--component", "web", "--", "cat", "-n")
	if out != "cat -n: typed here\n" || said != "and an error\n" {
		t.Errorf("out %q, err %q", out, said)
	}
	usage(t, p, "behind -- a command", "env", "exec", "pr-1", "--component", "web")
	usage(t, p, "--component or --pod", "env", "exec", "pr-1", "--", "ls")
	p.must(t, "env", "sleep", "pr-1", "--wait")
	if _, said := p.ends(t, cli.ExitRefused, "env", "exec", "pr-1", "--component", "web", "--", "ls"); !strings.Contains(said, "asleep") && !strings.Contains(said, "sleep") {
		t.Errorf("an environment that sleeps says %s", said)
	}
}
