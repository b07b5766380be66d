package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

// inputs are what the desired revision of an environment is made of.
func inputs(t *testing.T, p *person, name string) sdk.Revision {
	t.Helper()
	return reads[[]sdk.Revision](t, p, 0, "env", "history", name, "--limit", "1")[0]
}

func TestChangesAreMergedOverWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"a.yaml": "web: {env: {A: from a, B: from a}}\n", "b.json": `{"web": {"env": {"B": "from b"}}}`, "bad.yaml": "web: {env: {A: yes}}\n", "config.yaml": "web: {env: {C: set}}\n"})
	file := func(name string) string { return filepath.Join(dir, name) }
	_, p := rooms(t)
	p.must(t, "config", "create", "one", "--file", file("config.yaml"))
	p.must(t, "config", "create", "two", "--global", "--file", file("config.yaml"))
	p.create(t, "pr-1", "--set", "web.env.X=1", "--config", "one", "--param", "replicas=2")
	type state struct {
		Overrides  map[string]any
		Parameters map[string]any
		Config     []string
	}
	for _, step := range []struct {
		reason string
		args   []string
		want   state
	}{
		{"--set is merged over the overrides", []string{"--set", "web.env.Y=two"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"X": 1.0, "Y": "two"}}}, map[string]any{"replicas": 2.0}, []string{"one"}}},
		{"later files win over earlier ones, --set over files", []string{"--values", file("a.yaml"), "--values", file("b.json"), "--set", "web.env.A=set"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"X": 1.0, "Y": "two", "A": "set", "B": "from b"}}}, map[string]any{"replicas": 2.0}, []string{"one"}}},
		{"--unset takes away, null stays to delete", []string{"--unset", "web.env.A", "--unset", "web.env.B", "--unset", "web.env.Y", "--set", "web.ingress.annotations=null"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"X": 1.0}, "ingress": map[string]any{"annotations": nil}}}, map[string]any{"replicas": 2.0}, []string{"one"}}},
		{"--replace-values leaves what is given", []string{"--replace-values", "--set-string", "web.env.Z=1"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, map[string]any{"replicas": 2.0}, []string{"one"}}},
		{"--add-config puts one on top", []string{"--add-config", "global/two"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, map[string]any{"replicas": 2.0}, []string{"one", "global/two"}}},
		{"--add-config of one that is there pins it in its place", []string{"--add-config", "one@1"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, map[string]any{"replicas": 2.0}, []string{"one@1", "global/two"}}},
		{"--drop-config needs no version", []string{"--drop-config", "one"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, map[string]any{"replicas": 2.0}, []string{"global/two"}}},
		{"--config is the whole list", []string{"--config", "one,global/two@1"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, map[string]any{"replicas": 2.0}, []string{"one", "global/two@1"}}},
		{"an empty --config is none", []string{"--config", ""}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, map[string]any{"replicas": 2.0}, []string{}}},
		{"a parameter is merged too", []string{"--param", "level=debug"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, map[string]any{"replicas": 2.0, "level": "debug"}, []string{}}},
		{"null takes the blueprint's default", []string{"--param", "level=null", "--param", "replicas=null"}, state{map[string]any{"web": map[string]any{"env": map[string]any{"Z": "1"}}}, nil, []string{}}},
		{"no overrides at all", []string{"--replace-values", "--reason", "from scratch"}, state{nil, nil, []string{}}},
	} {
		contains(t, step.reason, p.must(t, append([]string{"env", "change", "pr-1", "--wait"}, step.args...)...), "pr-1 is ready")
		r := inputs(t, p, "pr-1")
		got := state{Overrides: r.Overrides, Parameters: r.Parameters, Config: []string{}}
		for _, u := range r.ConfigSets {
			got.Config = append(got.Config, u.Ref)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.reason, diff)
		}
	}
	if r := inputs(t, p, "pr-1"); r.Number != 13 || r.Reason != "from scratch" || r.Author != "admin" {
		t.Errorf("the last revision is %+v", r)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":        {nil, cli.ExitUsage, "name what is to change"},
		"reason alone":   {[]string{"--reason", "x"}, cli.ExitUsage, "name what is to change"},
		"both lists":     {[]string{"--config", "one", "--add-config", "two"}, cli.ExitUsage, "--config names the whole list"},
		"blueprints":     {[]string{"--from", "shop", "--path", "x"}, cli.ExitUsage, "each name a blueprint"},
		"unset nothing":  {[]string{"--replace-values", "--unset", "web.x"}, cli.ExitUsage, "--unset is too much"},
		"unset no path":  {[]string{"--unset", "web..x"}, cli.ExitUsage, "--unset: "},
		"unset absent":   {[]string{"--unset", "web.env.NONE"}, cli.ExitRefused, "has no override at web.env.NONE"},
		"drop absent":    {[]string{"--drop-config", "none"}, cli.ExitRefused, "config set none is not one"},
		"set":            {[]string{"--set", "web"}, cli.ExitUsage, "has no value"},
		"set clash":      {[]string{"--set", "web.a=1", "--set", "web.a.b=1"}, cli.ExitUsage, "web.a is given a value, and something below it too"},
		"set list":       {[]string{"--set", "web.a[0]=1"}, cli.ExitUsage, "items of a list"},
		"param":          {[]string{"--param", "x"}, cli.ExitUsage, "is not name=value"},
		"doubtful":       {[]string{"--values", file("bad.yaml")}, cli.ExitRefused, "can be read in two ways"},
		"no file":        {[]string{"--values", file("none.yaml")}, cli.ExitError, "none.yaml"},
		"input twice":    {[]string{"--values", "-", "--values", "-"}, cli.ExitUsage, "the input can be read once"},
		"component":      {[]string{"--set", "none.a=1"}, cli.ExitRefused, "overrides.none"},
		"parameter":      {[]string{"--param", "none=1"}, cli.ExitRefused, "parameters.none"},
		"parameter type": {[]string{"--param", "replicas=many"}, cli.ExitRefused, "parameters.replicas"},
		"config set":     {[]string{"--config", "none"}, cli.ExitRefused, "config_sets[0]"},
		"strict":         {[]string{"--set", "web.resources.x=1", "--strict"}, cli.ExitRefused, "overrides.web.resources"},
		"ref":            {[]string{"--ref", "none"}, cli.ExitRefused, "source.ref"},
	} {
		_, said := p.ends(t, tc.code, append([]string{"env", "change", "pr-1"}, tc.args...)...)
		contains(t, name, said, tc.says)
	}
	out, _ := p.ends(t, cli.ExitDifference, "env", "change", "pr-1", "--set", "web.resources.x=1", "--plan")
	contains(t, "dropped field", out, "Warnings\n  overrides.web.resources", "No object and no value changes")
}

func TestAChangeOfTheSource(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	first := r.Push(shopRepository, map[string]string{"blueberry.yaml": webBlueprint})
	p.create(t, "pr-1", "--ref", "main")
	if got := p.must(t, "env", "refresh", "pr-1"); got != "pr-1: no difference\n" {
		t.Errorf("refresh prints %q", got)
	}
	second := r.Push(shopRepository, map[string]string{"blueberry.yaml": strings.Replace(webBlueprint, "acme/web:1", "acme/web:2", 1), "other.yaml": strings.Replace(webBlueprint, "acme/web:1", "acme/web:3", 1)})
	contains(t, "refresh", p.must(t, "env", "refresh", "pr-1", "--wait"), "pr-1 is ready")
	contains(t, "image", p.must(t, "env", "rendering", "pr-1"), "acme/web:2")
	p.must(t, "env", "change", "pr-1", "--path", "other.yaml", "--wait")
	contains(t, "path", p.must(t, "env", "rendering", "pr-1"), "acme/web:3")
	p.must(t, "env", "change", "pr-1", "--ref", first, "--path", "", "--wait")
	contains(t, "ref", p.must(t, "env", "rendering", "pr-1"), "acme/web:1")
	p.must(t, "env", "change", "pr-1", "--ref", "", "--wait")
	if got := inputs(t, p, "pr-1").Source; got.Ref != "" || got.Commit != second {
		t.Errorf("an empty --ref is not the default branch: %+v", got)
	}
	p.in = strings.Replace(webBlueprint, "acme/web:1", "acme/web:4", 1)
	p.must(t, "env", "change", "pr-1", "--blueprint", "-", "--wait")
	contains(t, "blueprint", p.must(t, "env", "rendering", "pr-1"), "acme/web:4")
	p.must(t, "blueprint", "publish", "--repo", shopRepository)
	p.must(t, "env", "change", "pr-1", "--from", "shop", "--wait")
	contains(t, "get", p.must(t, "env", "get", "pr-1"), "kind        preview\n", "blueprint   shop@1\n", "drift       none; put back at once\n")
	contains(t, "image of the catalogue", p.must(t, "env", "rendering", "pr-1"), "acme/web:2")
}

func TestHistoryDiffRollbackAndHolds(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	values := filepath.Join(write(t, t.TempDir(), map[string]string{"a.yaml": "web: {env: {C: one}}\n"}), "a.yaml")
	p.must(t, "config", "create", "shop", "--file", values)
	p.create(t, "pr-1", "--config", "shop@1")
	bad := r.Push(shopRepository, map[string]string{"blueberry.yaml": strings.Replace(webBlueprint, "acme/web:1", "acme/web:bad", 1)})
	p.must(t, "env", "change", "pr-1", "--refresh", "--reason", "the new release", "--wait")

	contains(t, "history", p.must(t, "env", "history", "pr-1"), "REVISION  WHEN", "2         ", "admin", bad[:12], "shop@1", "the new release\n")
	contains(t, "history -o wide", p.must(t, "env", "history", "pr-1", "-o", "wide"), "PLAN", "pln_", shopRepository+", blueberry.yaml, at "+bad[:12])
	if got := p.must(t, "env", "history", "pr-1", "-o", "name"); got != "2\n1\n" {
		t.Errorf("history -o name prints %q", got)
	}
	diff := p.must(t, "env", "diff", "pr-1", "1")
	contains(t, "diff", diff, "pr-1, revision 1 → 2\n", "Inputs: ", "commit "+shopRepository, "web.image: acme/web:1 → acme/web:bad  (blueprint)\n", "~ Deployment.apps default-pr-1/web\n", ".image: acme/web:1 → acme/web:bad\n")
	if again := p.must(t, "env", "diff", "pr-1", "1", "2"); again != diff {
		t.Errorf("the desired revision is not what is compared with:\n%s", again)
	}
	contains(t, "diff of nothing", p.must(t, "env", "diff", "pr-1", "2", "2"), "no difference")
	if d := reads[sdk.RevisionDiff](t, p, 0, "env", "diff", "pr-1", "1", "2"); d.To.Number != 2 || len(d.Objects) == 0 {
		t.Errorf("diff -o json is %+v", d)
	}

	usage(t, p, "--yes is needed", "env", "rollback", "pr-1", "1")
	usage(t, p, "is not the number of a revision", "env", "rollback", "pr-1", "first")
	usage(t, p, "is not the number of a revision", "env", "diff", "pr-1", "0")
	_, said := p.ends(t, cli.ExitRefused, "env", "rollback", "pr-1", "7", "--yes")
	contains(t, "no such revision", said, "revision: ")
	p.terminal, p.in = true, "\n"
	_, said = p.ends(t, 0, "env", "rollback", "pr-1", "1")
	contains(t, "question", said, "This brings pr-1 back from revision 2 to what revision 1 was, as a new revision:\n", "it holds commit "+shopRepository+" "+bad[:12]+"\n", "[y/N]", "nothing was changed")
	p.terminal = false
	p.must(t, "env", "rollback", "pr-1", "1", "--yes", "--reason", "errors", "--wait")
	contains(t, "image", p.must(t, "env", "rendering", "pr-1"), "acme/web:1\n")

	contains(t, "holds", p.must(t, "env", "holds", "pr-1"), "commit  "+shopRepository+"  "+bad[:12], "admin", "errors")
	if got := p.must(t, "env", "holds", "pr-1", "-o", "name"); got != bad+"\n" {
		t.Errorf("holds -o name prints %q", got)
	}
	if got := p.must(t, "env", "refresh", "pr-1"); got != "pr-1: no difference\n" {
		t.Errorf("refresh brings back what is held: %q", got)
	}
	_, said = p.ends(t, cli.ExitRefused, "env", "release-hold", "pr-1", "config_set")
	contains(t, "no such hold", said, "pr-1 holds nothing of that kind, name and value")
	usage(t, p, "--all releases every hold", "env", "release-hold", "pr-1", "commit", "--all")
	usage(t, p, "or --all", "env", "release-hold", "pr-1")
	p.terminal, p.in = true, "n\n"
	_, said = p.ends(t, 0, "env", "release-hold", "pr-1")
	contains(t, "question", said, "This releases every hold of pr-1:\n  commit "+shopRepository+" "+bad)
	p.terminal = false
	if got := p.must(t, "env", "release-hold", "pr-1", "commit", shopRepository, bad[:8]); got != "released commit "+shopRepository+" "+bad+"\n" {
		t.Errorf("release-hold prints %q", got)
	}
	if got := p.must(t, "env", "holds", "pr-1"); got != "no holds\n" {
		t.Errorf("there are %q", got)
	}
}

func TestDriftOnTheCommandLine(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	p.create(t, "pr-1")
	if got := p.must(t, "env", "drift", "pr-1", "--exit-code"); got != "pr-1 is as desired\n" {
		t.Errorf("drift prints %q", got)
	}
	if got := p.must(t, "env", "drift-policy", "pr-1"); got != "pr-1: repair\n" {
		t.Errorf("the policy is %q", got)
	}
	if got := p.must(t, "env", "drift-policy", "pr-1", "--mode", "report", "--ignore", "*/web:spec.minReplicas"); got != "pr-1: report\n  ignores */web:spec.minReplicas\n" {
		t.Errorf("the policy is %q", got)
	}
	scaler := blueberry.ObjectRef{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler", Namespace: "default-pr-1", Name: "web"}
	if err := r.Place.Patch(scaler, []byte(`{"spec": {"maxReplicas": 3, "minReplicas": 2}}`)); err != nil {
		t.Fatal(err)
	}
	out, _ := p.ends(t, cli.ExitDifference, "env", "drift", "pr-1", "--exit-code")
	contains(t, "drift", out, "pr-1: 1 object differs", "it is told and left alone\n~ HorizontalPodAutoscaler.autoscaling default-pr-1/web\n", "    spec.maxReplicas: 10 → 3")
	if strings.Contains(out, "minReplicas") {
		t.Errorf("what is ignored is told:\n%s", out)
	}
	contains(t, "drift -o wide", p.must(t, "env", "drift", "pr-1", "-o", "wide"), "ignored: */web:spec.minReplicas\n")
	if got := p.must(t, "env", "drift", "pr-1", "-o", "name"); got != "HorizontalPodAutoscaler.autoscaling default-pr-1/web\n" {
		t.Errorf("drift -o name prints %q", got)
	}
	if got := p.must(t, "env", "drift-policy", "pr-1", "--mode", "report"); got != "pr-1: report\n  ignores */web:spec.minReplicas\n" {
		t.Errorf("--mode alone loses the rules: %q", got)
	}
	if got := p.must(t, "env", "drift-policy", "pr-1", "--no-ignore"); got != "pr-1: report\n" {
		t.Errorf("the policy is %q", got)
	}
	contains(t, "list", p.must(t, "env", "list", "-o", "wide"), "DRIFT")
	usage(t, p, "cannot be given together", "env", "drift-policy", "pr-1", "--ignore", "a/b:c", "--no-ignore")
	for _, rule := range []string{"a", "a/b", "a:b", "/b:c", "a/:c", "a/b:"} {
		usage(t, p, "KIND/NAME:PATH", "env", "drift-policy", "pr-1", "--ignore", rule)
	}
	_, said := p.ends(t, cli.ExitRefused, "env", "drift-policy", "pr-1", "--mode", "odd")
	contains(t, "refusal", said, "mode: ")
}
