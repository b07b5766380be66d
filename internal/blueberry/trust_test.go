package blueberry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestLeaseBounds: a restricted environment lives for a day's work at most, and for less where the blueprint says so.
func TestLeaseBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		max        int
		restricted bool
		want       int
	}{{0, false, blueberry.MaxLeaseHours}, {20, false, 20}, {0, true, 8}, {20, true, 8}, {3, true, 3}} {
		if got := (blueberry.LeaseBounds{Max: c.max}).Most(c.restricted); got != c.want {
			t.Errorf("at most %d, restricted %t: %d, want %d", c.max, c.restricted, got, c.want)
		}
	}
}

// TestWholeCommit: an approval names a commit by all of its digits.
func TestWholeCommit(t *testing.T) {
	t.Parallel()
	for commit, want := range map[string]bool{
		strings.Repeat("a0", 20): true, strings.Repeat("a0", 32): true, "": false, strings.Repeat("a", 12): false, strings.Repeat("a", 39): false, strings.Repeat("a", 41): false,
		strings.Repeat("A", 40): false, strings.Repeat("g", 40): false, strings.Repeat("a", 40) + "\n": false, "\n" + strings.Repeat("a", 40): false, "main": false,
	} {
		var f blueberry.Faults
		if f.CheckCommit("commit", commit); (len(f) == 0) != want {
			t.Errorf("%q: %v", commit, f)
		}
	}
}

// TestOutsidersAreOfForks: the policy of outsiders takes that of forks.
func TestOutsidersAreOfForks(t *testing.T) {
	t.Parallel()
	for _, forks := range []bool{true, false} {
		var f blueberry.Faults
		f.CheckRepository(blueberry.Repository{Name: "acme/shop", Host: blueberry.HostGeneric, Policy: blueberry.PullPolicy{Outsiders: true, Forks: forks}})
		if told := slices.ContainsFunc(f, func(x blueberry.Fault) bool { return x.Field == "policy.outsiders" && x.Code == "requires" }); told == forks {
			t.Errorf("forks %t: %v", forks, f)
		}
	}
}

// TestWhoApproves: who builds does not vouch, and neither does a repository, which has the rights of a developer.
func TestWhoApproves(t *testing.T) {
	t.Parallel()
	for role, want := range map[blueberry.Role]bool{blueberry.RoleAdmin: true, blueberry.RoleMaintainer: true, blueberry.RoleDeveloper: false, blueberry.RoleViewer: false} {
		if got := slices.Contains(role.Grants(), blueberry.GrantPullsApprove); got != want {
			t.Errorf("%s may approve: %t", role, got)
		}
	}
}

// TestApprovalIsKept: what a host says next takes nothing from an approval and adds nothing to it.
func TestApprovalIsKept(t *testing.T) {
	t.Parallel()
	was := blueberry.PullRequest{
		HeadCommit: "a", BuiltRestricted: true, Config: blueberry.PullConfigChanged, PullApproval: blueberry.PullApproval{ApprovedCommit: "a", ApprovedBy: "mia"},
	}
	said := blueberry.PullRequest{HeadCommit: "b", PullApproval: blueberry.PullApproval{ApprovedCommit: "b", ApprovedBy: "eve"}}
	if got := was.Take(said); got.PullApproval != was.PullApproval || !got.BuiltRestricted || got.Config != was.Config || got.HeadCommit != "b" {
		t.Errorf("%+v", got)
	}
}
