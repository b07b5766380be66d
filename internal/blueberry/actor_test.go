package blueberry_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestActorMay(t *testing.T) {
	t.Parallel()
	member := blueberry.Actor{Name: "ada@example.com", Projects: map[string][]blueberry.Grant{"shop": blueberry.RoleViewer.Grants()}}
	owner := blueberry.Actor{Name: "root", Grants: []blueberry.Grant{blueberry.GrantAll}}
	reader := blueberry.Actor{Name: "bot", Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}}
	gone := blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "there is no environment env_1")
	for name, tc := range map[string]struct {
		reason string
		err    error
		kind   error
		code   string
	}{
		"held in the project":     {"a role is enough", member.CanIn("shop", blueberry.GrantEnvironmentsRead), nil, ""},
		"lacking in the project":  {"one who sees it is told what is missing", member.CanIn("shop", blueberry.GrantEnvironmentsCreate), blueberry.Forbidden, "GRANT_MISSING"},
		"another project":         {"what one does not see does not exist", member.CanIn("bank", blueberry.GrantEnvironmentsRead), blueberry.NotFound, "PROJECT_NOT_FOUND"},
		"installation":            {"a role in a project is none here", member.Can(blueberry.GrantEnvironmentsRead), blueberry.Forbidden, "GRANT_MISSING"},
		"no project":              {"an empty project is the installation, not a key of the map", member.CanIn("", blueberry.GrantEnvironmentsRead), blueberry.Forbidden, "GRANT_MISSING"},
		"somewhere":               {"one project is enough", member.CanSomewhere(blueberry.GrantTargetsRead), nil, ""},
		"nowhere":                 {"no project holds it", member.CanSomewhere(blueberry.GrantUsersWrite), blueberry.Forbidden, "GRANT_MISSING"},
		"owner":                   {"everything everywhere", owner.CanIn("bank", blueberry.GrantProjectsDelete), nil, ""},
		"installation grant":      {"holds in every project", reader.CanIn("bank", blueberry.GrantEnvironmentsRead), nil, ""},
		"installation, other":     {"who holds something in every project sees every project", reader.CanIn("bank", blueberry.GrantEnvironmentsCreate), blueberry.Forbidden, "GRANT_MISSING"},
		"thing of a project":      {"a stranger is told that it is missing", member.CanOn("bank", blueberry.GrantEnvironmentsRead, gone), blueberry.NotFound, "ENVIRONMENT_NOT_FOUND"},
		"thing that one may see":  {"a member is told the grant", member.CanOn("shop", blueberry.GrantEnvironmentsDelete, gone), blueberry.Forbidden, "GRANT_MISSING"},
		"thing that one may read": {"", member.CanOn("shop", blueberry.GrantEnvironmentsRead, gone), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.kind == nil {
				if tc.err != nil {
					t.Fatalf("%s: %v", tc.reason, tc.err)
				}
				return
			}
			var e *blueberry.Error
			if !errors.As(tc.err, &e) || !errors.Is(tc.err, tc.kind) || e.Code != tc.code {
				t.Fatalf("%s: got %v", tc.reason, tc.err)
			}
			if e.Denied == "" {
				t.Error("the denial does not say for the audit what is lacking")
			}
		})
	}
	if gone.Denied != "" {
		t.Error("hiding a thing changed the error that others get")
	}
}

// someActor draws an actor with grants on the installation and in projects.
func someActor(t *rapid.T, label string) blueberry.Actor {
	pool := append(blueberry.Grants()[:6:6], blueberry.GrantAll)
	grants := func(label string) []blueberry.Grant {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, 4, func(g blueberry.Grant) blueberry.Grant { return g }).Draw(t, label)
	}
	a := blueberry.Actor{Name: label, Grants: grants(label), Projects: map[string][]blueberry.Grant{}}
	for _, p := range []string{"a", "b"} {
		a.Projects[p] = grants(label + " in " + p)
	}
	return a
}

func TestNarrowedIsNeverAbove(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, wish := someActor(t, "actor"), someActor(t, "wish").Grants
		projects := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, func(s string) string { return s }).Draw(t, "projects")
		n := a.Narrowed(wish, projects)
		if !a.Covers(n) {
			t.Fatalf("%v in %v narrowed to %v in %v", a.Grants, a.Projects, n.Grants, n.Projects)
		}
		if len(projects) > 0 && len(n.Grants) > 0 {
			t.Fatalf("a token of projects holds %v on the installation", n.Grants)
		}
		for _, p := range []string{"a", "b", "c"} {
			for _, g := range blueberry.Grants()[:6] {
				within := len(projects) == 0 || slices.Contains(projects, p)
				wished := slices.Contains(wish, g) || slices.Contains(wish, blueberry.GrantAll)
				want := within && wished && slices.ContainsFunc(a.In(p), func(h blueberry.Grant) bool { return h == g || h == blueberry.GrantAll })
				got := slices.ContainsFunc(n.In(p), func(h blueberry.Grant) bool { return h == g || h == blueberry.GrantAll })
				if got != want {
					t.Fatalf("%s in %s: got %v, want %v", g, p, got, want)
				}
			}
		}
	})
}

func TestRolesHoldWhatIsBelow(t *testing.T) {
	t.Parallel()
	roles := blueberry.ProjectRoles()
	for i, r := range roles[:len(roles)-1] {
		for _, g := range roles[i+1].Grants() {
			if !slices.Contains(r.Grants(), g) {
				t.Errorf("%s lacks %s of %s", r, g, roles[i+1])
			}
		}
	}
	for _, r := range roles {
		for _, g := range r.Grants() {
			if !slices.Contains(blueberry.Grants(), g) {
				t.Errorf("%s holds %s, which is in no list", r, g)
			}
		}
		for _, g := range []blueberry.Grant{blueberry.GrantUsersWrite, blueberry.GrantProjectsQuota, blueberry.GrantProjectsCreate, blueberry.GrantJobsRetry} {
			if slices.Contains(r.Grants(), g) {
				t.Errorf("%s holds %s, which is of the installation", r, g)
			}
		}
	}
	if diff := cmp.Diff([]blueberry.Grant{blueberry.GrantAll}, blueberry.RoleOwner.Grants()); diff != "" {
		t.Error(diff)
	}
	if blueberry.Role("root").Grants() != nil {
		t.Error("what is no role holds something")
	}
}

func TestHolderTellsPeopleOfOneProgramApart(t *testing.T) {
	t.Parallel()
	ada := blueberry.Actor{Kind: blueberry.ActorClient, ID: blueberry.CLIClientID, UserID: "usr_ada"}
	bob := blueberry.Actor{Kind: blueberry.ActorClient, ID: blueberry.CLIClientID, UserID: "usr_bob"}
	if ada.Holder() == bob.Holder() {
		t.Error("two people of one program have the same keys and limits")
	}
	if token := (blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_1", UserID: "usr_ada"}); token.Holder() != "tok_1" {
		t.Errorf("a token is %s", token.Holder())
	}
}
