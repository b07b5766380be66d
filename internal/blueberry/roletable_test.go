package blueberry_test

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestRoleTable: each grant has a line, and each role holds in it what it holds in fact.
func TestRoleTable(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(blueberry.RoleTable()), "\n")
	if len(lines) != 2+len(blueberry.Grants()) || lines[0] != "| grant | owner | admin | maintainer | developer | viewer |" {
		t.Fatalf("%d lines, the first is %s", len(lines), lines[0])
	}
	for _, want := range []string{
		"| `environments:read` | ● | ● | ● | ● | ● |", "| `environments:create` | ● | ● | ● | ● |  |", "| `members:write` | ● | ● |  |  |  |", "| `users:write` | ● |  |  |  |  |",
	} {
		if !strings.Contains(blueberry.RoleTable(), want+"\n") {
			t.Errorf("there is no line %s", want)
		}
	}
}
