package cli_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

const mainPushed = `{"event":"push","timestamp":"2026-01-31T09:30:00Z","data":{"repository":"acme/shop","branch":"main","commit":"cccccccccccccccccccccccccccccccccccccccc"}}`

// TestBranchesOnTheCommandLine: rules are added, replaced and removed, and a branch is deployed.
func TestBranchesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	added := addShop(t, p, "--path", "src/**", "--path", "go.mod", "--ignore-path", "**/*.md")
	contains(t, "paths", p.must(t, "repo", "get", "acme/shop"), "paths          src/**, go.mod\n", "ignored paths  **/*.md\n")
	if got := p.must(t, "repo", "rule", "list", "acme/shop"); got != "no rules\n" {
		t.Errorf("an empty list prints %q", got)
	}
	if got := p.must(t, "branch", "list"); got != "no branches\n" {
		t.Errorf("an empty list prints %q", got)
	}
	contains(t, "add", p.must(t, "repo", "rule", "add", "acme/shop", "--branch", "main", "--environment", "staging", "--ttl", "2d", "--config", "one,two", "--target", "local", "--blueprint", "deploy/x.yaml"),
		"BRANCH", "main", "staging", "automatic", "48h", "it goes")
	contains(t, "add another", p.must(t, "repo", "rule", "add", "acme/shop", "--branch", "release/*", "--environment", "rel-{branch}", "--mode", "approval", "--keep", "-o", "wide"),
		"release/*  rel-{branch}  approval", "as long as the branch", "it stays", "deploy/x.yaml", "one, two")
	contains(t, "replace", p.must(t, "repo", "rule", "add", "acme/shop", "--branch", "main", "--environment", "staging", "--mode", "approval"), "main       staging       approval")
	if got := p.must(t, "repo", "rule", "list", "acme/shop", "-o", "name"); got != "main\nrelease/*\n" {
		t.Errorf("the order is %q", got)
	}
	contains(t, "get", p.must(t, "repo", "get", "acme/shop"), "branch main", "staging, approval\n")

	deliver(t, p, added, added.Secret, mainPushed)
	b := reads[sdk.Branch](t, p, 0, "branch", "get", "acme/shop", "main")
	for _, args := range [][]string{{"branch", "list"}, {"branch", "list", "--repo", "acme/shop"}, {"branch", "get", "acme/shop", "main"}, {"branch", "get", b.ID}, {"repo", "rule", "list", "acme/shop"}} {
		for _, form := range []string{"json", "yaml"} {
			var tree any
			if text := p.must(t, append(args, "-o", form)...); yaml.Unmarshal([]byte(text), &tree) != nil || tree == nil {
				t.Errorf("%v -o %s: %s", args, form, text)
			}
		}
		for _, flags := range [][]string{{"-q", "-o", "wide"}, {"-q", "-o", "name"}} {
			if p.must(t, append(args, flags...)...) == "" || p.err.String() != "" {
				t.Errorf("%v %v prints nothing, or says %q", args, flags, p.err.String())
			}
		}
	}
	contains(t, "get", p.must(t, "branch", "get", b.ID), "main\n", strings.Repeat("c", 40)+"\n")
	contains(t, "deploy", p.must(t, "branch", "deploy", "acme/shop", "main", "--commit", strings.Repeat("c", 40)), strings.Repeat("c", 40)+" by admin")
	contains(t, "on the way", p.err.String(), "deployed "+strings.Repeat("c", 40)+" of branch main")
	contains(t, "remove", p.must(t, "repo", "rule", "remove", "acme/shop", "--branch", "release/*"), "main")
	if strings.Contains(p.out.String(), "release") {
		t.Errorf("it is still there:\n%s", p.out.String())
	}
	contains(t, "modes", p.must(t, "__complete", "repo", "rule", "add", "--mode", ""), "automatic\napproval\n")
	contains(t, "outcomes", p.must(t, "__complete", "branch", "list", "--outcome", ""), "skipped\nwaiting\n")
	contains(t, "repositories", p.must(t, "__complete", "branch", "deploy", ""), "acme/shop\tgeneric\n")
}

func TestMistakesWithBranches(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	addShop(t, p)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing named":     {[]string{"repo", "rule", "add", "acme/shop"}, cli.ExitUsage, "--environment is needed"},
		"no such mode":      {[]string{"repo", "rule", "add", "acme/shop", "--branch", "main", "--environment", "x", "--mode", "x"}, cli.ExitUsage, "--mode is"},
		"a long lease":      {[]string{"repo", "rule", "add", "acme/shop", "--branch", "main", "--environment", "x", "--ttl", "x"}, cli.ExitUsage, "x"},
		"a pattern of many": {[]string{"repo", "rule", "add", "acme/shop", "--branch", "*", "--environment", "x"}, cli.ExitRefused, "rules[0].environment"},
		"no branch":         {[]string{"repo", "rule", "remove", "acme/shop"}, cli.ExitUsage, "--branch is needed"},
		"no such rule":      {[]string{"repo", "rule", "remove", "acme/shop", "--branch", "x"}, cli.ExitRefused, "has no rule of branch x"},
		"no such branch":    {[]string{"branch", "get", "acme/shop", "x"}, cli.ExitRefused, "no rule of repository acme/shop is of branch x"},
		"no id":             {[]string{"branch", "get", "main"}, cli.ExitUsage, "no id of a branch"},
		"too many":          {[]string{"branch", "get", "a", "b", "c"}, cli.ExitUsage, "takes an id"},
		"a short commit":    {[]string{"branch", "deploy", "acme/shop", "main", "--commit", "abc"}, cli.ExitUsage, "--commit must be"},
		"an outcome":        {[]string{"branch", "list", "--outcome", "x"}, cli.ExitRefused, "outcome"},
	} {
		if code := p.types(t.Context(), c.args...); code != c.code || !strings.Contains(p.err.String(), c.says) {
			t.Errorf("%s: exit %d: %s", name, code, p.err.String())
		}
	}
}
