package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/sdk"
)

const shop = `apiVersion: blueberry.dev/v1
kind: Blueprint
name: shop
components:
  - name: web
    image: nginx:1
    values: {replicas: 2, big: 12345678901234567}
`

func TestTheLifeOfAnEnvironmentOnTheCommandLine(t *testing.T) {
	t.Parallel()
	h, p := house(t)
	if got := p.must(t, "env", "create", "--repo", httpapitest.Repository, "--ref", "main", "--name", "pr-1", "--ttl", "2d"); got != "pr-1 is pending\n" {
		t.Errorf("create prints %q", got)
	}
	contains(t, "create's way", p.err.String(), "accepted pr-1 as env_", "expires in 48h")

	contains(t, "get", p.must(t, "env", "get", "pr-1"), "phase       pending", "project     default", "source      "+httpapitest.Repository+", at main", "CONDITION", "Rendered   True")
	contains(t, "get wide", p.must(t, "env", "get", "default/pr-1", "-o", "wide"), "expires     20")
	contains(t, "list", p.must(t, "env", "list"), "NAME  PROJECT  PHASE", "pr-1  default  pending  in 48h")
	contains(t, "list wide", p.must(t, "env", "list", "-o", "wide"), "NAMESPACE", "default-pr-1", "env_")
	if got := p.must(t, "env", "list", "-o", "name"); got != "pr-1\n" {
		t.Errorf("list -o name prints %q", got)
	}
	if got := p.must(t, "env", "list", "--phase", "ready"); got != "no environments\n" {
		t.Errorf("an empty list prints %q", got)
	}
	contains(t, "extend", p.must(t, "env", "extend", "pr-1", "--by", "5"), "pr-1 expires in 53h (20")
	contains(t, "events", p.must(t, "env", "events", "pr-1"), "environment.requested", "environment.lease_extended")
	contains(t, "rendering", p.must(t, "env", "rendering", "pr-1"), "---\n# 00-web.yaml\napiVersion: v1\n", "# <&>\n")
	contains(t, "objects", p.must(t, "env", "objects", "pr-1"), "service", "exists")
	if got := p.must(t, "env", "objects", "pr-1", "-o", "name"); got != "service/web\n" {
		t.Errorf("objects -o name prints %q", got)
	}
	if got := p.must(t, "env", "destroy", "pr-1", "--yes"); got != "pr-1 is terminating\n" {
		t.Errorf("destroy prints %q", got)
	}
	h.Move(t, "pr-1", blueberry.Terminated, blueberry.EnvironmentTerminated, "Gone", "everything is proven gone")
	contains(t, "receipt of one that is gone, by its name", p.must(t, "env", "objects", "pr-1"), "gone ")
	contains(t, "get of one that is gone", p.must(t, "env", "get", "pr-1"), "terminated")
	if code := p.types(t.Context(), "env", "extend", "pr-1"); code != cli.ExitRefused {
		t.Errorf("extend of one that is gone exits %d", code)
	}
}

func TestOutputForms(t *testing.T) {
	t.Parallel()
	h, p := house(t)
	h.AddJob(blueberry.Job{ID: 7, Kind: blueberry.JobEnvironmentReconcile, Subject: "env_1", State: blueberry.JobDead, LastError: "target is down"})
	file := filepath.Join(write(t, t.TempDir(), map[string]string{"blueberry.yaml": shop}), "blueberry.yaml")
	p.must(t, "env", "create", "--blueprint", file, "--name", "pr-1")
	for name, args := range map[string][]string{
		"env get": {"env", "get", "pr-1"}, "env list": {"env", "list"}, "env events": {"env", "events", "pr-1"}, "env extend": {"env", "extend", "pr-1", "--by", "1h"},
		"env rendering": {"env", "rendering", "pr-1"}, "env objects": {"env", "objects", "pr-1"}, "job list": {"job", "list"}, "job get": {"job", "get", "7"},
		"blueprint validate": {"blueprint", "validate", file}, "blueprint render": {"blueprint", "render", file}, "target list": {"target", "list"}, "version": {"version"},
		"job retry": {"job", "retry", "7"}, "job cancel": {"job", "cancel", "7"},
	} {
		var fromJSON, fromYAML any
		if err := json.Unmarshal([]byte(p.must(t, append(args, "-o", "json")...)), &fromJSON); err != nil {
			t.Errorf("%s -o json: %v", name, err)
		}
		if err := yaml.Unmarshal([]byte(p.must(t, append(args, "-o", "yaml")...)), &fromYAML); err != nil {
			t.Errorf("%s -o yaml: %v", name, err)
		}
		for _, form := range []string{"wide", "name"} {
			if p.must(t, append(args, "-o", form)...) == "" {
				t.Errorf("%s -o %s prints nothing", name, form)
			}
		}
		if p.must(t, append(args, "-q")...) == "" || p.err.String() != "" {
			t.Errorf("%s -q prints %q, and says %q on the way", name, p.out.String(), p.err.String())
		}
	}
	var e sdk.Environment
	if err := json.Unmarshal([]byte(p.must(t, "env", "get", "pr-1", "-o", "json")), &e); err != nil || e.Name != "pr-1" {
		t.Errorf("env get -o json is not what the API gives: %v", err)
	}
	contains(t, "job get", p.must(t, "job", "get", "7"), "error     target is down", "subject   env_1")
	p.must(t, "job", "retry", "7")
	contains(t, "job after retry", p.must(t, "job", "get", "7"), "state     waiting")
	p.must(t, "job", "cancel", "7")
	contains(t, "job after cancel", p.must(t, "job", "get", "7"), "state     cancelled")
	contains(t, "YAML", p.must(t, "env", "rendering", "pr-1", "-o", "yaml"), "content: |\n", "apiVersion: v1\n")
}

func TestFaultsArePrintedOneToALine(t *testing.T) {
	t.Parallel()
	_, p := house(t)
	if code := p.types(t.Context(), "env", "create", "--repo", "https://git.test/none.git", "--name", "Pr_1", "--ttl", "0"); code != cli.ExitRefused {
		t.Errorf("exit %d", code)
	}
	want := `Error: 3 fields are not valid
  ttl_hours: is 0 hours, must be 1 to 168
  name: "Pr_1" must be lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit
  source.repository: https://git.test/none.git does not exist
`
	if diff := cmp.Diff(want, p.err.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDestroyAsksFirst(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, in string
		terminal   bool
		code       int
		phase      string
	}{
		"no terminal": {"nobody can be asked", "", false, cli.ExitUsage, "pending"},
		"yes":         {"a yes", "y\n", true, 0, "terminating"},
		"no":          {"a no", "n\n", true, 0, "pending"},
		"enter":       {"silence is no", "\n", true, 0, "pending"},
		"end":         {"the input ends", "", true, 0, "pending"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := house(t)
			p.must(t, "env", "create", "--repo", httpapitest.Repository, "--name", "pr-1")
			p.in, p.terminal = tc.in, tc.terminal
			if code := p.types(t.Context(), "env", "destroy", "pr-1"); code != tc.code {
				t.Errorf("%s: exit %d, want %d: %s", tc.reason, code, tc.code, p.err.String())
			}
			if tc.terminal {
				contains(t, "question", p.err.String(), "1 objects and the namespace default-pr-1 on target local", "its files in Git", "[y/N]")
			}
			p.terminal = false
			contains(t, tc.reason, p.must(t, "env", "get", "pr-1"), tc.phase)
		})
	}
}

func TestBlueprintsOfThisMachine(t *testing.T) {
	t.Parallel()
	_, p := house(t)
	dir := write(t, t.TempDir(), map[string]string{
		"blueberry.yaml": shop, "other.yaml": strings.ReplaceAll(shop, "nginx:1", "nginx"), "broken.yaml": "name: [", "typo.yaml": shop + "colour: red\n",
		"kind.yaml": strings.ReplaceAll(shop, "kind: Blueprint", "kind: Deployment"),
	})
	contains(t, "validate DIR", p.must(t, "blueprint", "validate", dir), "shop is valid: 1 component(s), 1 object(s)")
	contains(t, "render FILE", p.must(t, "blueprint", "render", filepath.Join(dir, "blueberry.yaml")), "# 00-web.yaml")
	p.in = shop
	contains(t, "validate -", p.must(t, "blueprint", "validate", "-"), "shop is valid")
	out := filepath.Join(t.TempDir(), "out")
	p.must(t, "blueprint", "render", dir, "--dir", out)
	if data, err := os.ReadFile(filepath.Join(out, "00-web.yaml")); err != nil || !strings.Contains(string(data), "kind: Service") {
		t.Errorf("render --dir: %v %s", err, data)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"fault":           {[]string{"blueprint", "validate", filepath.Join(dir, "other.yaml")}, cli.ExitRefused, `blueprint.components[0].image: "nginx" has neither tag nor digest`},
		"no file":         {[]string{"blueprint", "validate", filepath.Join(dir, "none")}, cli.ExitError, "none"},
		"both":            {[]string{"blueprint", "validate", dir, "--repo", "x"}, cli.ExitUsage, "--repo"},
		"ref alone":       {[]string{"blueprint", "render", "--ref", "x"}, cli.ExitUsage, "--repo is needed"},
		"no repository":   {[]string{"blueprint", "validate", "--repo", "https://none.test"}, cli.ExitRefused, "source.repository"},
		"create broken":   {[]string{"env", "create", "--name", "x", "--blueprint", filepath.Join(dir, "broken.yaml")}, cli.ExitRefused, "line 1"},
		"create typo":     {[]string{"env", "create", "--name", "x", "--blueprint", filepath.Join(dir, "typo.yaml")}, cli.ExitRefused, `unknown field "colour"`},
		"create no kind":  {[]string{"env", "create", "--name", "x", "--blueprint", filepath.Join(dir, "kind.yaml")}, cli.ExitRefused, "kind is Deployment"},
		"create no image": {[]string{"env", "create", "--name", "x", "--blueprint", filepath.Join(dir, "other.yaml")}, cli.ExitRefused, "blueprint.components[0].image"},
	} {
		p.err = buffer{}
		if code := p.types(t.Context(), tc.args...); code != tc.code {
			t.Errorf("%s: exit %d, want %d: %s", name, code, tc.code, p.err.String())
		}
		contains(t, name, p.err.String(), tc.says)
	}
}

func TestNamesAreCompleted(t *testing.T) {
	t.Parallel()
	_, p := house(t)
	for _, n := range []string{"pr-1", "pr-2", "demo"} {
		p.must(t, "env", "create", "--repo", httpapitest.Repository, "--name", n)
	}
	contains(t, "names", p.must(t, "__complete", "env", "get", "pr"), "pr-1\tpending, expires in 24h\npr-2\tpending, expires in 24h\n:4\n")
	contains(t, "targets", p.must(t, "__complete", "env", "create", "--target", ""), "local\tkube\n")
	if got := p.must(t, "__complete", "env", "change", "pr-1", ""); got != ":4\n" {
		t.Errorf("a second environment is completed: %q", got)
	}
	contains(t, "forms", p.must(t, "__complete", "env", "list", "-o", ""), "json\n")
	contains(t, "phases", p.must(t, "__complete", "env", "list", "--phase", ""), "degraded\n")
	p.env["BLUEBERRY_TOKEN"] = "wrong"
	if got := p.must(t, "__complete", "env", "get", ""); got != ":4\n" {
		t.Errorf("without a server completion prints %q", got)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if p.must(t, "completion", shell) == "" {
			t.Errorf("no completion for %s", shell)
		}
	}
}

func TestWhatComesFromOutsideCannotMoveTheCursor(t *testing.T) {
	t.Parallel()
	h, p := house(t)
	h.AddJob(blueberry.Job{ID: 1, Kind: "x", State: blueberry.JobDead, LastError: "\x1b]0;title\x07\x1b[2Jgone\nSECOND\tLINE\u009b"})
	for _, args := range [][]string{{"job", "list"}, {"job", "get", "1"}} {
		if got := p.must(t, args...); strings.ContainsAny(got, "\x1b\x07\u009b\t") {
			t.Errorf("%v prints %q", args, got)
		}
	}
}

// TestEveryFormOfEveryCommand prints what each command reads in each form, on a terminal and into a pipe.
func TestEveryFormOfEveryCommand(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.in = "web: {env: {A: \"1\"}}\n"
	p.must(t, "config", "create", "shop", "--file", "-")
	p.must(t, "blueprint", "publish", "--repo", shopRepository)
	p.in = "forbid (principal, action, resource is Image) when { resource.tag == \"bad\" };\n"
	p.must(t, "policy", "create", "images", "--file", "-")
	p.create(t, "pr-1", "--config", "shop")
	p.must(t, "env", "change", "pr-1", "--set", "web.env.B=2", "--wait")
	p.must(t, "env", "rollback", "pr-1", "1", "--yes", "--wait")
	plan := reads[[]sdk.Plan](t, p, 0, "plan", "list", "pr-1")[0].ID
	quiet := map[string]bool{"env holds": true, "env drift": true, "env drift-policy": true, "config diff": true, "plan get": true}
	for _, args := range [][]string{
		{"env", "history", "pr-1"},
		{"env", "diff", "pr-1", "1", "2"},
		{"env", "holds", "pr-1"},
		{"env", "drift", "pr-1"},
		{"env", "drift-policy", "pr-1"},
		{"env", "refresh", "pr-1"},
		{"env", "change", "pr-1", "--refresh"},
		{"plan", "list", "pr-1"},
		{"plan", "get", plan},
		{"config", "list"},
		{"config", "get", "shop"},
		{"config", "history", "shop"},
		{"config", "users", "shop"},
		{"config", "export", "shop"},
		{"config", "impact", "shop"},
		{"config", "why", "pr-1", "web.env"},
		{"config", "effective", "pr-1"},
		{"config", "diff", "shop"},
		{"blueprint", "list"},
		{"blueprint", "get", "shop"},
		{"blueprint", "history", "shop"},
		{"blueprint", "users", "shop"},
		{"blueprint", "parameters", "shop"},
		{"policy", "list"},
		{"policy", "get", "images"},
		{"project", "list"},
		{"project", "get", "default"},
	} {
		name := strings.Join(args[:2], " ")
		for _, form := range []string{"json", "yaml"} {
			var tree any
			text := p.must(t, append(args, "-o", form)...)
			if err := yaml.Unmarshal([]byte(text), &tree); err != nil || tree == nil && !quiet[name] {
				t.Errorf("%s -o %s: %v\n%s", name, form, err, text)
			}
		}
		for _, form := range []string{"", "wide", "name"} {
			flags := []string{"-o", form, "-q"}
			if form == "" {
				flags = flags[2:]
			}
			if p.must(t, append(args, flags...)...) == "" && !(form == "name" && (quiet[name] || name == "blueprint users" || name == "config impact")) {
				t.Errorf("%s %v prints nothing", name, flags)
			}
			if p.err.String() != "" {
				t.Errorf("%s %v says on the way: %s", name, flags, p.err.String())
			}
		}
		p.terminal = true
		p.env["NO_COLOR"] = "1"
		if got := p.must(t, args...); strings.Contains(got, "\x1b") {
			t.Errorf("%s is coloured in spite of NO_COLOR: %q", name, got)
		}
		p.terminal = false
		delete(p.env, "NO_COLOR")
	}
	contains(t, "config sets", p.must(t, "__complete", "config", "get", "sh"), "shop\t1 version\n")
	contains(t, "config sets of a flag", p.must(t, "__complete", "env", "create", "--config", ""), "shop\t1 version\n")
	contains(t, "blueprints", p.must(t, "__complete", "env", "create", "--from", "s"), "shop\t1 version\n")
	contains(t, "policies", p.must(t, "__complete", "policy", "get", ""), "images\n")
	contains(t, "projects", p.must(t, "__complete", "project", "get", ""), "default\n")
}
