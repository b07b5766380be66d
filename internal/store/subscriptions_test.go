package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func subscription(id, name string) blueberry.Subscription {
	return blueberry.Subscription{
		ID: id, Project: blueberry.DefaultProject, Name: name, Kind: blueberry.SubscriptionWebhook, Events: []string{"environment.*"}, Endpoint: "https://hooks.example",
		CreatedAt: start, UpdatedAt: start,
	}
}

// notice is one that waits, of an event of its own.
func notice(id, subscriptionID string) blueberry.Notice {
	e := event("told")
	e.ID, e.At = "event of "+id, start
	return blueberry.Notice{
		ID: id, SubscriptionID: subscriptionID, Project: blueberry.DefaultProject, Event: e, State: blueberry.NoticeWaiting, NextAt: start, ExpiresAt: start.Add(time.Hour), CreatedAt: start,
	}
}

// fillNotify puts a row into every table of subscriptions.
func fillNotify(ctx context.Context, tx *store.Tx) error {
	s := subscription("sub_1", "ci")
	s.Address, s.Secrets = []byte("sealed"), []byte("sealed")
	return errors.Join(
		tx.InsertSubscription(ctx, s), tx.InsertNotices(ctx, []blueberry.Notice{notice("ntc_1", s.ID)}), tx.PutPreferences(ctx, blueberry.DefaultPreferences("usr_1")), tx.PutSavedView(ctx, blueberry.SavedView{UserID: "usr_1", Name: "mine", Page: "environments"}),
	)
}

func addSubscriptions(t *testing.T, s *store.Store, ids ...string) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		for _, id := range ids {
			if err := tx.InsertSubscription(ctx, subscription(id, id)); err != nil {
				return err
			}
		}
		return nil
	})
}

func subscriptionByID(t *testing.T, s *store.Store, id string) (blueberry.Subscription, error) {
	t.Helper()
	return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Subscription, error) {
		return tx.Subscription(ctx, id)
	})
}

func TestSubscriptionsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.Subscription](1)
	full.Project, full.Version = blueberry.DefaultProject, 7
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, sent := range map[string]blueberry.Subscription{"whole": full, "bare": {ID: "sub_bare", Address: []byte{}, Secrets: []byte{}}} {
			t.Run(name, func(t *testing.T) {
				roundTrip(sent, func(ctx context.Context, tx *store.Tx, n blueberry.Subscription) error {
					return tx.InsertSubscription(ctx, n)
				},
					func(ctx context.Context, tx *store.Tx) (blueberry.Subscription, error) {
						return tx.Subscription(ctx, sent.ID)
					},
					func(n *blueberry.Subscription) {
						n.Version = 1
						if len(n.Address) == 0 {
							n.Address, n.Secrets = nil, nil
						}
					})(t, s)
			})
		}
	})
}

func TestASubscriptionHasItsNameInAProject(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		insert := func(n blueberry.Subscription) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertSubscription(ctx, n) })
		}
		whole := subscription("sub_2", "ci")
		whole.Project = ""
		if err := errors.Join(insert(subscription("sub_1", "ci")), insert(whole), insert(subscription("sub_3", "other"))); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "again", insert(subscription("sub_4", "ci")), blueberry.Conflict, "SUBSCRIPTION_EXISTS")
		again := whole
		again.ID = "sub_5"
		wantCode(t, "of the installation again", insert(again), blueberry.Conflict, "SUBSCRIPTION_EXISTS")
		lost := subscription("sub_6", "ci")
		lost.Project = "none"
		wantCode(t, "of no project", insert(lost), blueberry.NotFound, "PROJECT_NOT_FOUND")
		renamed := subscription("sub_3", "ci")
		renamed.Version = 1
		wantCode(t, "renamed", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateSubscription(ctx, renamed) }), blueberry.Conflict, "SUBSCRIPTION_EXISTS")
	})
}

func TestASubscriptionIsChangedAtItsVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriptions(t, s, "sub_1")
		want := whole[blueberry.Subscription](3)
		want.ID, want.Version = "sub_1", 1
		set := func(n blueberry.Subscription) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateSubscription(ctx, n) })
		}
		if err := set(want); err != nil {
			t.Fatal(err)
		}
		was := subscription("sub_1", "sub_1")
		want.Version, want.Project, want.Kind, want.CreatedAt = 2, was.Project, was.Kind, was.CreatedAt
		got, err := subscriptionByID(t, s, "sub_1")
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v:\n%s", err, d)
		}
		h := whole[blueberry.SubscriptionHealth](9)
		health := func(id string) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutSubscriptionHealth(ctx, id, h) })
		}
		if err := health("sub_1"); err != nil {
			t.Fatal(err)
		}
		if got, err := subscriptionByID(t, s, "sub_1"); err != nil || got.Version != 2 || cmp.Diff(h, got.Health) != "" {
			t.Errorf("%+v, %v", got, err)
		}
		wantCode(t, "health of none", health("sub_none"), blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND")
		none := subscription("sub_none", "x")
		none.Version = 1
		wantCode(t, "of none", set(none), blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND")
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := set(got); err == nil {
					won.Add(1)
				} else {
					wantCode(t, "a write that lost", err, blueberry.Conflict, "VERSION_MOVED")
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 8 wrote one version", won.Load())
		}
	})
}

func TestSubscriptionsAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriptions(t, s, "sub_2", "sub_4")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			elsewhere, whole, off := subscription("sub_3", "x"), subscription("sub_1", "x"), subscription("sub_5", "off")
			elsewhere.Project, whole.Project, off.Off = "shop", "", true
			whole.Address = []byte("sealed")
			return errors.Join(tx.InsertProject(ctx, blueberry.Project{Name: "shop"}), tx.InsertSubscription(ctx, elsewhere), tx.InsertSubscription(ctx, whole), tx.InsertSubscription(ctx, off))
		})
		for name, c := range map[string]struct {
			q    blueberry.SubscriptionQuery
			want []string
		}{
			"all":                    {blueberry.SubscriptionQuery{}, []string{"sub_1", "sub_2", "sub_3", "sub_4", "sub_5"}},
			"a page":                 {blueberry.SubscriptionQuery{After: "sub_1", Limit: 2}, []string{"sub_2", "sub_3"}},
			"after the last":         {blueberry.SubscriptionQuery{After: "sub_5"}, nil},
			"of a project":           {blueberry.SubscriptionQuery{Projects: []string{"shop"}}, []string{"sub_3"}},
			"of no project":          {blueberry.SubscriptionQuery{Projects: []string{}}, nil},
			"of one that is no text": {blueberry.SubscriptionQuery{Projects: []string{"a\x00\xff'"}}, nil},
		} {
			var got []string
			for _, r := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Subscription, error) {
				return tx.Subscriptions(ctx, c.q)
			}) {
				got = append(got, r.ID)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
		var live []string
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			live = nil
			list, err := tx.LiveSubscriptions(ctx)
			for _, x := range list {
				if live = append(live, x.ID); x.Address != nil {
					t.Error("with its address")
				}
			}
			return err
		})
		if d := cmp.Diff([]string{"sub_1", "sub_2", "sub_3", "sub_4"}, live); d != "" {
			t.Error(d)
		}
	})
}

func TestNoticesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.Notice](1)
	full.SubscriptionID = "sub_1"
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriptions(t, s, "sub_1")
		for name, sent := range map[string]blueberry.Notice{"whole": full, "bare": {ID: "ntc_bare", SubscriptionID: "sub_1"}} {
			t.Run(name, func(t *testing.T) {
				roundTrip(sent, func(ctx context.Context, tx *store.Tx, n blueberry.Notice) error {
					return tx.InsertNotices(ctx, []blueberry.Notice{n})
				},
					func(ctx context.Context, tx *store.Tx) (blueberry.Notice, error) { return tx.Notice(ctx, sent.ID) },
					func(n *blueberry.Notice) { n.Version = 1 })(t, s)
			})
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Notice, error) { return tx.Notice(ctx, "ntc_none") })
		wantCode(t, "none", err, blueberry.NotFound, "NOTICE_NOT_FOUND")
		lost := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertNotices(ctx, []blueberry.Notice{notice("ntc_2", "sub_none")})
		})
		wantCode(t, "of no subscription", lost, blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND")
	})
}

func noticeIDs(t *testing.T, s *store.Store, q blueberry.NoticeQuery) (ids []string) {
	t.Helper()
	for _, n := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Notice, error) { return tx.Notices(ctx, q) }) {
		ids = append(ids, n.ID)
	}
	return ids
}

// A subscription has one notice of an event, however often and by however many it is made.
func TestAnEventIsNoticedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriptions(t, s, "sub_1", "sub_2")
		const events = 300 // more than one statement takes
		var wg sync.WaitGroup
		for by := range 4 {
			wg.Go(func() {
				var list []blueberry.Notice
				for i := range events {
					for _, id := range []string{"sub_1", "sub_2"} {
						n := notice(fmt.Sprintf("ntc_%d_%s_%d", by, id, i), id)
						n.Event.ID = fmt.Sprintf("evt_%d", i)
						list = append(list, n)
					}
				}
				if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					if _, err := tx.LiveSubscriptions(ctx); err != nil {
						return err
					}
					return tx.InsertNotices(ctx, list)
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, s, "notices"); n != 2*events {
			t.Errorf("%d notices of %d events for two", n, events)
		}
	})
}

func TestNoticesAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriptions(t, s, "sub_1", "sub_2")
		dead, elsewhere := notice("ntc_2", "sub_1"), notice("ntc_3", "sub_2")
		dead.State, elsewhere.Project = blueberry.NoticeDead, "shop"
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertNotices(ctx, []blueberry.Notice{notice("ntc_1", "sub_1"), dead, elsewhere})
		})
		for name, c := range map[string]struct {
			q    blueberry.NoticeQuery
			want []string
		}{
			"all":               {blueberry.NoticeQuery{}, []string{"ntc_3", "ntc_2", "ntc_1"}},
			"a page":            {blueberry.NoticeQuery{Before: "ntc_3", Limit: 1}, []string{"ntc_2"}},
			"of a subscription": {blueberry.NoticeQuery{SubscriptionID: "sub_1"}, []string{"ntc_2", "ntc_1"}},
			"in a state":        {blueberry.NoticeQuery{State: blueberry.NoticeDead}, []string{"ntc_2"}},
			"of a project":      {blueberry.NoticeQuery{Projects: []string{"shop"}}, []string{"ntc_3"}},
			"of no project":     {blueberry.NoticeQuery{Projects: []string{}}, nil},
			"of what is none":   {blueberry.NoticeQuery{SubscriptionID: "a\x00\xff'"}, nil},
		} {
			if d := cmp.Diff(c.want, noticeIDs(t, s, c.q)); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
	})
}

func TestTheNextNoticeIsTheEarliest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriptions(t, s, "sub_1", "sub_2")
		next := func(id string) (blueberry.Notice, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Notice, error) { return tx.NextNotice(ctx, id) })
		}
		late, early, same, done, others := notice("ntc_1", "sub_1"), notice("ntc_3", "sub_1"), notice("ntc_2", "sub_1"), notice("ntc_0", "sub_1"), notice("ntc_4", "sub_2")
		late.NextAt, done.State, done.NextAt, others.NextAt = start.Add(time.Minute), blueberry.NoticeDelivered, time.Time{}, start.Add(-time.Hour)
		late.Event.Seq, early.Event.Seq, same.Event.Seq = 1, 2, 3 // the ids of one millisecond are in no order
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertNotices(ctx, []blueberry.Notice{late, early, same, done, others})
		})
		var order []string
		for {
			n, err := next("sub_1")
			if err != nil {
				wantCode(t, "when none waits", err, blueberry.NotFound, "NOTICE_NOT_FOUND")
				break
			}
			order = append(order, n.ID)
			n = n.After(blueberry.NoticeAttempt{At: start}, blueberry.NoticeResult{Status: 200})
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateNotice(ctx, n) })
			wantCode(t, "at an old version", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateNotice(ctx, n) }), blueberry.Conflict, "VERSION_MOVED")
		}
		if d := cmp.Diff([]string{"ntc_3", "ntc_2", "ntc_1"}, order); d != "" {
			t.Error(d)
		}
		none := notice("ntc_none", "sub_1")
		wantCode(t, "of none", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateNotice(ctx, none) }), blueberry.NotFound, "NOTICE_NOT_FOUND")
	})
}

func TestNoticesAreRedrivenExpiredAndPurged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriptions(t, s, "sub_1", "sub_2")
		made := func(id, of string, state blueberry.NoticeState, alter func(n *blueberry.Notice)) blueberry.Notice {
			n := notice(id, of)
			n.State, n.Tries = state, 5
			alter(&n)
			return n
		}
		nothing := func(*blueberry.Notice) {}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertNotices(ctx, []blueberry.Notice{
				made("ntc_1", "sub_1", blueberry.NoticeDead, func(n *blueberry.Notice) { n.EndedAt = start }), made("ntc_2", "sub_1", blueberry.NoticeDelivered, nothing),
				made("ntc_3", "sub_1", blueberry.NoticeWaiting, nothing), made("ntc_4", "sub_2", blueberry.NoticeDead, nothing),
				made("ntc_5", "sub_1", blueberry.NoticeWaiting, func(n *blueberry.Notice) { n.ExpiresAt = start.Add(3 * time.Hour) }), made("ntc_6", "sub_2", blueberry.NoticeWaiting, nothing),
				made("ntc_0", "sub_1", blueberry.NoticeDelivered, func(n *blueberry.Notice) { n.CreatedAt = start.Add(-time.Hour) }),
			})
		})
		counted := func(f func(ctx context.Context, tx *store.Tx) (int, error)) (n int) {
			t.Helper()
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = f(ctx, tx)
				return err
			})
			return n
		}
		at, until := start.Add(2*time.Hour), start.Add(26*time.Hour)
		if n := counted(func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.RedriveNotices(ctx, "sub_1", at, until)
		}); n != 1 {
			t.Errorf("redrove %d", n)
		}
		want := made("ntc_1", "sub_1", blueberry.NoticeWaiting, func(n *blueberry.Notice) { n.Tries, n.NextAt, n.ExpiresAt, n.Version = 0, at, until, 2 })
		if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Notice, error) { return tx.Notice(ctx, "ntc_1") })); d != "" {
			t.Error(d)
		}
		if n := counted(func(ctx context.Context, tx *store.Tx) (int, error) { return tx.ExpireNotices(ctx, "sub_1", at) }); n != 1 {
			t.Errorf("expired %d", n)
		}
		if d := cmp.Diff([]string{"ntc_4", "ntc_3"}, noticeIDs(t, s, blueberry.NoticeQuery{State: blueberry.NoticeDead})); d != "" {
			t.Error(d)
		}
		if n := counted(func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.PurgeNotices(ctx, start.Add(time.Second), 0)
		}); n != 0 {
			t.Errorf("purged %d without a limit", n)
		}
		if n := counted(func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.PurgeNotices(ctx, start.Add(time.Second), 2)
		}); n != 2 {
			t.Errorf("purged %d", n)
		}
		if d := cmp.Diff([]string{"ntc_6", "ntc_5", "ntc_4", "ntc_3", "ntc_2"}, noticeIDs(t, s, blueberry.NoticeQuery{})); d != "" {
			t.Error(d)
		}
	})
}

// A subscription that is removed, by itself or with its project, while its notices are made, sent and redriven: nobody waits forever, and nothing is left.
func TestASubscriptionIsRemovedWhileItIsUsed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		removes := map[string]func(ctx context.Context, tx *store.Tx, n blueberry.Subscription) error{
			"subscription": func(ctx context.Context, tx *store.Tx, n blueberry.Subscription) error {
				return tx.DeleteSubscription(ctx, n.ID)
			},
			"project": func(ctx context.Context, tx *store.Tx, n blueberry.Subscription) error {
				return tx.DeleteProject(ctx, n.Project, 1, "ada@example.com", start)
			},
		}
		k := 0
		for name, remove := range removes {
			for round := range 5 {
				k++
				sub := subscription(fmt.Sprintf("sub_%d", k), "ci")
				sub.Project = fmt.Sprintf("p%d", k)
				first := notice(fmt.Sprintf("ntc_%d", k), sub.ID)
				first.Version = 1
				update(t, s, func(ctx context.Context, tx *store.Tx) error {
					return errors.Join(tx.InsertProject(ctx, blueberry.Project{Name: sub.Project}), tx.InsertSubscription(ctx, sub), tx.InsertNotices(ctx, []blueberry.Notice{first}))
				})
				var wg sync.WaitGroup
				uses := []func(ctx context.Context, tx *store.Tx) error{
					func(ctx context.Context, tx *store.Tx) error { // as events are taken
						live, err := tx.LiveSubscriptions(ctx)
						var made []blueberry.Notice
						for _, x := range live {
							made = append(made, notice(fmt.Sprintf("ntc_%d_%s", k, x.ID), x.ID))
						}
						return errors.Join(err, tx.InsertNotices(ctx, made))
					},
					func(ctx context.Context, tx *store.Tx) error { // as one is sent
						if err := tx.PutSubscriptionHealth(ctx, sub.ID, blueberry.SubscriptionHealth{Failures: 1}); err != nil {
							return err
						}
						return tx.UpdateNotice(ctx, first)
					},
					func(ctx context.Context, tx *store.Tx) error { // as the dead are redriven
						if err := tx.PutSubscriptionHealth(ctx, sub.ID, blueberry.SubscriptionHealth{}); err != nil {
							return err
						}
						_, err := tx.RedriveNotices(ctx, sub.ID, start, start)
						return err
					},
				}
				for _, use := range uses {
					wg.Go(func() {
						if err := tryUpdate(t, s, use); err != nil && !errors.Is(err, blueberry.NotFound) && !errors.Is(err, blueberry.Conflict) {
							t.Errorf("%s, round %d: %v", name, round, err)
						}
					})
				}
				wg.Go(func() {
					if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return remove(ctx, tx, sub) }); err != nil {
						t.Errorf("%s, round %d: %v", name, round, err)
					}
				})
				wg.Wait()
			}
		}
		for _, table := range []string{"subscriptions", "notices"} {
			if n := count(t, s, table); n != 0 {
				t.Errorf("%d of %s are left", n, table)
			}
		}
	})
}

// A new key reaches addresses and secrets, and moves no version.
func TestAddressesOfSubscriptionsAreSealedAnew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := subscription("sub_1", "ci")
		n.Address, n.Secrets = []byte("key-1|subscriptions.address:sub_1|where"), []byte("key-1|subscriptions.secrets:sub_1|of it")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertSubscription(ctx, n), tx.InsertSubscription(ctx, subscription("sub_2", "bare")))
		})
		if written, err := s.Reencrypt(t.Context(), reseal(1)); err != nil || written != 2 {
			t.Errorf("wrote %d, %v", written, err)
		}
		got, err := subscriptionByID(t, s, n.ID)
		if err != nil || !bytes.HasPrefix(got.Address, []byte("key-2|subscriptions.address:sub_1|where")) || !bytes.HasPrefix(got.Secrets, []byte("key-2|")) || got.Version != 1 {
			t.Errorf("it holds %q and %q at version %d, %v", got.Address, got.Secrets, got.Version, err)
		}
	})
}

func TestTextsOfNoticesThatNoDatabaseTakes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const bad = "a\x00b\xff'\\?"
		long := strings.Repeat("🫐'\x00", 10_000)
		sub := subscription("sub_"+bad, bad)
		sub.Endpoint, sub.OffWhy, sub.Health.LastError, sub.Events = bad, bad, long, []string{bad}
		n := notice("ntc_"+bad, sub.ID)
		n.Event.Message, n.Event.Actor, n.Attempts = long, bad, []blueberry.NoticeAttempt{{Error: bad}}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertSubscription(ctx, sub), tx.InsertNotices(ctx, []blueberry.Notice{n}))
		})
		if got := noticeIDs(t, s, blueberry.NoticeQuery{SubscriptionID: sub.ID, Before: "z\x00"}); len(got) != 1 {
			t.Errorf("found %q", got)
		}
		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Notice, error) { return tx.Notice(ctx, n.ID) })
		if !strings.HasPrefix(got.Event.Message, "🫐'") || len(got.Attempts) != 1 {
			t.Errorf("it is %.100q", got.Event.Message)
		}
	})
}
