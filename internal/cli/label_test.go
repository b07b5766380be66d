package cli_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestLabelsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.must(t, "env", "create", "--repo", shopRepository, "--name", "pr-1", "--wait", "--label", "team=shop", "--label", "demo=")
	p.create(t, "pr-2")
	contains(t, "get", p.must(t, "env", "get", "pr-1"), "labels      demo=, team=shop\n")
	contains(t, "wide", p.must(t, "env", "list", "-o", "wide"), "LABELS", "demo=,team=shop")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a label":  {[]string{"--label", "team=shop"}, "pr-1\n"},
		"a key":    {[]string{"--label", "demo"}, "pr-1\n"},
		"both":     {[]string{"--label", "demo", "--label", "team=shop"}, "pr-1\n"},
		"another":  {[]string{"--label", "demo", "--label", "team=pay"}, ""},
		"as text":  {[]string{"--search", "TEAM=sh"}, "pr-1\n"},
		"no label": {[]string{"--sort", "name"}, "pr-1\npr-2\n"},
	} {
		if got := p.must(t, append([]string{"env", "list", "-o", "name"}, c.args...)...); got != c.want {
			t.Errorf("%s lists %q", name, got)
		}
	}
	if got := p.must(t, "env", "label", "pr-1", "team=pay", "tier=web", "demo-", "not-there-"); got != "pr-1 has 2 labels\n  team=pay\n  tier=web\n" {
		t.Errorf("set as %q", got)
	}
	if got := p.must(t, "env", "label", "pr-1"); got != "pr-1 has 2 labels\n  team=pay\n  tier=web\n" {
		t.Errorf("looking changes it to %q", got)
	}
	if got := reads[map[string]string](t, p, 0, "env", "label", "pr-1"); !cmp.Equal(got, map[string]string{"team": "pay", "tier": "web"}) {
		t.Errorf("as JSON: %v", got)
	}
	if got := reads[sdk.Environment](t, p, 0, "env", "get", "pr-1"); got.Labels["team"] != "pay" {
		t.Errorf("the environment has %v", got.Labels)
	}
	contains(t, "completion", p.must(t, "__complete", "env", "label", "pr-1", ""), "team-\tis team=pay\n")
	contains(t, "completion of a list", p.must(t, "__complete", "env", "list", "--label", "ti"), "tier=web\n")
	if got := p.must(t, "env", "label", "pr-1", "team-", "tier-"); got != "pr-1 has 0 labels\n" {
		t.Errorf("without any: %q", got)
	}
	for _, args := range [][]string{{"team"}, {"=x"}, {"a=1", "a=2"}, {"a=1", "a-"}, {"-"}} {
		_, said := p.ends(t, cli.ExitUsage, append([]string{"env", "label", "pr-1", "--"}, args...)...)
		contains(t, args[0], said, "each key once")
	}
	_, said := p.ends(t, cli.ExitRefused, "env", "label", "pr-1", "k8s.io/x=a b", "c=d e")
	contains(t, "faults", said, "labels.c: ", "labels.k8s.io/x: the prefix k8s.io belongs to programs")
	_, said = p.ends(t, cli.ExitRefused, "env", "create", "--repo", shopRepository, "--name", "pr-3", "--label", "c=d e")
	contains(t, "faults of a new one", said, "labels.c: ")
	usage(t, p, "each key once", "env", "create", "--repo", shopRepository, "--name", "pr-3", "--label", "demo")
}
