package access_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
)

func (w *town) events(t *testing.T) (out []string) {
	t.Helper()
	err := w.store.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.Events(t.Context(), blueberry.EventQuery{Limit: 100})
		for _, e := range all {
			out = append(out, fmt.Sprintf("%s %s: %s", e.Type, e.Project, e.Message))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestProjects: made, described, removed; each is an event or an audit entry with what was before.
func TestProjects(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := t.Context()
	p, err := w.CreateProject(ctx, root, access.NewProject{Name: "shop", Description: "all of it"})
	if err != nil || p.Version != 1 {
		t.Fatalf("%+v (%v)", p, err)
	}
	_, err = w.CreateProject(ctx, root, access.NewProject{Name: "shop"})
	wants(t, "twice", "conflict DUPLICATE_RESOURCE name:taken", err)
	_, err = w.CreateProject(ctx, root, access.NewProject{Name: "Shop_", Description: "bll_" + fmt.Sprint(make([]byte, 40))})
	wants(t, "what is no name", "invalid VALIDATION_FAILED name:pattern", err)
	w.clock.move(1e9)
	if p, err = w.UpdateProject(ctx, root, "shop", "half of it", 1); err != nil || p.Version != 2 {
		t.Errorf("%+v (%v)", p, err)
	}
	if e := w.audit(t)[0]; string(e.Before) != `{"description":"all of it"}` || string(e.After) != `{"description":"half of it"}` || e.Project != "shop" {
		t.Errorf("%+v", e)
	}
	_, err = w.UpdateProject(ctx, root, "shop", "x", 1)
	wants(t, "an old version", "precondition failed VERSION_MOVED", err)
	wants(t, "the default one", "conflict PROJECT_IN_USE", w.DeleteProject(ctx, root, blueberry.DefaultProject, 0))
	wants(t, "one that is not there", "not found PROJECT_NOT_FOUND", w.DeleteProject(ctx, root, "nowhere", 0))
	if err := w.DeleteProject(ctx, root, "shop", 2); err != nil {
		t.Error(err)
	}
	want := []string{"project.created shop: admin made project shop", "project.deleted shop: admin removed project shop"}
	if diff := cmp.Diff(want, w.events(t)); diff != "" {
		t.Errorf("events: -want +got\n%s", diff)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	for _, step := range []struct {
		role          blueberry.Role
		before, after string
	}{{blueberry.RoleViewer, ``, `{"role":"viewer"}`}, {blueberry.RoleMaintainer, `{"role":"viewer"}`, `{"role":"maintainer"}`}} {
		s.clock.move(1e9)
		m, err := s.PutMember(ctx, s.admin, "shop", "Guest@example.com", step.role)
		if err != nil || m.User.Email != "guest@example.com" || m.Role != step.role {
			t.Fatalf("%+v (%v)", m, err)
		}
		if e := s.audit(t)[0]; string(e.Before) != step.before || string(e.After) != step.after || e.Action != "members:write" || e.Resource != s.guest.UserID {
			t.Errorf("%s → %s", e.Before, e.After)
		}
	}
	if s.signedIn(t, s.guest.UserID).CanIn("shop", blueberry.GrantConfigWrite) != nil {
		t.Error("the role does not count")
	}
	all, err := s.Members(ctx, s.developer, "shop")
	if err != nil || !slices.IsSortedFunc(all, func(a, b blueberry.Membership) int { return len(a.User.Email) - len(b.User.Email) }) && len(all) != 3 {
		t.Errorf("%d members (%v)", len(all), err)
	}
	if err := s.RemoveMember(ctx, s.admin, "shop", s.guest.UserID); err != nil {
		t.Fatal(err)
	}
	wants(t, "once more", "not found MEMBER_NOT_FOUND", s.RemoveMember(ctx, s.admin, "shop", s.guest.UserID))
	wants(t, "nobody", "not found USER_NOT_FOUND", s.RemoveMember(ctx, s.admin, "shop", "nobody@example.com"))
	_, err = s.PutMember(ctx, root, "nowhere", s.guest.UserID, blueberry.RoleViewer)
	wants(t, "nowhere", "not found PROJECT_NOT_FOUND", err)
}

func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	sa, err := s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleDeveloper})
	if err != nil || sa.CreatedBy != "admin@example.com" {
		t.Fatalf("%+v (%v)", sa, err)
	}
	_, err = s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleViewer})
	wants(t, "twice", "conflict DUPLICATE_RESOURCE name:taken", err)
	_, err = s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "C I", Role: "owner"})
	wants(t, "each fault", "invalid VALIDATION_FAILED name:pattern role:enum", err)
	s.clock.move(1e9)
	up, err := s.UpdateServiceAccount(ctx, s.admin, sa.ID, access.ServiceAccountChange{Role: to(blueberry.RoleViewer), Description: to("previews")}, 1)
	if err != nil || up.Version != 2 {
		t.Fatalf("%+v (%v)", up, err)
	}
	if e := s.audit(t)[0]; string(e.Before) != `{"description":"","role":"developer"}` || string(e.After) != `{"description":"previews","role":"viewer"}` {
		t.Errorf("%s → %s", e.Before, e.After)
	}
	wants(t, "an old version", "precondition failed VERSION_MOVED", s.DeleteServiceAccount(ctx, s.admin, sa.ID, 1))
	if err := s.DeleteServiceAccount(ctx, s.admin, sa.ID, 2); err != nil {
		t.Error(err)
	}
	if all, err := s.ServiceAccounts(ctx, s.admin, "shop"); err != nil || len(all) != 0 {
		t.Errorf("%v (%v)", all, err)
	}
}
