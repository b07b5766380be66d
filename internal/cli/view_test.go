package cli_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestSavedViewsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, program := rooms(t)
	_, said := program.ends(t, cli.ExitDenied, "view", "list")
	contains(t, "a token", said, "person")
	r, p := people(t)
	if code := r.login(t, p, true); code != 0 {
		t.Fatalf("login ends with %d: %s", code, p.err.String())
	}
	if got := p.must(t, "view", "list"); got != "no saved views\n" {
		t.Errorf("none: %q", got)
	}
	contains(t, "save", p.must(t, "view", "save", "What failed", "--query", "sort=name&phase=failed"), "NAME", "What failed", "environments", "phase=failed&sort=name")
	_, said = p.ends(t, cli.ExitRefused, "view", "save", "a/b", "--query", "%", "--page", "/etc")
	contains(t, "faults", said, "name", "query", "page")
	if got := reads[[]sdk.SavedView](t, p, 0, "view", "list"); len(got) != 1 || got[0].Name != "What failed" {
		t.Errorf("they are %+v", got)
	}
	contains(t, "delete", p.must(t, "view", "delete", "What failed"), "What failed")
	p.ends(t, cli.ExitRefused, "view", "delete", "What failed")
}
