package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func use(s blueberry.ConfigSet, number int, follow bool) blueberry.ConfigUse {
	u := blueberry.ConfigUse{ConfigRef: blueberry.ConfigRef{Global: s.Project == "", Name: s.Name}, SetID: s.ID, Number: number, Author: "ada", Digest: "sha256:1", Default: true}
	if !follow {
		u.Version = number
	}
	return u
}

func follow(e blueberry.CatalogueEntry, number int) blueberry.BlueprintRef {
	return blueberry.BlueprintRef{EntryID: e.ID, Name: e.Name, Version: number, Follow: true}
}

// add makes an environment whose first revision uses what is given.
func add(ctx context.Context, tx *store.Tx, e blueberry.Environment, catalogue blueberry.BlueprintRef, config ...blueberry.ConfigUse) error {
	if err := tx.InsertEnvironment(ctx, e); err != nil {
		return err
	}
	r := revision(e, 1)
	r.Catalogue, r.Config = catalogue, config
	return tx.InsertRevision(ctx, r)
}

func TestUsersAreThoseOfTheDesiredRevision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		shop, logging, entry := configSet("shop"), configSet("logging"), catalogueEntry("shop")
		follows, pins, twice, moved, dead := environment("b", start), environment("a-1", start.Add(time.Second)), environment("a1", start.Add(2*time.Second)), environment("moved", start), environment("dead", start)
		other := environment("z", start)
		other.Project, other.Namespace = "another", "another-z"
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := errors.Join(tx.PutProject(ctx, blueberry.Project{Name: "another", CreatedAt: start}),
				tx.InsertConfigSet(ctx, shop), tx.InsertConfigSet(ctx, logging), tx.InsertBlueprint(ctx, entry),
				add(ctx, tx, follows, follow(entry, 1), use(shop, 2, true), use(logging, 1, false)),
				add(ctx, tx, pins, blueberry.BlueprintRef{EntryID: entry.ID, Name: "shop", Version: 1}, use(shop, 1, false)),
				add(ctx, tx, twice, blueberry.BlueprintRef{}, use(shop, 2, true), use(shop, 1, false)),
				add(ctx, tx, moved, follow(entry, 1), use(shop, 1, true)),
				add(ctx, tx, dead, follow(entry, 1), use(shop, 1, true)),
				add(ctx, tx, other, blueberry.BlueprintRef{}, use(shop, 1, true)),
				tx.InsertRevision(ctx, revision(moved, 2)))
			dead.Phase = blueberry.Terminated
			return errors.Join(err, tx.UpdateEnvironment(ctx, dead))
		})
		user := func(e blueberry.Environment, number int, follow bool) blueberry.ConfigUser {
			return blueberry.ConfigUser{EnvironmentID: e.ID, Project: e.Project, Name: e.Name, Phase: e.Phase, Revision: 1, Number: number, Follow: follow}
		}
		of := func(read func(ctx context.Context, tx *store.Tx, id string) ([]blueberry.ConfigUser, error), id string) []blueberry.ConfigUser {
			users := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.ConfigUser, error) { return read(ctx, tx, id) })
			for i := range users {
				if users[i].Stack == "" {
					t.Errorf("%s has no stack", users[i].Name)
				}
				users[i].Stack = ""
			}
			return users
		}
		config := func(ctx context.Context, tx *store.Tx, id string) ([]blueberry.ConfigUser, error) {
			return tx.ConfigUsers(ctx, id)
		}
		catalogue := func(ctx context.Context, tx *store.Tx, id string) ([]blueberry.ConfigUser, error) {
			return tx.BlueprintUsers(ctx, id)
		}
		if d := cmp.Diff([]blueberry.ConfigUser{user(other, 1, true), user(pins, 1, false), user(twice, 1, true), user(follows, 2, true)}, of(config, shop.ID)); d != "" {
			t.Errorf("users of shop:\n%s", d)
		}
		if d := cmp.Diff([]blueberry.ConfigUser{user(follows, 1, false)}, of(config, logging.ID)); d != "" {
			t.Errorf("users of logging:\n%s", d)
		}
		if d := cmp.Diff([]blueberry.ConfigUser{user(pins, 1, false), user(follows, 1, true)}, of(catalogue, entry.ID)); d != "" {
			t.Errorf("users of the blueprint:\n%s", d)
		}
		if got := of(config, "\x00"); len(got) != 0 {
			t.Errorf("users of nothing: %v", got)
		}
		ids := []string{follows.ID, twice.ID, other.ID}
		slices.Sort(ids)
		for _, test := range []struct {
			after string
			limit int
			want  []string
		}{{"", 9, ids}, {"", 2, ids[:2]}, {ids[1], 2, ids[2:]}, {ids[2], 2, nil}} {
			got := view(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
				return tx.ConfigFollowers(ctx, shop.ID, test.after, test.limit)
			})
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("followers after %q:\n%s", test.after, d)
			}
		}
		got := view(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
			return tx.BlueprintFollowers(ctx, entry.ID, "", 9)
		})
		if d := cmp.Diff([]string{follows.ID}, got); d != "" {
			t.Errorf("followers of the blueprint:\n%s", d)
		}
		if n := count(t, s, "config_uses"); n != 5 {
			t.Errorf("%d uses are kept: the dead and what was replaced use nothing", n)
		}
	})
}

// Two environments of one stack differ in names and commits only.
func TestStacks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		set, other := configSet("shop"), configSet("other")
		base := func(e blueberry.Environment) blueberry.Revision {
			r := revision(e, 1)
			r.Config, r.Overrides, r.Parameters = []blueberry.ConfigUse{use(set, 1, true)}, map[string]any{"web": map[string]any{"a": 1, "b": 2}}, map[string]any{"x": 1}
			return r
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertConfigSet(ctx, set), tx.InsertConfigSet(ctx, other))
		})
		stacks := map[string]string{}
		for name, alter := range map[string]func(r *blueberry.Revision){
			"base":          func(*blueberry.Revision) {},
			"same-commit":   func(r *blueberry.Revision) { r.Source.Commit, r.Author = "other", "grace" },
			"same-numbers":  func(r *blueberry.Revision) { r.Overrides = map[string]any{"web": map[string]any{"b": 2.0, "a": 1.0}} },
			"same-pinned":   func(r *blueberry.Revision) { r.Config[0].Version = 1 },
			"version":       func(r *blueberry.Revision) { r.Config[0].Number = 2 },
			"another-set":   func(r *blueberry.Revision) { r.Config = append(r.Config, use(other, 1, true)) },
			"order":         func(r *blueberry.Revision) { r.Config = []blueberry.ConfigUse{use(other, 1, true), use(set, 1, true)} },
			"overrides":     func(r *blueberry.Revision) { r.Overrides = map[string]any{"web": map[string]any{"a": 1, "b": 3}} },
			"parameters":    func(r *blueberry.Revision) { r.Parameters = map[string]any{"x": "1"} },
			"blueprint":     func(r *blueberry.Revision) { r.Blueprint.Components[0].Port++ },
			"of-repository": func(r *blueberry.Revision) { r.Source.Repository = "https://git.example/other.git" },
		} {
			e := environment(name, start)
			r := base(e)
			alter(&r)
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return errors.Join(tx.InsertEnvironment(ctx, e), tx.InsertRevision(ctx, r))
			})
		}
		for _, u := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.ConfigUser, error) {
			return tx.ConfigUsers(ctx, set.ID)
		}) {
			stacks[u.Name] = u.Stack
		}
		seen := map[string]string{}
		for name, stack := range stacks {
			if len(name) > 5 && name[:5] == "same-" {
				if stack != stacks["base"] {
					t.Errorf("%s is another stack", name)
				}
				continue
			}
			if twin, ok := seen[stack]; ok {
				t.Errorf("%s and %s are one stack", name, twin)
			}
			seen[stack] = name
		}
		if len(stacks) != 11 {
			t.Errorf("%d environments", len(stacks))
		}
	})
}

func TestWhatIsUsedStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		set, entry := configSet("shop"), catalogueEntry("shop")
		e := environment("pr-1", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertConfigSet(ctx, set), tx.InsertBlueprint(ctx, entry), add(ctx, tx, e, follow(entry, 1), use(set, 1, true)))
		})
		deletes := map[string]func(ctx context.Context, tx *store.Tx) error{
			"CONFIG_SET": func(ctx context.Context, tx *store.Tx) error { return tx.DeleteConfigSet(ctx, set) },
			"BLUEPRINT":  func(ctx context.Context, tx *store.Tx) error { return tx.DeleteBlueprint(ctx, entry) },
		}
		for code, remove := range deletes {
			wantCode(t, "delete what is used", tryUpdate(t, s, remove), blueberry.Conflict, code+"_IN_USE")
		}
		e.Phase = blueberry.Terminated
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, e) })
		for _, remove := range deletes {
			update(t, s, remove)
		}
		for code, begin := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"CONFIG_SET_GONE": func(ctx context.Context, tx *store.Tx) error {
				return add(ctx, tx, environment("a", start), blueberry.BlueprintRef{}, use(set, 1, true))
			},
			"BLUEPRINT_GONE": func(ctx context.Context, tx *store.Tx) error {
				return add(ctx, tx, environment("b", start), follow(entry, 1))
			},
		} {
			wantCode(t, "use what is gone", tryUpdate(t, s, begin), blueberry.Conflict, code)
		}
		// The revision still says what it was made of.
		if r := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Revision, error) {
			return tx.RevisionInputs(ctx, e.ID, 1)
		}); r.Config[0].SetID != set.ID || r.Catalogue.EntryID != entry.ID {
			t.Errorf("the revision forgot: %+v", r.Inputs)
		}
	})
}

func BenchmarkConfigUsers(b *testing.B) {
	for _, dialect := range []struct {
		name string
		open func(testing.TB) *store.Store
	}{{store.SQLite, storetest.SQLite}, {store.Postgres, storetest.Postgres}} {
		b.Run(dialect.name, func(b *testing.B) {
			s := dialect.open(b)
			set := configSet("shop")
			update(b, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertConfigSet(ctx, set) })
			const users = 10_000
			for at := 0; at < users; at += 500 {
				update(b, s, func(ctx context.Context, tx *store.Tx) error {
					for i := at; i < at+500; i++ {
						if err := add(ctx, tx, environment(fmt.Sprintf("pr-%d", i), start.Add(time.Duration(i)*time.Second)), blueberry.BlueprintRef{}, use(set, 1, i%2 == 0)); err != nil {
							return err
						}
					}
					return nil
				})
			}
			for name, read := range map[string]func(ctx context.Context, tx *store.Tx) (int, error){
				"users": func(ctx context.Context, tx *store.Tx) (int, error) {
					all, err := tx.ConfigUsers(ctx, set.ID)
					return len(all) - users, err
				},
				"followers": func(ctx context.Context, tx *store.Tx) (int, error) {
					page, err := tx.ConfigFollowers(ctx, set.ID, "", 500)
					return len(page) - 500, err
				},
				"project usage": func(ctx context.Context, tx *store.Tx) (int, error) {
					usage, err := tx.ProjectUsage(ctx, blueberry.DefaultProject)
					return int(usage[blueberry.Preview].Environments) - users, err
				},
				"target usage": func(ctx context.Context, tx *store.Tx) (int, error) {
					usage, err := tx.TargetUsage(ctx, "local")
					return int(usage.Environments) - users, err
				},
			} {
				b.Run(name, func(b *testing.B) {
					var took []time.Duration
					for b.Loop() {
						begun := time.Now()
						if off := view(b, s, read); off != 0 {
							b.Fatalf("%d too many", off)
						}
						took = append(took, time.Since(begun))
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
				})
			}
		})
	}
}
