package cli_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestAPlanIsShownThenAskedAboutThenApplied(t *testing.T) {
	t.Parallel()
	create := []string{"env", "create", "--repo", shopRepository, "--name", "pr-1", "--param", "replicas=2", "--plan"}
	for name, tc := range map[string]struct {
		reason   string
		terminal bool
		in       string
		args     []string
		code     int
		made     bool
		prints   string
	}{
		"nobody to ask":  {"it is only shown", false, "", nil, cli.ExitDifference, false, "Create pr-1 of project default, revision 1\n"},
		"yes":            {"--yes applies without asking", false, "", []string{"--yes"}, 0, true, "pr-1 is "},
		"json":           {"a program reads the plan", false, "", []string{"-o", "json"}, cli.ExitDifference, false, `"kind": "create"`},
		"json terminal":  {"and is asked nothing", true, "y\n", []string{"-o", "json"}, cli.ExitDifference, false, `"kind": "create"`},
		"json yes":       {"one document, of the applied plan", false, "", []string{"-o", "json", "--yes"}, 0, true, `"applied_revision": 1`},
		"name":           {"the id alone", true, "y\n", []string{"-o", "name"}, cli.ExitDifference, false, "pln_"},
		"asked, yes":     {"a yes applies", true, "y\n", nil, 0, true, "pr-1 is "},
		"asked, no":      {"a no does not", true, "n\n", nil, cli.ExitDifference, false, "Objects: "},
		"asked, nothing": {"nor does silence", true, "", nil, cli.ExitDifference, false, "+ "},
		"wait":           {"it waits for what it applied", false, "", []string{"--yes", "--wait"}, 0, true, "pr-1 is ready at web-pr-1.apps.test\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := rooms(t)
			p.terminal, p.in = tc.terminal, tc.in
			out, said := p.ends(t, tc.code, append(create, tc.args...)...)
			contains(t, tc.reason, out, tc.prints)
			if asked := strings.Contains(said, "Apply? [y/N]"); asked != (tc.terminal && len(tc.args) == 0) {
				t.Errorf("%s: asked is %v: %s", tc.reason, asked, said)
			}
			if !tc.made {
				contains(t, tc.reason, said, "not applied; `blueberry plan apply pln_")
			}
			p.terminal = false
			if got := p.must(t, "env", "list", "-o", "name"); (got == "pr-1\n") != tc.made {
				t.Errorf("%s: there are %q", tc.reason, got)
			}
		})
	}
}

func TestAPlanWithoutADifferenceExitsZero(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1", "--set", "web.env.A=1")
	out, said := p.ends(t, 0, "env", "change", "pr-1", "--set", "web.env.A=1", "--plan")
	contains(t, "plan", out, "Change pr-1 of project default, revision 1: no difference\n")
	if strings.Contains(said, "Apply") || strings.Contains(said, "not applied") {
		t.Errorf("it asks about nothing: %s", said)
	}
	if got := p.must(t, "env", "change", "pr-1", "--set", "web.env.A=1"); got != "pr-1: no difference\n" {
		t.Errorf("change prints %q", got)
	}
	p.ends(t, cli.ExitDifference, "env", "change", "pr-1", "--set", "web.env.A=2", "--plan")
	p.ends(t, cli.ExitDifference, "env", "destroy", "pr-1", "--plan")
	p.ends(t, 0, "env", "change", "pr-1", "--refresh", "--plan")
}

func TestAPlanThatIsBlockedExitsAsARefusal(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	contains(t, "quota", p.must(t, "project", "quota", "default", "--environments", "0"), "all           environments  0     0\n")
	for _, args := range [][]string{nil, {"--yes"}, {"-o", "json"}, {"-o", "json", "--yes"}} {
		out, said := p.ends(t, cli.ExitRefused, append([]string{"env", "create", "--repo", shopRepository, "--name", "pr-1", "--plan"}, args...)...)
		contains(t, "error", said, "the plan cannot be applied as it is")
		if len(args) < 2 {
			contains(t, "plan", out, "environments  0     +1     0      no    project default\n", "It cannot be applied:\n")
		}
	}
	_, said := p.ends(t, cli.ExitRefused, "env", "create", "--repo", shopRepository, "--name", "pr-1")
	contains(t, "refusal", said, "quota.environments")
}

func TestPlansAreListedReadAndAppliedById(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	plan := reads[sdk.Plan](t, p, cli.ExitDifference, "env", "create", "--repo", shopRepository, "--name", "pr-1", "--plan")
	contains(t, "get", p.must(t, "plan", "get", plan.ID), "Create pr-1 of project default, revision 1\n", "plan     "+plan.ID, "lease    24 hours, from when it is applied", "+ Deployment.apps default-pr-1/web\n")
	contains(t, "get -o wide", p.must(t, "plan", "get", plan.ID, "-o", "wide"), "Inputs\n", "cost     not known: no prices are set for its target\n", "digest   sha256:")
	usage(t, p, "--yes is needed", "plan", "apply", plan.ID)
	usage(t, p, "--plan-id and --name, --repo cannot be given together", "env", "create", "--plan-id", plan.ID, "--name", "x", "--repo", "y")
	if got := p.must(t, "plan", "apply", plan.ID, "--yes", "--wait"); got != "pr-1 is ready at web-pr-1.apps.test\n" {
		t.Errorf("apply prints %q", got)
	}
	_, said := p.ends(t, cli.ExitRefused, "plan", "apply", plan.ID, "--yes")
	contains(t, "a second apply", said, "Error:")

	for _, tc := range []struct {
		kind string
		args []string
	}{
		{"change", []string{"env", "change", "pr-1", "--param", "replicas=2"}},
		{"rollback", []string{"env", "rollback", "pr-1", "1"}},
		{"destroy", []string{"env", "destroy", "pr-1"}},
	} {
		plan := reads[sdk.Plan](t, p, cli.ExitDifference, append(tc.args, "--plan")...)
		if plan.Kind != tc.kind {
			t.Errorf("plan is to %s, want %s", plan.Kind, tc.kind)
		}
		p.must(t, "plan", "apply", plan.ID, "--yes", "--wait")
	}
	contains(t, "list", p.must(t, "plan", "list", "pr-1"), "KIND", "destroy   3 → none", "rollback  2 → 3", "change    1 → 2", "applied")
	if got := strings.Count(p.must(t, "plan", "list", "pr-1", "--limit", "2", "-o", "name"), "pln_"); got != 2 {
		t.Errorf("--limit 2 gives %d", got)
	}
	contains(t, "note", p.err.String(), "--all lists them")
	_, said = p.ends(t, cli.ExitRefused, "plan", "get", "pln_none")
	contains(t, "unknown plan", said, "Error:")
}

func TestApplyShowsThePlanAndAsks(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	plan := reads[sdk.Plan](t, p, cli.ExitDifference, "env", "change", "pr-1", "--set", "web.env.A=1", "--plan")
	p.terminal, p.in = true, "no\n"
	out, said := p.ends(t, 0, "plan", "apply", plan.ID)
	contains(t, "question", said, "Change pr-1 of project default, revision 1 → 2\n", "+ web.env.A: 1  (override)", "Go on? [y/N]", "nothing was changed")
	if out != "" {
		t.Errorf("the result of nothing is %q", out)
	}
	p.in = "YES\n"
	p.ends(t, 0, "plan", "apply", plan.ID, "--wait")
	p.terminal = false
	contains(t, "history", p.must(t, "env", "history", "pr-1"), "2  ")
}

func TestAPlanIsRefusedWhenSomethingMoved(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	plan := reads[sdk.Plan](t, p, cli.ExitDifference, "env", "change", "pr-1", "--set", "web.env.A=1", "--plan")
	p.must(t, "env", "change", "pr-1", "--set", "web.env.B=1", "--wait")
	_, said := p.ends(t, cli.ExitRefused, "env", "change", "pr-1", "--plan-id", plan.ID)
	contains(t, "refusal", said, "inputs.environment")
	usage(t, p, "--plan-id and --set cannot be given together", "env", "change", "pr-1", "--plan-id", plan.ID, "--set", "web.env.A=1")
	again := reads[sdk.Plan](t, p, cli.ExitDifference, "env", "change", "pr-1", "--set", "web.env.A=1", "--plan")
	var paths []string
	for _, c := range again.Config {
		paths = append(paths, c.Path)
	}
	if diff := cmp.Diff([]string{"web.env.A"}, paths); diff != "" {
		t.Errorf("a later plan is not merged over what is there (-want +got):\n%s", diff)
	}
	if got := p.must(t, "env", "change", "pr-1", "--plan-id", again.ID, "--wait"); got != "pr-1 is ready at web-pr-1.apps.test\n" {
		t.Errorf("change --plan-id prints %q", got)
	}
}
