package access_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// TestReview: who has what, by which way, and what of it nobody uses.
func TestReview(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	if err := s.rule(t); err != nil {
		t.Fatal(err)
	}
	s.update(t, func(tx access.Tx) error {
		return tx.PutIdentity(ctx, blueberry.Identity{Provider: "google", Subject: "1", UserID: s.guest.UserID, Groups: []string{"dev"}, LinkedAt: s.clock.now()})
	})
	if _, err := s.AddGroupRule(ctx, s.admin, blueberry.GroupRule{Provider: "google", Group: "dev", Project: "shop", Role: blueberry.RoleViewer}); err != nil {
		t.Fatal(err)
	}
	program, err := s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	used, _ := s.token(t, s.admin, access.NewToken{ServiceID: program.ID, Name: "used", Life: 300 * 24 * time.Hour})
	s.clock.move(time.Second)
	s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer, Name: "unused", Life: 300 * 24 * time.Hour})
	s.clock.move(100 * 24 * time.Hour)
	chief := s.signedIn(t, s.chief.UserID)
	s.enter(t, s.gate, used.Secret)
	if err := s.gate.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Update(ctx, func(tx *store.Tx) error {
		own := []blueberry.OAuthFlow{blueberry.FlowClient}
		return errors.Join(
			tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_1", Name: "exporter", Flows: own, Projects: []string{"shop"}}),
			tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_2", Name: "of the bank", Flows: own, Projects: []string{"bank"}}),
			tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_3", Name: "for people", Flows: []blueberry.OAuthFlow{blueberry.FlowCode}}),
			tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_4", Name: "off", Flows: own, Disabled: true}))
	}); err != nil {
		t.Fatal(err)
	}
	s.Record = atOnce{s.Record, t}
	r, err := s.Review(ctx, chief, access.ReviewQuery{Project: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range r.Users {
		got = append(got, fmt.Sprintf("%s %v %v", u.User.Email, u.Roles, u.Unused))
	}
	for _, a := range r.Services {
		got = append(got, fmt.Sprintf("%s %v", a.Account.Name, a.Unused))
	}
	for _, k := range r.Tokens {
		got = append(got, fmt.Sprintf("%s of %s %v", k.Token.Name, k.Of, k.Unused))
	}
	for _, c := range r.Clients {
		got = append(got, fmt.Sprintf("client %s %v", c.Client.Name, c.Unused))
	}
	want := []string{
		"admin@example.com [{shop admin member}] true", "chief@example.com [{ owner owner}] false", "developer@example.com [{shop developer member}] true",
		"guest@example.com [{shop viewer group:google/dev}] true", "rescuer@example.com [] true", "ci false", "unused of developer@example.com true", "used of shop/ci false",
		"client exporter true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	_, err = s.Review(ctx, chief, access.ReviewQuery{UnusedDays: -1})
	wants(t, "no days", "invalid VALIDATION_FAILED unused_days:range", err)
}

// atOnce is a record that is not asked for what each user holds: an installation has thousands.
type atOnce struct {
	access.Record
	t *testing.T
}

type atOnceTx struct {
	access.Tx
	t *testing.T
}

func (r atOnce) View(ctx context.Context, f func(access.Tx) error) error {
	return r.Record.View(ctx, func(tx access.Tx) error { return f(atOnceTx{tx, r.t}) })
}

func (tx atOnceTx) MembershipsOf(ctx context.Context, userID string) ([]blueberry.Member, error) {
	tx.t.Errorf("the memberships of %s were asked for", userID)
	return tx.Tx.MembershipsOf(ctx, userID)
}

func (tx atOnceTx) IdentitiesOf(ctx context.Context, userID string) ([]blueberry.Identity, error) {
	tx.t.Errorf("the identities of %s were asked for", userID)
	return tx.Tx.IdentitiesOf(ctx, userID)
}

// TestSelf: a person sees how they sign in; a program that acts for them does not.
func TestSelf(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	self, err := s.Self(t.Context(), s.developer)
	if err != nil || self.User == nil || self.Session == nil || self.Session.ID != s.developer.Credential || len(self.Detail.Memberships) != 1 {
		t.Errorf("%+v (%v)", self, err)
	}
	_, token := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer})
	if self, err = s.Self(t.Context(), token); err != nil || self.User == nil || self.Session != nil || len(self.Detail.Memberships) != 0 {
		t.Errorf("%+v (%v)", self, err)
	}
	if self, err = s.Self(t.Context(), root); err != nil || self.User != nil || self.Actor.Name != "admin" {
		t.Errorf("%+v (%v)", self, err)
	}
}
