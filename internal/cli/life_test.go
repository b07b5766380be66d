package cli_test

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestSleepAndWakeOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	contains(t, "sleep", p.must(t, "env", "sleep", "pr-1", "--wait"), "pr-1 is sleeping")
	contains(t, "get of one that sleeps", p.must(t, "env", "get", "default/pr-1"), "asleep      since ", "by hand (admin)")
	_, said := p.ends(t, cli.ExitRefused, "env", "restart", "pr-1")
	contains(t, "restart of one that sleeps", said, "wake it first")
	contains(t, "wake", p.must(t, "env", "wake", "pr-1", "--wait"), "pr-1 is ready")
	contains(t, "wakes", p.must(t, "env", "wakes", "pr-1"), "WHEN", "fell asleep  hand  admin", "woke         hand  admin")
	if got := p.must(t, "env", "wakes", "pr-1", "-o", "name", "--limit", "1"); got != "hand\n" {
		t.Errorf("wakes -o name prints %q", got)
	}
	contains(t, "what is left out", p.err.String(), "there are more: --all lists them")
	p.must(t, "env", "destroy", "pr-1", "--yes", "--wait")
	for _, what := range []string{"sleep", "wake", "restart", "redeploy", "unpin", "open", "top"} {
		_, said := p.ends(t, cli.ExitRefused, "env", what, "pr-1")
		contains(t, what+" of one that is gone", said, "there is no environment pr-1 in project default")
	}
}

func TestSleepPoliciesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	if got := p.must(t, "env", "sleep-policy", "pr-1"); got != "pr-1: its project's policy\n  sleep: never by itself\n" {
		t.Errorf("no policy is shown as %q", got)
	}
	want := "pr-1: its own policy\n  sleep: after 30m without use\n  sleep: mon,tue,wed,thu,fri 19:00-07:00 Europe/Zurich\n  sleep: sat,sun 00:00-00:00 Europe/Zurich\n"
	if got := p.must(t, "env", "sleep-policy", "pr-1", "--idle", "30m", "--window", "mon-fri 19:00-07:00", "--window", "Sat,Sun  00:00-24:00", "--time-zone", "Europe/Zurich"); got != want {
		t.Errorf("the policy is shown as %q", got)
	}
	if got := p.must(t, "env", "sleep-policy", "pr-1"); got != want {
		t.Errorf("looking changes it to %q", got)
	}
	if got := reads[sdk.EnvironmentSleep](t, p, 0, "env", "sleep-policy", "pr-1"); got.Policy.IdleMinutes != 30 || len(got.Policy.Windows) != 2 {
		t.Errorf("the policy is %+v", got.Policy)
	}
	if got := p.must(t, "env", "sleep-policy", "pr-1", "--never"); got != "pr-1: its own policy\n  sleep: never by itself\n" {
		t.Errorf("--never is shown as %q", got)
	}
	contains(t, "project", p.must(t, "project", "life", "default", "--idle", "2h"), "default: environments may be pinned for 720h", "  sleep: after 2h without use\n")
	contains(t, "--never", p.must(t, "env", "sleep-policy", "pr-1"), "never by itself")
	if got := p.must(t, "env", "sleep-policy", "pr-1", "--as-project"); got != "pr-1: its project's policy\n  sleep: after 2h without use\n" {
		t.Errorf("--as-project is shown as %q", got)
	}
	contains(t, "pins", p.must(t, "project", "life", "default", "--pin-up-to", "14d"), "pinned for 336h", "after 2h without use")
	contains(t, "no pins", p.must(t, "project", "life", "default", "--pin-up-to", "none"), "pinned for no time")
	contains(t, "usual pins", p.must(t, "project", "life", "default", "--pin-up-to", "0", "--never"), "pinned for 720h, as nobody said otherwise", "never by itself")
	contains(t, "life", p.must(t, "project", "life", "default"), "pinned for 720h", "never by itself")
	if got := reads[sdk.Project](t, p, 0, "project", "life", "default"); got.Name != "default" {
		t.Errorf("life -o json gives %+v", got)
	}
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"idle":            {[]string{"env", "sleep-policy", "pr-1", "--idle", "often"}, `--idle: "often" is no length of time in minutes`},
		"seconds":         {[]string{"env", "sleep-policy", "pr-1", "--idle", "90s"}, "in minutes"},
		"no time":         {[]string{"env", "sleep-policy", "pr-1", "--idle", "0"}, "in minutes"},
		"two":             {[]string{"env", "sleep-policy", "pr-1", "--idle", "x", "--window", "y"}, "--window: \"y\""},
		"never and idle":  {[]string{"env", "sleep-policy", "pr-1", "--idle", "1h", "--never"}, "cannot be given together"},
		"never and as":    {[]string{"env", "sleep-policy", "pr-1", "--as-project", "--never"}, "cannot be given together"},
		"as and window":   {[]string{"env", "sleep-policy", "pr-1", "--as-project", "--window", "sun 01:00-02:00"}, "cannot be given together"},
		"project never":   {[]string{"project", "life", "default", "--never", "--idle", "1h"}, "cannot be given together"},
		"project pin":     {[]string{"project", "life", "default", "--pin-up-to", "long"}, `"long" is not a length of time`},
		"project windows": {[]string{"project", "life", "default", "--window", "mon 1-2"}, "is not days and hours"},
	} {
		t.Log(name)
		usage(t, p, tc.says, tc.args...)
	}
	_, said := p.ends(t, cli.ExitRefused, "env", "sleep-policy", "pr-1", "--idle", "1m", "--time-zone", "Mars/Base")
	contains(t, "refusal", said, "idle_minutes: is 1 minutes", "time_zone: ")
}

func TestPinsAndLinksOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	contains(t, "pin", p.must(t, "env", "pin", "pr-1", "--for", "14d", "--reason", "a customer tries it"), "pr-1 expires in 14d (20", ", pinned by admin\n")
	contains(t, "get", p.must(t, "env", "get", "pr-1"), "pinned by admin")
	got := p.must(t, "env", "unpin", "pr-1")
	contains(t, "unpin", got, "pr-1 expires in ")
	if strings.Contains(got, "pinned") {
		t.Errorf("unpin prints %q", got)
	}
	usage(t, p, "--for is needed", "env", "pin", "pr-1")
	usage(t, p, `"90m" is not a length of time`, "env", "pin", "pr-1", "--for", "90m")
	_, said := p.ends(t, cli.ExitRefused, "env", "pin", "pr-1", "--for", "31d")
	contains(t, "too long", said, "hours")
	before := reads[sdk.Environment](t, p, 0, "env", "get", "pr-1")
	link := strings.TrimSpace(p.must(t, "env", "extend", "pr-1", "--by", "2h", "--link"))
	if !strings.HasPrefix(link, "https://") || strings.ContainsAny(link, " \n") {
		t.Errorf("the link is %q", link)
	}
	contains(t, "about the link", p.err.String(), "can extend pr-1 by 2 hours, once, until 20", "not shown again")
	if got := p.must(t, "env", "extend", "pr-1", "--link", "-o", "name"); !strings.HasPrefix(got, "https://") || p.err.String() != "" {
		t.Errorf("--link -o name prints %q and says %q", got, p.err.String())
	}
	if after := reads[sdk.Environment](t, p, 0, "env", "get", "pr-1"); !after.ExpiresAt.Equal(before.ExpiresAt) {
		t.Error("making a link extends the lease")
	}
}

func TestMovesOfPodsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	contains(t, "restart", p.must(t, "env", "restart", "pr-1"), "restarts deployment/")
	if got := p.must(t, "env", "restart", "pr-1", "--component", "web", "-o", "name"); got != "deployment/web\n" {
		t.Errorf("restart -o name prints %q", got)
	}
	_, said := p.ends(t, cli.ExitRefused, "env", "restart", "pr-1", "--component", "none")
	contains(t, "no such component", said, `component: there is no component "none"; there are web`)
	if got := p.must(t, "env", "scale", "pr-1", "--component", "web", "--replicas", "3"); got != "pr-1 runs 3 pods of web as of revision 2\n" {
		t.Errorf("scale prints %q", got)
	}
	if got := p.must(t, "env", "scale", "pr-1", "--component", "web", "--replicas", "3"); got != "web runs as many already\n" {
		t.Errorf("scale to the same prints %q", got)
	}
	_, said = p.ends(t, cli.ExitRefused, "env", "scale", "pr-1", "--component", "web", "--replicas", "0")
	contains(t, "no pods", said, "replicas: is 0, must be 1 to 100; an environment that should run nothing sleeps")
	usage(t, p, "--component is needed\n  --replicas is needed", "env", "scale", "pr-1")
	p.ends(t, cli.ExitRefused, "env", "scale", "pr-1", "--component", "web", "--replicas", "-1")
	contains(t, "redeploy", p.must(t, "env", "redeploy", "pr-1", "--wait"), "pr-1 is ready")

	contains(t, "top", p.must(t, "env", "top", "pr-1"), "COMPONENT  POD    CPU   REQUEST  LIMIT  MEMORY  REQUEST  LIMIT\n", "web        web-1  250m  -        500m   96Mi    64Mi     -\n")
	contains(t, "top -o wide", p.must(t, "env", "top", "pr-1", "-o", "wide"), "MEASURED")
	opened := ""
	p.browse = func(address string) error { opened = address; return nil }
	host := reads[sdk.Environment](t, p, 0, "env", "get", "pr-1").Hosts
	if len(host) > 0 {
		if got := p.must(t, "env", "open", "pr-1"); got != "http://"+host[0]+"\n" || opened != "http://"+host[0] {
			t.Errorf("open prints %q and opens %q", got, opened)
		}
		opened = ""
		p.must(t, "env", "open", "pr-1", "--print")
		p.must(t, "env", "open", "pr-1", "-o", "json")
		if opened != "" {
			t.Errorf("it opens %q", opened)
		}
	} else {
		_, said := p.ends(t, cli.ExitError, "env", "open", "pr-1")
		contains(t, "open", said, "pr-1 has no address: none of its components is public")
	}
}

func TestOneObjectOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	both := p.must(t, "env", "object", "pr-1", "deployment.apps/web")
	contains(t, "object", both, "--- # desired\n", "--- # live\n", "kind: Deployment\n")
	if got := p.must(t, "env", "object", "pr-1", "Deployment/web", "--live"); strings.Contains(got, "---") || !strings.Contains(both, got) {
		t.Errorf("--live prints %q", got)
	}
	if got := p.must(t, "env", "object", "pr-1", "deployment/web", "--desired"); strings.Contains(got, "---") || !strings.Contains(both, got) {
		t.Errorf("--desired prints %q", got)
	}
	if got := p.must(t, "env", "object", "pr-1", "deployment/web", "-o", "name"); got != "deployment/web\n" {
		t.Errorf("-o name prints %q", got)
	}
	_, said := p.ends(t, cli.ExitRefused, "env", "object", "pr-1", "deployment/none")
	contains(t, "unknown", said, "pr-1 has no deployment/none; blueberry env objects lists what it has")
	usage(t, p, `"web" does not name an object`, "env", "object", "pr-1", "web")
	usage(t, p, "cannot be given together", "env", "object", "pr-1", "deployment/web", "--live", "--desired")
	usage(t, p, "takes 2 argument(s)", "env", "object", "pr-1")
}
