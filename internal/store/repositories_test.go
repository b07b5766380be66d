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

func repository(id, name string) blueberry.Repository {
	return blueberry.Repository{
		ID: id, Project: blueberry.DefaultProject, Name: name, Host: blueberry.HostGitHub, URL: "https://git.example/" + name, CreatedAt: start, UpdatedAt: start,
	}
}

// fillPulls puts a row into every table of repositories and their pull requests.
func fillPulls(ctx context.Context, tx *store.Tx) error {
	r := repository("rep_1", "acme/shop")
	r.Secrets = []byte("sealed")
	d := delivery("dlv_1", r.ID)
	d.PullID, d.Body = "pul_1", []byte("{}")
	_, err := tx.Follower(ctx, "somebody")
	return errors.Join(err, tx.InsertRepository(ctx, r), tx.InsertPull(ctx, pull("pul_1", r.ID, 1)), tx.InsertDelivery(ctx, d), tx.InsertPullCommand(ctx, pullCommand("cmd_1", 1)),
		tx.InsertBranch(ctx, branch("brn_1", r.ID, "main")),
		tx.SetPullReport(ctx, "pul_1", blueberry.PullReport{CommentID: "1"}))
}

// addRepositories adds some to the default project, each with its id as its name.
func addRepositories(t *testing.T, s *store.Store, ids ...string) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		for _, id := range ids {
			if err := tx.InsertRepository(ctx, repository(id, id)); err != nil {
				return err
			}
		}
		return nil
	})
}

func repositoryByID(t *testing.T, s *store.Store, id string) (blueberry.Repository, error) {
	t.Helper()
	return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Repository, error) { return tx.Repository(ctx, id) })
}

func TestRepositoriesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.Repository](1)
	full.Project, full.Version = blueberry.DefaultProject, 7
	bare := blueberry.Repository{ID: "rep_bare", Project: blueberry.DefaultProject, Secrets: []byte{}}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, sent := range map[string]blueberry.Repository{"whole": full, "bare": bare} {
			t.Run(name, func(t *testing.T) {
				roundTrip(sent, func(ctx context.Context, tx *store.Tx, n blueberry.Repository) error {
					return tx.InsertRepository(ctx, n)
				},
					func(ctx context.Context, tx *store.Tx) (blueberry.Repository, error) {
						return tx.Repository(ctx, sent.ID)
					},
					func(r *blueberry.Repository) {
						r.Version = 1
						if len(r.Secrets) == 0 {
							r.Secrets = nil
						}
					})(t, s)
			})
		}
	})
}

func TestARepositoryHasItsNameInAProject(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		insert := func(r blueberry.Repository) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertRepository(ctx, r) })
		}
		elsewhere := repository("rep_2", "acme/shop")
		elsewhere.Project = "shop"
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertProject(ctx, blueberry.Project{Name: "shop"})
		})
		if err := errors.Join(insert(repository("rep_1", "acme/shop")), insert(elsewhere), insert(repository("rep_3", "acme/Shop"))); err != nil {
			t.Fatal(err)
		}
		renamed := repository("rep_3", "acme/shop")
		renamed.Version = 1
		for what, err := range map[string]error{
			"a second one": insert(repository("rep_4", "acme/shop")),
			"another one that takes the name": tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.UpdateRepository(ctx, renamed)
			}),
		} {
			wantCode(t, what, err, blueberry.Conflict, "REPOSITORY_EXISTS")
			var e *blueberry.Error
			if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != "name" {
				t.Errorf("%s: the fault is %v", what, err)
			}
		}
		for _, project := range []string{"none", "", "no\x00ne"} {
			nowhere := repository("rep_5", "acme/shop")
			nowhere.Project = project
			wantCode(t, fmt.Sprintf("in project %q", project), insert(nowhere), blueberry.NotFound, "PROJECT_NOT_FOUND")
		}
	})
}

func TestRepositoriesAreWrittenByVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first := whole[blueberry.Repository](1)
		first.Project = blueberry.DefaultProject
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertRepository(ctx, first) })
		set := func(r blueberry.Repository) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateRepository(ctx, r) })
		}
		r := whole[blueberry.Repository](1000)
		r.ID, r.Version = first.ID, 1
		if err := set(r); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "from an old version", set(r), blueberry.Conflict, "VERSION_MOVED")
		wantCode(t, "of none", set(repository("rep_none", "x")), blueberry.NotFound, "REPOSITORY_NOT_FOUND")
		r.Project, r.CreatedAt, r.LastDeliveryAt, r.LastRefusedAt, r.Version = first.Project, first.CreatedAt, first.LastDeliveryAt, first.LastRefusedAt, 2
		r.Health, r.Sweep, r.Branches = first.Health, first.Sweep, first.Branches
		got, err := repositoryByID(t, s, r.ID)
		if d := cmp.Diff(r, got); d != "" || err != nil {
			t.Errorf("%v:\n%s", err, d)
		}

		var won atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := set(r); err == nil {
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

func TestARepositoryIsTouched(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		for _, x := range []struct {
			accepted bool
			at       time.Time
		}{{true, start}, {true, start.Add(time.Hour)}, {true, start.Add(time.Minute)}, {false, start.Add(2 * time.Hour)}} {
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return errors.Join(tx.TouchRepository(ctx, "rep_1", x.accepted, x.at), tx.TouchRepository(ctx, "rep_none", x.accepted, x.at))
			})
		}
		want := repository("rep_1", "rep_1")
		want.LastDeliveryAt, want.LastRefusedAt, want.Version = start.Add(time.Hour), start.Add(2*time.Hour), 1
		got, err := repositoryByID(t, s, "rep_1")
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v:\n%s", err, d)
		}
		if other, err := repositoryByID(t, s, "rep_2"); err != nil || !other.LastDeliveryAt.IsZero() || !other.LastRefusedAt.IsZero() {
			t.Errorf("another one was touched: %+v, %v", other, err)
		}
	})
}

func TestRepositoriesAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_B", "rep_c", "rep_a")
		other := repository("rep_b", "x")
		other.Project = "shop"
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertProject(ctx, blueberry.Project{Name: "shop"}), tx.InsertRepository(ctx, other))
		})
		for name, c := range map[string]struct {
			q    blueberry.RepositoryQuery
			want []string
		}{
			"all":                    {blueberry.RepositoryQuery{}, []string{"rep_B", "rep_a", "rep_b", "rep_c"}}, // by bytes
			"a page":                 {blueberry.RepositoryQuery{After: "rep_B", Limit: 2}, []string{"rep_a", "rep_b"}},
			"after the last":         {blueberry.RepositoryQuery{After: "rep_c"}, nil},
			"of a project":           {blueberry.RepositoryQuery{Projects: []string{"shop"}}, []string{"rep_b"}},
			"of two":                 {blueberry.RepositoryQuery{Projects: []string{"shop", "default"}, Limit: 1}, []string{"rep_B"}},
			"of no project":          {blueberry.RepositoryQuery{Projects: []string{}}, nil},
			"of one that is no text": {blueberry.RepositoryQuery{Projects: []string{"a\x00\xff'"}}, nil},
		} {
			var got []string
			for _, r := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Repository, error) {
				return tx.Repositories(ctx, c.q)
			}) {
				got = append(got, r.ID)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
	})
}

func TestARepositoryGoesWithWhatItHas(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		remove := func(id string) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteRepository(ctx, id) })
		}
		addRepositories(t, s, "rep_1", "rep_2")
		update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			for i := range 5 {
				for _, id := range []string{"rep_1", "rep_2"} {
					d := delivery(fmt.Sprintf("dlv_%s_%d", id, i), id)
					err = errors.Join(err, tx.InsertDelivery(ctx, d), tx.InsertPull(ctx, pull(fmt.Sprintf("pul_%s_%d", id, i), id, i)),
						tx.InsertBranch(ctx, branch(fmt.Sprintf("brn_%s_%d", id, i), id, fmt.Sprint(i))))
				}
			}
			return err
		})
		wantCode(t, "of none", remove("rep_none"), blueberry.NotFound, "REPOSITORY_NOT_FOUND")
		wantCode(t, "of what is no text", remove("rep_1\x00"), blueberry.NotFound, "REPOSITORY_NOT_FOUND")
		if err := remove("rep_1"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "a second time", remove("rep_1"), blueberry.NotFound, "REPOSITORY_NOT_FOUND")
		for table, want := range map[string]int{"repositories": 1, "deliveries": 5, "pulls": 5, "branches": 5} {
			if n := count(t, s, table); n != want {
				t.Errorf("%d of %s are left, want %d", n, table, want)
			}
		}
		addRepositories(t, s, "rep_1") // the name is free again
	})
}

// A repository that is removed while its host delivers: whoever comes first is seen by the other, and nothing is left of it.
func TestARepositoryIsRemovedWhileItIsUsed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		removes := map[string]func(ctx context.Context, tx *store.Tx, r blueberry.Repository) error{
			"repository": func(ctx context.Context, tx *store.Tx, r blueberry.Repository) error {
				return tx.DeleteRepository(ctx, r.ID)
			},
			"project": func(ctx context.Context, tx *store.Tx, r blueberry.Repository) error {
				return tx.DeleteProject(ctx, r.Project, 1, "ada@example.com", start)
			},
		}
		n := 0
		for name, remove := range removes {
			for round := range 5 {
				n++
				r := repository(fmt.Sprintf("rep_%d", n), "acme/shop")
				r.Project = fmt.Sprintf("p%d", n)
				update(t, s, func(ctx context.Context, tx *store.Tx) error {
					return errors.Join(tx.InsertProject(ctx, blueberry.Project{Name: r.Project}), tx.InsertRepository(ctx, r))
				})
				var wg sync.WaitGroup
				for i := range 4 {
					wg.Go(func() {
						id := fmt.Sprintf("%d_%d", n, i)
						err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
							if err := tx.InsertPull(ctx, pull("pul_"+id, r.ID, i)); err != nil {
								return err
							}
							if err := tx.InsertDelivery(ctx, delivery("dlv_"+id, r.ID)); err != nil {
								return err
							}
							return tx.TouchRepository(ctx, r.ID, true, start)
						})
						if err != nil {
							wantCode(t, fmt.Sprintf("%s, round %d", name, round), err, blueberry.NotFound, "REPOSITORY_NOT_FOUND")
						}
					})
				}
				wg.Go(func() {
					if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return remove(ctx, tx, r) }); err != nil {
						t.Errorf("%s, round %d: %v", name, round, err)
					}
				})
				wg.Wait()
			}
		}
		for _, table := range []string{"repositories", "deliveries", "pulls"} {
			if n := count(t, s, table); n != 0 {
				t.Errorf("%d of %s are left", n, table)
			}
		}
	})
}

// A project that is removed while someone adds a repository to it.
func TestAProjectIsRemovedWhileItGetsARepository(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for round := range 5 {
			r := repository(fmt.Sprintf("rep_%d", round), "acme/shop")
			r.Project = fmt.Sprintf("p%d", round)
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertProject(ctx, blueberry.Project{Name: r.Project})
			})
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertRepository(ctx, r) }); err != nil {
					wantCode(t, "the one that came second", err, blueberry.NotFound, "PROJECT_NOT_FOUND")
				}
			})
			wg.Go(func() {
				if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					return tx.DeleteProject(ctx, r.Project, 1, "ada@example.com", start)
				}); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
			wg.Wait()
		}
		if n := count(t, s, "repositories"); n != 0 {
			t.Errorf("%d are left of deleted projects", n)
		}
	})
}

// A deleted project takes its repositories along, and no one else's.
func TestADeletedProjectHasNoRepositories(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine := repository("rep_mine", "acme/shop")
		mine.Project = "shop"
		addRepositories(t, s, "rep_other")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertProject(ctx, blueberry.Project{Name: "shop", Version: 1}), tx.InsertRepository(ctx, mine),
				tx.InsertDelivery(ctx, delivery("dlv_1", mine.ID)), tx.InsertPull(ctx, pull("pul_1", mine.ID, 1)),
				tx.InsertDelivery(ctx, delivery("dlv_2", "rep_other")), tx.InsertPull(ctx, pull("pul_2", "rep_other", 1)),
				tx.DeleteProject(ctx, "shop", 1, "ada@example.com", start))
		})
		for _, table := range []string{"repositories", "deliveries", "pulls"} {
			if n := count(t, s, table); n != 1 {
				t.Errorf("%d of %s are left, want 1", n, table)
			}
		}
		_, err := repositoryByID(t, s, mine.ID)
		wantCode(t, "its repository", err, blueberry.NotFound, "REPOSITORY_NOT_FOUND")
	})
}

// A new key reaches the secrets of hosts, and moves no version.
func TestSecretsOfRepositoriesAreSealedAnew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := repository("rep_1", "acme/shop")
		r.Secrets = []byte("key-1|repositories.secrets:rep_1|of it")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertRepository(ctx, r), tx.InsertRepository(ctx, repository("rep_2", "bare")))
		})
		if n, err := s.Reencrypt(t.Context(), reseal(1)); err != nil || n != 1 {
			t.Errorf("wrote %d, %v", n, err)
		}
		got, err := repositoryByID(t, s, r.ID)
		if err != nil || !bytes.Equal(got.Secrets, []byte("key-2|repositories.secrets:rep_1|of it")) || got.Version != 1 {
			t.Errorf("it holds %q at version %d, %v", got.Secrets, got.Version, err)
		}
		if d := cmp.Diff([]string{"key-2"}, keysInUse(t, s)); d != "" {
			t.Error(d)
		}
	})
}

// What hosts send is a stranger's. No text of it stops the work.
func TestTextsOfHostsThatNoDatabaseTakes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const bad, want = "a\x00b\xff'\\?", "a\uFFFDb\uFFFD'\\?"
		long := strings.Repeat("🫐'\x00", 100_000)
		r := repository("rep_"+bad, bad)
		r.URL, r.Host, r.Policy.Labels = bad, bad, []string{bad}
		d := delivery("dlv_"+bad, r.ID)
		d.Project, d.HostID, d.Digest, d.Event, d.Action, d.Reason, d.From, d.PullID = bad, long, bad, bad, bad, long, bad, bad
		d.Headers, d.Body = map[string]string{bad: long}, []byte(bad)
		p := pull("pul_"+bad, r.ID, -1)
		p.Title, p.URL, p.Author, p.Labels, p.HeadRef, p.HeadRepo, p.BaseRef, p.Message = long, bad, bad, []string{bad}, long, bad, bad, bad
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertRepository(ctx, r), tx.InsertDelivery(ctx, d), tx.InsertPull(ctx, p), tx.TouchRepository(ctx, r.ID, true, start))
		})
		again := d
		again.ID, again.Digest = "dlv_2", "another"
		wantCode(t, "its id once more", addDelivery(t, s, again), blueberry.Conflict, "DELIVERY_SEEN")
		if got, err := repositoryByID(t, s, r.ID); err != nil || got.Name != want || got.LastDeliveryAt != start {
			t.Errorf("the repository is %+v, %v", got, err)
		}
		if got, err := deliveryByID(t, s, d.ID); err != nil || got.Reason != strings.ReplaceAll(long, "\x00", "\uFFFD") || string(got.Body) != bad || got.From != want {
			t.Errorf("the delivery is from %q with the body %q, %v", got.From, got.Body, err)
		}
		if got, err := pullByID(t, s, p.ID); err != nil || got.Author != want || got.Number != -1 || got.HeadRef != strings.ReplaceAll(long, "\x00", "\uFFFD") {
			t.Errorf("the pull request is of %q, %v", got.Author, err)
		}
		for name, n := range map[string]func(ctx context.Context, tx *store.Tx) (int, error){
			"deliveries": func(ctx context.Context, tx *store.Tx) (int, error) {
				l, err := tx.Deliveries(ctx, blueberry.DeliveryQuery{Projects: []string{bad}, RepositoryID: r.ID, PullID: bad, Verdict: d.Verdict, Before: "z\x00"})
				return len(l), err
			},
			"pulls": func(ctx context.Context, tx *store.Tx) (int, error) {
				l, err := tx.Pulls(ctx, blueberry.PullQuery{Projects: []string{p.Project}, RepositoryID: r.ID, State: p.State, Before: "z\xff"})
				return len(l), err
			},
		} {
			if got := view(t, s, n); got != 1 {
				t.Errorf("found %d %s", got, name)
			}
		}
	})
}
