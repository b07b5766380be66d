package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// delivery is one that counts, with a digest of its own.
func delivery(id, repositoryID string) blueberry.Delivery {
	return blueberry.Delivery{
		ID: id, RepositoryID: repositoryID, Project: blueberry.DefaultProject, Host: blueberry.HostGitHub, Digest: "digest of " + id, Event: "pull_request",
		Verdict: blueberry.DeliveryAccepted, ReceivedAt: start,
	}
}

func deliveryByID(t *testing.T, s *store.Store, id string) (blueberry.Delivery, error) {
	t.Helper()
	return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Delivery, error) { return tx.Delivery(ctx, id) })
}

func addDelivery(t *testing.T, s *store.Store, d blueberry.Delivery) error {
	t.Helper()
	return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertDelivery(ctx, d) })
}

func deliveryIDs(t *testing.T, s *store.Store, q blueberry.DeliveryQuery) (ids []string) {
	t.Helper()
	for _, d := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Delivery, error) { return tx.Deliveries(ctx, q) }) {
		ids = append(ids, d.ID)
	}
	return ids
}

func TestDeliveriesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.Delivery](1)
	full.RepositoryID = "rep_1"
	large := delivery("dlv_large", "rep_1")
	large.Body = make([]byte, 1<<20)
	chance := rand.NewChaCha8([32]byte{1})
	_, _ = chance.Read(large.Body) // of what gzip makes nothing smaller
	large.Size = len(large.Body)
	plain := delivery("dlv_plain", "rep_1")
	plain.Body = bytes.Repeat([]byte(`{"a": 1}`), 1<<17)
	empty := delivery("dlv_empty", "rep_1")
	empty.Body, empty.Headers = []byte{}, map[string]string{}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		for name, sent := range map[string]blueberry.Delivery{
			"whole": full, "1 MiB of noise": large, "1 MiB of text": plain, "nothing": empty, "bare": {ID: "dlv_bare", RepositoryID: "rep_1", Verdict: blueberry.DeliveryRefused},
		} {
			t.Run(name, func(t *testing.T) {
				roundTrip(sent, func(ctx context.Context, tx *store.Tx, n blueberry.Delivery) error { return tx.InsertDelivery(ctx, n) },
					func(ctx context.Context, tx *store.Tx) (blueberry.Delivery, error) { return tx.Delivery(ctx, sent.ID) },
					func(d *blueberry.Delivery) {
						if len(d.Body) == 0 {
							d.Body = nil
						}
					})(t, s)
			})
		}
		want := full
		want.Headers, want.Body = nil, nil
		if d := cmp.Diff([]blueberry.Delivery{want}, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Delivery, error) {
			return tx.Deliveries(ctx, blueberry.DeliveryQuery{PullID: full.PullID})
		})); d != "" {
			t.Errorf("in a list:\n%s", d)
		}
		var kept int
		if err := s.ReadDB().QueryRowContext(t.Context(), "SELECT length(body) FROM deliveries WHERE id = 'dlv_plain'").Scan(&kept); err != nil || kept == 0 || kept > 1<<14 {
			t.Errorf("1 MiB of text is kept in %d bytes, %v", kept, err)
		}
		for _, id := range []string{"dlv_none", "", "dlv_plain\x00"} {
			_, err := deliveryByID(t, s, id)
			wantCode(t, fmt.Sprintf("%q", id), err, blueberry.NotFound, "DELIVERY_NOT_FOUND")
		}
		wantCode(t, "of no repository", addDelivery(t, s, delivery("dlv_2", "rep_none")), blueberry.NotFound, "REPOSITORY_NOT_FOUND")
	})
}

func TestADeliveryCountsOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		n := 0
		made := func(change func(d *blueberry.Delivery)) blueberry.Delivery {
			n++
			d := delivery(fmt.Sprintf("dlv_%02d", n), "rep_1")
			d.HostID = "host id of " + d.ID
			change(&d)
			return d
		}
		first := made(func(*blueberry.Delivery) {})
		unnamed := made(func(d *blueberry.Delivery) { d.HostID = "" })
		refused := made(func(d *blueberry.Delivery) { d.Verdict = blueberry.DeliveryRefused })
		for _, d := range []blueberry.Delivery{first, unnamed, refused} {
			if err := addDelivery(t, s, d); err != nil {
				t.Fatal(err)
			}
		}
		sameID := func(d *blueberry.Delivery) { d.HostID = first.HostID }
		sameDigest := func(d *blueberry.Delivery) { d.Digest = first.Digest }
		same := func(d *blueberry.Delivery) { d.HostID, d.Digest = first.HostID, first.Digest }
		also := func(f func(*blueberry.Delivery), verdict blueberry.DeliveryVerdict, replayOf string) func(*blueberry.Delivery) {
			return func(d *blueberry.Delivery) {
				f(d)
				d.Verdict, d.ReplayOf = verdict, replayOf
			}
		}
		for _, c := range []struct {
			name   string
			change func(*blueberry.Delivery)
			seen   bool
		}{
			{"the same", same, true},
			{"the same id", sameID, true},
			{"the same digest", sameDigest, true},
			{"the same, ignored", also(same, blueberry.DeliveryIgnored, ""), true},
			{"the same, unreadable", also(same, blueberry.DeliveryUnread, ""), true},
			{"the same digest without an id", func(d *blueberry.Delivery) { d.HostID, d.Digest = "", first.Digest }, true},
			{"the digest of one without an id", func(d *blueberry.Delivery) { d.Digest = unnamed.Digest }, true},
			{"the same, a duplicate", also(same, blueberry.DeliveryDuplicate, ""), false},
			{"the same, refused", also(same, blueberry.DeliveryRefused, ""), false},
			{"the same, a replay", also(same, blueberry.DeliveryAccepted, first.ID), false},
			{"the same, a second replay", also(same, blueberry.DeliveryAccepted, first.ID), false},
			{"the same of another repository", func(d *blueberry.Delivery) { same(d); d.RepositoryID = "rep_2" }, false},
			{"another without an id", func(d *blueberry.Delivery) { d.HostID = "" }, false},
			{"an id in other letters", func(d *blueberry.Delivery) { d.HostID = "HOST id of dlv_01" }, false},
			{"what was refused before", func(d *blueberry.Delivery) { d.HostID, d.Digest = refused.HostID, refused.Digest }, false},
			{"and that once more", func(d *blueberry.Delivery) { d.HostID, d.Digest = refused.HostID, refused.Digest }, true},
		} {
			d := made(c.change)
			after := made(func(d *blueberry.Delivery) { d.Verdict = blueberry.DeliveryDuplicate })
			var err error
			update(t, s, func(ctx context.Context, tx *store.Tx) error { // which goes on
				err = tx.InsertDelivery(ctx, d)
				return tx.InsertDelivery(ctx, after)
			})
			if c.seen {
				wantCode(t, c.name, err, blueberry.Conflict, "DELIVERY_SEEN")
			} else if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if _, err := deliveryByID(t, s, d.ID); c.seen != errors.Is(err, blueberry.NotFound) {
				t.Errorf("%s is read with %v", c.name, err)
			}
			if _, err := deliveryByID(t, s, after.ID); err != nil {
				t.Errorf("what followed %s: %v", c.name, err)
			}
		}
	})
}

// A host that sends again and again at once, by its id or by its digest: one is added, and everyone else can note that theirs is a duplicate.
func TestOneOfManyDeliveriesIsAdded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		for name, same := range map[string]func(d *blueberry.Delivery){
			"id":     func(d *blueberry.Delivery) { d.HostID = "one" },
			"digest": func(d *blueberry.Delivery) { d.Digest = "two" },
			"both":   func(d *blueberry.Delivery) { d.HostID, d.Digest = "three", "three" },
		} {
			const many = 16
			var won atomic.Int32
			var wg sync.WaitGroup
			for i := range many {
				wg.Go(func() {
					d := delivery(fmt.Sprintf("dlv_%s_%d", name, i), "rep_1")
					same(&d)
					added := false
					err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						err := tx.InsertDelivery(ctx, d)
						if added = err == nil; added {
							return tx.TouchRepository(ctx, "rep_1", true, d.ReceivedAt)
						}
						wantCode(t, "one of the same "+name, err, blueberry.Conflict, "DELIVERY_SEEN")
						again := d
						again.Verdict = blueberry.DeliveryDuplicate
						return tx.InsertDelivery(ctx, again)
					})
					if err != nil {
						t.Error(err)
					} else if added {
						won.Add(1)
					}
				})
			}
			wg.Wait()
			if n := won.Load(); n != 1 {
				t.Errorf("%d of the same %s were added", n, name)
			}
		}
		for verdict, want := range map[blueberry.DeliveryVerdict]int{blueberry.DeliveryAccepted: 3, blueberry.DeliveryDuplicate: 45} {
			if got := deliveryIDs(t, s, blueberry.DeliveryQuery{Verdict: verdict, Limit: 100}); len(got) != want {
				t.Errorf("%d are %s, want %d", len(got), verdict, want)
			}
		}
	})
}

func TestDeliveriesAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		for _, x := range []struct {
			id, repository, project, pull string
			verdict                       blueberry.DeliveryVerdict
		}{
			{"dlv_1", "rep_1", "default", "pul_1", blueberry.DeliveryAccepted},
			{"dlv_4", "rep_1", "default", "pul_1", blueberry.DeliveryIgnored},
			{"dlv_2", "rep_2", "shop", "", blueberry.DeliveryRefused},
			{"dlv_3", "rep_1", "default", "", blueberry.DeliveryAccepted},
			{"dlv_B", "rep_2", "shop", "pul_2", blueberry.DeliveryAccepted},
			{"dlv_a", "rep_2", "other", "pul_2", blueberry.DeliveryUnread},
		} {
			d := delivery(x.id, x.repository)
			d.Project, d.PullID, d.Verdict = x.project, x.pull, x.verdict
			if err := addDelivery(t, s, d); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			q    blueberry.DeliveryQuery
			want []string
		}{
			"all":                         {blueberry.DeliveryQuery{}, []string{"dlv_a", "dlv_B", "dlv_4", "dlv_3", "dlv_2", "dlv_1"}}, // by bytes
			"the first page":              {blueberry.DeliveryQuery{Limit: 2}, []string{"dlv_a", "dlv_B"}},
			"a page":                      {blueberry.DeliveryQuery{Limit: 2, Before: "dlv_B"}, []string{"dlv_4", "dlv_3"}},
			"before the oldest":           {blueberry.DeliveryQuery{Before: "dlv_1"}, nil},
			"of a repository":             {blueberry.DeliveryQuery{RepositoryID: "rep_1"}, []string{"dlv_4", "dlv_3", "dlv_1"}},
			"a page of a repository":      {blueberry.DeliveryQuery{RepositoryID: "rep_1", Before: "dlv_4", Limit: 1}, []string{"dlv_3"}},
			"of a pull request":           {blueberry.DeliveryQuery{PullID: "pul_2"}, []string{"dlv_a", "dlv_B"}},
			"of a verdict":                {blueberry.DeliveryQuery{Verdict: blueberry.DeliveryAccepted}, []string{"dlv_B", "dlv_3", "dlv_1"}},
			"of a verdict in a project":   {blueberry.DeliveryQuery{Verdict: blueberry.DeliveryAccepted, Projects: []string{"shop"}}, []string{"dlv_B"}},
			"of projects":                 {blueberry.DeliveryQuery{Projects: []string{"shop", "other"}}, []string{"dlv_a", "dlv_B", "dlv_2"}},
			"of no project":               {blueberry.DeliveryQuery{Projects: []string{}}, nil},
			"of another one's repository": {blueberry.DeliveryQuery{Projects: []string{"shop"}, RepositoryID: "rep_1"}, nil},
		} {
			if d := cmp.Diff(c.want, deliveryIDs(t, s, c.q)); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
	})
}

func TestDeliveriesArePurged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		for i, minutes := range []int{30, 10, 20, 40, 10} { // when they came, by id
			d := delivery(fmt.Sprintf("dlv_%d", i), "rep_1")
			d.ReceivedAt = start.Add(time.Duration(minutes) * time.Minute)
			if err := addDelivery(t, s, d); err != nil {
				t.Fatal(err)
			}
		}
		purge := func(minutes, limit, want int, left ...string) {
			t.Helper()
			var n int
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = tx.PurgeDeliveries(ctx, start.Add(time.Duration(minutes)*time.Minute), limit)
				return err
			})
			if d := cmp.Diff(left, deliveryIDs(t, s, blueberry.DeliveryQuery{})); d != "" || n != want {
				t.Errorf("removed %d, want %d:\n%s", n, want, d)
			}
		}
		purge(10, 100, 0, "dlv_4", "dlv_3", "dlv_2", "dlv_1", "dlv_0")
		purge(60, 0, 0, "dlv_4", "dlv_3", "dlv_2", "dlv_1", "dlv_0")
		purge(60, -1, 0, "dlv_4", "dlv_3", "dlv_2", "dlv_1", "dlv_0")
		purge(40, 3, 3, "dlv_3", "dlv_0")
		purge(40, 3, 1, "dlv_3")
		purge(60, 10_000, 1)

		again := delivery("dlv_5", "rep_1")
		again.Digest = "digest of dlv_0"
		if err := addDelivery(t, s, again); err != nil {
			t.Errorf("what is forgotten counts: %v", err)
		}
	})
}

// Those who purge at once remove each delivery once.
func TestDeliveriesArePurgedByMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			for i := range 60 {
				err = errors.Join(err, tx.InsertDelivery(ctx, delivery(fmt.Sprintf("dlv_%02d", i), "rep_1")))
			}
			return err
		})
		var removed atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				var n int
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
					n, err = tx.PurgeDeliveries(ctx, start.Add(time.Minute), 10)
					return err
				})
				if err != nil || n > 10 {
					t.Errorf("removed %d, %v", n, err)
				}
				removed.Add(int64(n))
			})
		}
		wg.Wait()
		if left := count(t, s, "deliveries"); int64(left)+removed.Load() != 60 {
			t.Errorf("%d were removed, and %d are left of 60", removed.Load(), left)
		}
	})
}
