package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// personOf adds a user of an address, with preferences and a subscription by mail.
func personOf(t *testing.T, s *store.Store, email, sub string) blueberry.User {
	t.Helper()
	u := user(blueberry.NewID(blueberry.UserID, start))
	u.Email = email
	way := subscription(sub, "mail")
	way.Project = u.ID
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.InsertUser(ctx, u), tx.PutPreferences(ctx, blueberry.DefaultPreferences(u.ID)), tx.InsertSubscription(ctx, way))
	})
	return u
}

func TestPreferencesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := user("usr_1")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertUser(ctx, u) })
		read := func() (blueberry.Preferences, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Preferences, error) {
				return tx.Preferences(ctx, u.ID)
			})
		}
		put := func(p blueberry.Preferences) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutPreferences(ctx, p) })
		}
		_, err := read()
		wantCode(t, "before any are set", err, blueberry.NotFound, "PREFERENCES_NOT_FOUND")
		p := whole[blueberry.Preferences](1)
		p.UserID, p.Version = u.ID, 0
		for version := range int64(2) {
			if p.Version = version; put(p) != nil {
				t.Fatal(put(p))
			}
			want := p
			want.Version++
			if got, err := read(); err != nil || cmp.Diff(want, got) != "" {
				t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(want, got))
			}
			p.Off, p.Events, p.Muted = !p.Off, []string{"environment.*"}, nil
		}
		p.Version = 0
		wantCode(t, "the first again", put(p), blueberry.Conflict, "VERSION_MOVED")
		p.Version = 1
		wantCode(t, "of a version that was", put(p), blueberry.Conflict, "VERSION_MOVED")
		wantCode(t, "of nobody", put(blueberry.DefaultPreferences("usr_none")), blueberry.NotFound, "USER_NOT_FOUND")
	})
}

func TestPersonalWishes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, ben := personOf(t, s, "ada@example.com", "sub_ada"), personOf(t, s, "ben@example.com", "sub_ben")
		var ids []string
		for i, owner := range []string{ada.Email, ada.Email, ben.Email, "shop/ci"} {
			e := environment("pr-"+string(rune('1'+i)), start)
			e.Owner = owner
			ids = append(ids, e.ID)
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		}
		wishes := func(of ...string) (out []string) {
			t.Helper()
			list := []blueberry.PersonalWish{}
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				list, err = tx.PersonalWishes(ctx, of)
				return err
			})
			for _, w := range list {
				slices.SortFunc(w.Environments, func(a, b string) int { return slices.Index(ids, a) - slices.Index(ids, b) }) // ids of one instant have no order
				out = append(out, w.Subscription.ID)
				if w.Preferences.UserID != w.Subscription.Personal() || !w.Preferences.Mail {
					t.Errorf("of %s the preferences are %+v", w.Subscription.ID, w.Preferences)
				}
				for _, e := range w.Environments {
					out = append(out, "of "+string(rune('1'+slices.Index(ids, e))))
				}
			}
			return out
		}
		for _, c := range []struct{ of, want []string }{
			{nil, nil}, {ids[:1], []string{"sub_ada", "of 1"}}, {ids, []string{"sub_ada", "of 1", "of 2", "sub_ben", "of 3"}}, {ids[3:], nil}, {[]string{"env_none"}, nil},
		} {
			if got := wishes(c.of...); !slices.Equal(got, c.want) {
				t.Errorf("of %v: %v, want %v", c.of, got, c.want)
			}
		}
		off := subscription("sub_ben", "mail")
		off.Project, off.Off, off.Version = ben.ID, true, 1
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateSubscription(ctx, off) })
		if got := wishes(ids[2:]...); got != nil {
			t.Errorf("of one that is off: %v", got)
		}
	})
}

// TestSubscriptionsOfPeopleAreTheirsAlone: nothing that reads those of projects reads them, and they go with the person.
func TestSubscriptionsOfPeopleAreTheirsAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := personOf(t, s, "ada@example.com", "sub_ada")
		addSubscriptions(t, s, "sub_1")
		list := func(projects []string) (out []string) {
			for _, x := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Subscription, error) {
				return tx.Subscriptions(ctx, blueberry.SubscriptionQuery{Projects: projects})
			}) {
				out = append(out, x.ID)
			}
			return out
		}
		if got := list(nil); !slices.Equal(got, []string{"sub_1"}) {
			t.Errorf("all are %v", got)
		}
		if got := list([]string{ada.ID}); !slices.Equal(got, []string{"sub_ada"}) {
			t.Errorf("hers are %v", got)
		}
		if live := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Subscription, error) {
			return tx.LiveSubscriptions(ctx)
		}); len(live) != 1 || live[0].ID != "sub_1" {
			t.Errorf("live are %+v", live)
		}
		for project, want := range map[string]int{blueberry.DefaultProject: 1, "": 0, ada.ID: 1} {
			if n := view(t, s, func(ctx context.Context, tx *store.Tx) (int, error) { return tx.CountSubscriptions(ctx, project) }); n != want {
				t.Errorf("%q has %d", project, n)
			}
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			is, err := tx.User(ctx, ada.ID)
			return errors.Join(err, tx.InsertNotices(ctx, []blueberry.Notice{notice("ntc_1", "sub_ada")}), tx.DeleteUser(ctx, ada.ID, is.Version))
		})
		if got := list([]string{ada.ID}); got != nil {
			t.Errorf("of one who is gone there are %v", got)
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Preferences, error) {
			return tx.Preferences(ctx, ada.ID)
		})
		wantCode(t, "of one who is gone", err, blueberry.NotFound, "PREFERENCES_NOT_FOUND")
	})
}
