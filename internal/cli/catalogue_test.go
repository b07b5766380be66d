package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestTheCatalogueOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	two := strings.Replace(webBlueprint, "acme/web:1", "acme/web:2", 1)
	file := desk(t, map[string]string{"blueberry.yaml": webBlueprint, "two.yaml": two, "bad.yaml": webBlueprint + "colour: red\n"})
	if got := p.must(t, "blueprint", "publish", "--repo", shopRepository, "--message", "first", "--description", "A shop"); got != "published shop@1\n" {
		t.Errorf("publish prints %q", got)
	}
	if got := p.must(t, "blueprint", "publish", "--repo", shopRepository); got != "shop: no difference to version 1\n" {
		t.Errorf("a publish of nothing prints %q", got)
	}
	if got := p.must(t, "blueprint", "publish", file("."), "--global"); got != "published global/shop@1\n" {
		t.Errorf("publish of a directory prints %q", got)
	}
	if got := p.must(t, "blueprint", "publish", file("two.yaml")); got != "published shop@2\n" {
		t.Errorf("publish of a file prints %q", got)
	}
	contains(t, "list", p.must(t, "blueprint", "list"), "NAME         PROJECT  LATEST", "shop         default  2  ", "  A shop\n", "global/shop  -")
	if got := p.must(t, "blueprint", "list", "--scope", "global", "-o", "name"); got != "global/shop\n" {
		t.Errorf("list --scope global prints %q", got)
	}
	if got := p.must(t, "blueprint", "get", "shop@2"); got != two {
		t.Errorf("get prints %q", got)
	}
	contains(t, "get -o wide", p.must(t, "blueprint", "get", "shop@1", "-o", "wide"), "# shop@1, published ", "from "+shopRepository, ": first\n")
	contains(t, "history", p.must(t, "blueprint", "history", "shop"), "VERSION", "2        ", "first\n")

	for reason, args := range map[string][]string{"of the catalogue": {"shop"}, "of a file": {file("two.yaml")}, "of a directory": {file(".")}, "of a repository": {"--repo", shopRepository}} {
		contains(t, "parameters "+reason, p.must(t, append([]string{"blueprint", "parameters"}, args...)...),
			"NAME      TYPE     DEFAULT  MAY BE       HELP\n", "replicas  integer  1        1 to 5       How many copies run\n", "level     string   -        info, debug  -\n")
	}
	contains(t, "parameters -o wide", p.must(t, "blueprint", "parameters", "shop@1", "-o", "wide"), "web.replicas")

	p.must(t, "env", "create", "--from", "shop@1", "--name", "pr-1", "--wait")
	p.must(t, "env", "create", "--from", "global/shop", "--name", "pr-2", "--wait")
	contains(t, "users", p.must(t, "blueprint", "users", "shop"), "pr-1  default  ready  1         1        no\n")
	_, said := p.ends(t, cli.ExitRefused, "blueprint", "delete", "shop", "--yes")
	contains(t, "delete of one that is used", said, "pr-1")
	usage(t, p, "--yes is needed", "blueprint", "delete", "shop")
	p.must(t, "env", "destroy", "pr-1", "--yes", "--wait")
	if got := p.must(t, "blueprint", "delete", "shop", "--yes"); got != "deleted shop\n" {
		t.Errorf("delete prints %q", got)
	}

	contains(t, "validate", p.must(t, "blueprint", "validate", "--from", "global/shop", "--param", "replicas=3", "--set", "web.resources.x=1"), "shop is valid")
	contains(t, "warning", p.err.String(), "warning: overrides.web.resources: ")
	contains(t, "render", p.must(t, "blueprint", "render", file("."), "--set", "web.env.A=1"), `A: "1"`)
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"strict":         {[]string{"blueprint", "validate", file("."), "--set", "web.resources.x=1", "--strict"}, cli.ExitRefused, "overrides.web.resources"},
		"parameter":      {[]string{"blueprint", "validate", file("."), "--param", "replicas=9"}, cli.ExitRefused, "parameters.replicas"},
		"config set":     {[]string{"blueprint", "render", file("."), "--config", "none"}, cli.ExitRefused, "config_sets[0]"},
		"both":           {[]string{"blueprint", "validate", file("."), "--from", "shop"}, cli.ExitUsage, "both name a blueprint"},
		"path":           {[]string{"blueprint", "render", "--from", "shop", "--repo", "x", "--path", "y"}, cli.ExitUsage, "both name a blueprint"},
		"publish both":   {[]string{"blueprint", "publish", file("."), "--repo", "x"}, cli.ExitUsage, "both name a blueprint"},
		"publish ref":    {[]string{"blueprint", "publish", "--ref", "x"}, cli.ExitUsage, "--repo is needed"},
		"publish global": {[]string{"blueprint", "publish", file("."), "--global", "--project", "x"}, cli.ExitUsage, "--project is too much"},
		"publish bad":    {[]string{"blueprint", "publish", file("bad.yaml")}, cli.ExitRefused, "colour"},
		"parameters bad": {[]string{"blueprint", "parameters", file("bad.yaml")}, cli.ExitRefused, `unknown field "colour"`},
		"parameters":     {[]string{"blueprint", "parameters", "none"}, cli.ExitRefused, "there is no blueprint none in project default in the catalogue"},
		"parameters no":  {[]string{"blueprint", "parameters", file("none.yaml")}, cli.ExitError, "none.yaml"},
		"create both":    {[]string{"env", "create", "--name", "x", "--from", "shop", "--blueprint", file("two.yaml")}, cli.ExitUsage, "both name a blueprint"},
		"create path":    {[]string{"env", "create", "--name", "x", "--from", "shop", "--repo", "x", "--path", "y"}, cli.ExitUsage, "both name a blueprint"},
		"create twice":   {[]string{"env", "create", "--name", "x", "--blueprint", "-", "--values", "-"}, cli.ExitUsage, "the input can be read once"},
		"unknown":        {[]string{"env", "create", "--name", "x", "--from", "none"}, cli.ExitRefused, "blueprint_ref"},
		"test":           {[]string{"blueprint", "test", file("."), "--update"}, cli.ExitError, "needs the full binary"},
	} {
		_, said := p.ends(t, tc.code, tc.args...)
		contains(t, name, said, tc.says)
	}
}

// TestABlueprintFileSaysAllThatARequestCan sends a file with every field as a request, and reads it back.
func TestABlueprintFileSaysAllThatARequestCan(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	const whole = `name: whole
parameters: [{name: size, type: integer, help: how large, default: 2, enum: [1, 2], min: 1, max: 2, sets: [web.replicas]}, {name: tag, pattern: "[a-z]+", required: true, sets: [all.env.TAG]}]
schema: {type: object}
fields: {required: [web.env.TAG], forbidden: ["*.resources"], public: ["*.env.KEY"]}
computed: {web.env.SELF: "${web.url}"}
services: [{name: db, kind: postgres, size: 1Gi}]
egress: [{cidr: 10.1.0.0/16, ports: [5432]}]
configSets: [shop@1]
configUpdates: automatic
lease: {default: 8, max: 24}
access: {projects: [default], actors: [admin]}
components:
- {name: web, image: "acme/web:1", port: 8080, health: /, wave: 1, values: {env: {SINCE: "2026-01-02"}}}
- {name: cart, score: cart/score.yaml, wave: 2}
`
	const score = "apiVersion: score.dev/v1b1\nmetadata: {name: cart}\ncontainers: {main: {image: \"acme/cart:1\"}}\n"
	file := desk(t, map[string]string{"blueberry.yaml": whole, "cart/score.yaml": score, "wire.yaml": strings.Replace(whole, "configSets", "config_sets", 1), "values.yaml": shopValues})
	p.must(t, "config", "create", "shop", "--file", file("values.yaml"))
	r.Push("https://git.test/acme/cart.git", map[string]string{"cart/score.yaml": score})
	create := []string{"env", "create", "--blueprint", file("blueberry.yaml"), "--repo", "https://git.test/acme/cart.git", "--name", "pr-1", "--param", "tag=abc"}
	if plan := reads[sdk.Plan](t, p, cli.ExitDifference, append(create, "--plan")...); plan.Lease.Hours != 8 {
		t.Errorf("the lease has %d hours, want the blueprint's own", plan.Lease.Hours)
	}
	p.must(t, append(create, "--wait")...)
	contains(t, "config", p.must(t, "env", "get", "pr-1"), "config      shop@1\n")
	contains(t, "what is computed", p.must(t, "config", "why", "pr-1", "web.env.SELF"), "computed by the platform")

	check := reads[sdk.BlueprintCheck](t, p, 0, "blueprint", "validate", file("."), "--param", "tag=abc")
	b := check.Blueprint
	if len(b.Parameters) != 2 || b.Schema["type"] != "object" || len(b.Fields.Required) != 1 || b.Computed["web.env.SELF"] == "" || len(b.Services) != 1 || len(b.Egress) != 1 ||
		b.ConfigUpdates != "automatic" || b.Lease.Max != 24 || len(b.Access.Actors) != 1 || b.Components[1].Score != "cart/score.yaml" {
		t.Errorf("the blueprint is understood as %+v", b)
	}
	if diff := cmp.Diff([]string{"shop@1"}, b.ConfigSets); diff != "" {
		t.Errorf("config sets (-want +got):\n%s", diff)
	}
	_, said := p.ends(t, cli.ExitRefused, "env", "create", "--blueprint", file("wire.yaml"), "--name", "x")
	contains(t, "the wire's spelling", said, `unknown field "config_sets"; in a file it is configSets`)
}

func TestPoliciesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	const rule = "@message(\"the image has no digest\")\n@fix(\"name it by its digest\")\nforbid (principal, action, resource is Image) unless { resource.by_digest };\n"
	file := desk(t, map[string]string{"images.cedar": rule, "warn.cedar": "@warn(\"\")\n" + rule, "bad.cedar": "forbid (", "editor": "#!/bin/sh\ncat \"$0.text\" > \"$1\"\n", "editor.text": "// mine\n@warn(\"\")\n" + rule})
	if got := p.must(t, "policy", "check", "--file", file("images.cedar")); got != file("images.cedar")+" is valid\n" {
		t.Errorf("check prints %q", got)
	}
	_, said := p.ends(t, cli.ExitRefused, "policy", "check", "--file", file("bad.cedar"))
	contains(t, "check", said, "text: ")
	if got := p.must(t, "policy", "create", "images", "--file", file("images.cedar")); got != "created images\n" {
		t.Errorf("create prints %q", got)
	}
	p.in = rule
	if got := p.must(t, "policy", "create", "images", "--installation", "--file", "-"); got != "created installation/images\n" {
		t.Errorf("create prints %q", got)
	}
	contains(t, "list", p.must(t, "policy", "list"), "NAME                 JUDGES", "images               project default", "installation/images  every project")
	if got := p.must(t, "policy", "list", "--installation", "-o", "name"); got != "installation/images\n" {
		t.Errorf("list --installation prints %q", got)
	}
	for _, name := range []string{"images", "default/images", "installation/images", reads[sdk.Policy](t, p, 0, "policy", "get", "images").ID} {
		if got := p.must(t, "policy", "get", name); got != rule {
			t.Errorf("get %s prints %q", name, got)
		}
	}
	out, said := p.ends(t, cli.ExitRefused, "env", "create", "--repo", shopRepository, "--name", "pr-1", "--plan")
	contains(t, "plan", out, "Policies\n  deny  ", "        the image has no digest\n        fix: name it by its digest\n", "It cannot be applied:\n")
	contains(t, "error", said, "the plan cannot be applied")

	if got := p.must(t, "policy", "edit", "images", "--file", file("warn.cedar")); got != "changed images\n" {
		t.Errorf("edit prints %q", got)
	}
	if err := os.Chmod(file("editor"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.env["EDITOR"], p.terminal = file("editor"), true
	if got := p.must(t, "policy", "edit", "installation/images"); got != "changed installation/images\n" {
		t.Errorf("edit prints %q", got)
	}
	if got := p.must(t, "policy", "edit", "installation/images"); got != "no difference: installation/images\n" {
		t.Errorf("edit of nothing prints %q", got)
	}
	p.terminal = false
	out, _ = p.ends(t, cli.ExitDifference, "env", "create", "--repo", shopRepository, "--name", "pr-1", "--plan")
	contains(t, "plan", out, "  warn  default/images", "  warn  installation/images")
	usage(t, p, "--yes is needed", "policy", "delete", "images")
	if got := p.must(t, "policy", "delete", "images", "--yes"); got != "deleted images\n" {
		t.Errorf("delete prints %q", got)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no file":   {[]string{"policy", "create", "x"}, cli.ExitUsage, "--file is needed"},
		"twice":     {[]string{"policy", "get", "installation/x", "--installation"}, cli.ExitUsage, "are too much"},
		"both":      {[]string{"policy", "get", "x", "--installation", "--project", "y"}, cli.ExitUsage, "cannot be given together"},
		"no name":   {[]string{"policy", "get", "a/b/c"}, cli.ExitUsage, "is not the name of a policy"},
		"unknown":   {[]string{"policy", "get", "none"}, cli.ExitRefused, "there is no policy none"},
		"elsewhere": {[]string{"policy", "get", "images"}, cli.ExitRefused, "there is no policy images"},
	} {
		_, said := p.ends(t, tc.code, tc.args...)
		contains(t, name, said, tc.says)
	}
}

func TestProjectsAndTheirQuotas(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	usage(t, p, "name a limit", "project", "quota", "default")
	usage(t, p, `there is no limit "disk"`, "project", "quota", "default", "--unset", "disk")
	usage(t, p, "cannot be given together", "project", "quota", "default", "--cpu", "1", "--unset", "cpu")
	contains(t, "quota", p.must(t, "project", "quota", "default", "--environments", "20", "--cpu", "10", "--memory", "20Gi", "--pods", "40", "--storage", "100Gi"),
		"name          default\n", "all           environments  1       20\n", "all           cpu           1300m   10\n", "all           memory        ", "  20Gi\n")
	contains(t, "kind", p.must(t, "project", "quota", "default", "--kind", "preview", "--kind", "ephemeral", "--environments", "5"),
		"all           environments  1       20\n", "ephemeral     environments  0       5\n", "preview       environments  1       5\n")
	contains(t, "unset", p.must(t, "project", "quota", "default", "--unset", "cpu,memory", "--pods", "0"), "all           cpu           1300m   -\n", "all           pods          13      0\n", "all           storage       0       100Gi\n")
	if got := p.must(t, "project", "quota", "default", "--kind", "ephemeral", "--unset", "all"); strings.Contains(got, "ephemeral") {
		t.Errorf("a kind without limits stays:\n%s", got)
	}
	contains(t, "list", p.must(t, "project", "list"), "default  1/20          1300m", "13/0")
	_, said := p.ends(t, cli.ExitRefused, "project", "quota", "default", "--cpu", "many")
	contains(t, "refusal", said, "cpu: ")
	_, said = p.ends(t, cli.ExitRefused, "project", "quota", "default", "--kind", "odd", "--pods", "1")
	contains(t, "refusal", said, "kinds.odd")
	p.ends(t, cli.ExitRefused, "project", "get", "none")
}

// TestCommandsFromElsewhere adds commands as the server's binary does.
func TestCommandsFromElsewhere(t *testing.T) {
	t.Parallel()
	p := at("")
	ran := ""
	command := func(name, group string) *cobra.Command {
		c := &cobra.Command{Use: name, Short: "x", RunE: func(*cobra.Command, []string) error { ran = name; return nil }}
		if group != "" {
			c.Annotations = map[string]string{cli.Group: group}
		}
		return c
	}
	types := func(args ...string) int {
		s := p.streams()
		root := cli.NewRoot(s, "test", command("server", ""), command("test", "blueprint"), command("more", "env"))
		root.SetArgs(args)
		return cli.Execute(t.Context(), root, s)
	}
	for name, args := range map[string][]string{"server": {"server"}, "test": {"blueprint", "test"}, "more": {"env", "more"}} {
		ran = ""
		if code := types(args...); code != 0 || ran != name {
			t.Errorf("%v exits %d and runs %q: %s", args, code, ran, p.err.String())
		}
	}
	if code := types("test"); code != cli.ExitUsage {
		t.Errorf("a command of a group stands at the top too: exit %d", code)
	}
}
