package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// A session that is opened while its user is being deactivated does not live on, whichever of both comes first.
func TestADeactivationAndASignInSeeEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		deactivate := func(ctx context.Context, tx *store.Tx, id string) error {
			u, err := tx.User(ctx, id)
			if err != nil {
				return err
			}
			u.Status = blueberry.UserInactive
			if err := tx.UpdateUser(ctx, u); err != nil {
				return err
			}
			_, err = tx.RevokeSessions(ctx, id, "", "ada@example.com", start)
			return err
		}
		signIn := func(ctx context.Context, tx *store.Tx, id string) error {
			return tx.InsertSession(ctx, session("ses_"+id, id, start))
		}
		for id, order := range map[string][2]func(context.Context, *store.Tx, string) error{"usr_out": {deactivate, signIn}, "usr_in": {signIn, deactivate}} {
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertUser(ctx, user(id)) })
			second := make(chan error, 1)
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				err := order[0](ctx, tx, id)
				go func() {
					second <- tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return order[1](ctx, tx, id) })
				}()
				waitForLock(t, s, second)
				return err
			})
			if err := <-second; err != nil && !errors.Is(err, blueberry.Forbidden) {
				t.Errorf("%s: %v", id, err)
			}
			living := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Session, error) {
				return tx.SessionsOf(ctx, id, start, "", 0)
			})
			if len(living) != 0 {
				t.Errorf("%s: %d sessions live", id, len(living))
			}
		}
	})
}

// What is bound to a project that goes: see also TestADeletedProjectLeavesNothing of access. A name that is part of another one's is another one.
func TestAProjectIsUnboundByItsWholeName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			c := console()
			c.Version, c.Projects = 1, []string{"shop-2", "my-shop"}
			k := blueberry.APIToken{ID: "tok_1", Hash: []byte("1"), Projects: c.Projects, CreatedAt: start, Version: 1}
			return errors.Join(tx.InsertProject(ctx, blueberry.Project{Name: "shop"}), tx.PutOAuthClient(ctx, c), tx.InsertToken(ctx, k),
				tx.DeleteProject(ctx, "shop", 1, "ada@example.com", start))
		})
		c := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.OAuthClient, error) {
			return tx.OAuthClient(ctx, "cli_1")
		})
		k := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) { return tx.Token(ctx, "tok_1") })
		if len(c.Projects) != 2 || c.Disabled || len(k.Projects) != 2 || !k.RevokedAt.IsZero() {
			t.Errorf("client %+v, token %+v", c, k)
		}
	})
}

// What is asked for at once, and not for each user or client.
func TestListsOfAllAndOfOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		other := console()
		other.ID = "cli_2"
		grouped, bare := identity("usr_1"), identity("usr_2")
		grouped.Groups, bare.Groups = []string{"dev"}, nil
		k := oauthToken("tok_1", "gnt_1")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertUser(ctx, user("usr_2")), tx.PutOAuthClient(ctx, other), tx.InsertProject(ctx, blueberry.Project{Name: "shop"}),
				tx.PutConsent(ctx, blueberry.Consent{UserID: "usr_1", ClientID: "cli_2", Scopes: []string{"b"}}),
				tx.PutConsent(ctx, blueberry.Consent{UserID: "usr_1", ClientID: "cli_1", Scopes: []string{"a"}}),
				tx.PutConsent(ctx, blueberry.Consent{UserID: "usr_2", ClientID: "cli_1"}),
				tx.PutMember(ctx, blueberry.Member{Project: "shop", UserID: "usr_2", Role: blueberry.RoleViewer}),
				tx.PutMember(ctx, blueberry.Member{Project: "shop", UserID: "usr_1", Role: blueberry.RoleAdmin}),
				tx.PutMember(ctx, blueberry.Member{Project: blueberry.DefaultProject, UserID: "usr_1", Role: blueberry.RoleViewer}),
				tx.PutIdentity(ctx, grouped), tx.PutIdentity(ctx, bare), tx.InsertOAuthToken(ctx, k))
		})
		var got []string
		note := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
		for _, c := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.ClientConsent, error) {
			return tx.ConsentsOf(ctx, "usr_1")
		}) {
			note("%s %v %s", c.ClientID, c.Scopes, c.Client.Name)
		}
		for _, m := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Member, error) { return tx.AllMembers(ctx) }) {
			note("%s %s %s", m.UserID, m.Project, m.Role)
		}
		for _, i := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Identity, error) {
			return tx.GroupedIdentities(ctx)
		}) {
			note("%s %v", i.UserID, i.Groups)
		}
		found := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.OAuthToken, error) {
			return tx.OAuthToken(ctx, "tok_1")
		})
		note("%s", found.Family)
		want := []string{
			"cli_1 [a] console", "cli_2 [b] console", "usr_1 default viewer", "usr_1 shop admin", "usr_2 shop viewer", "usr_1 [dev]", "gnt_1",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		err := s.View(t.Context(), func(tx *store.Tx) error { _, err := tx.OAuthToken(t.Context(), "tok_2"); return err })
		if !errors.Is(err, blueberry.NotFound) {
			t.Errorf("no such token: %v", err)
		}
	})
}
