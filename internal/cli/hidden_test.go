package cli_test

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestWhatOneMayNotReadIsCounted: someone of another project learns that there are environments, and nothing else.
func TestWhatOneMayNotReadIsCounted(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	if _, err := r.Accounts.CreateProject(t.Context(), blueberry.System(), access.NewProject{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	p.in = "web: {env: {LOG_LEVEL: debug}}\n"
	p.must(t, "config", "create", "logging", "--global", "--file", "-")
	p.create(t, "pr-1", "--config", "global/logging")
	_, session := r.Person(t, "eve@example.com", false, map[string]blueberry.Role{"other": blueberry.RoleViewer})
	actor, err := r.Gate.Authenticate(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	made, err := r.Accounts.CreateToken(t.Context(), actor, access.NewToken{Name: "x", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "one who may", p.must(t, "config", "users", "global/logging"), "pr-1")
	p.env["BLUEBERRY_TOKEN"] = made.Secret
	out, said := p.ends(t, 0, "config", "users", "global/logging")
	contains(t, "users", said, "and 1 environment in projects that you may not read")
	impact := p.must(t, "config", "impact", "global/logging@1")
	contains(t, "impact", impact, "and 1 environment in projects that you may not read")
	if strings.Contains(out+said+impact, "pr-1") {
		t.Errorf("the name is told: %s %s %s", out, said, impact)
	}
}
