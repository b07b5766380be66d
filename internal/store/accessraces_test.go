package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// atOnce runs f in n transactions side by side, and gives how many came through. Any error but those of the kind fails the test.
func atOnce(t *testing.T, s *store.Store, n int, tolerated blueberry.Kind, f func(ctx context.Context, tx *store.Tx, i int) error) int {
	t.Helper()
	var wg sync.WaitGroup
	var done atomic.Int64
	for i := range n {
		wg.Go(func() {
			err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, i) })
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, tolerated):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return int(done.Load())
}

// Whoever guesses from many places at once is counted as often as they guessed, from the first time on.
func TestEveryAttemptCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const n = 16
		atOnce(t, s, n, "", func(ctx context.Context, tx *store.Tx, i int) error {
			a, err := tx.Attempts(ctx, "user:usr_1")
			if err != nil {
				return err
			}
			a.Failures++
			if a.Since.IsZero() {
				a.Since = start
			}
			return tx.PutAttempts(ctx, a)
		})
		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Attempts, error) {
			return tx.Attempts(ctx, "user:usr_1")
		})
		if d := cmp.Diff(blueberry.Attempts{Key: "user:usr_1", Failures: n, Since: start}, got); d != "" {
			t.Error(d)
		}
	})
}

// Of many who exchange one refresh token, one gets the next.
func TestARefreshTokenIsClaimedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertOAuthToken(ctx, oauthToken("tok_0", "gnt_1"))
		})
		won := atOnce(t, s, 12, blueberry.Conflict, func(ctx context.Context, tx *store.Tx, i int) error {
			k, err := tx.OAuthTokenByHash(ctx, blueberry.OAuthRefresh, []byte("tok_0"))
			if err != nil {
				return err
			}
			if !k.RevokedAt.IsZero() {
				return blueberry.Errorf(blueberry.Conflict, "REUSED", "it was used")
			}
			_, err = tx.RevokeOAuthToken(ctx, k.Hash, start)
			return errors.Join(err, tx.InsertOAuthToken(ctx, oauthToken(fmt.Sprintf("tok_%d", i+1), "gnt_1")))
		})
		if n := count(t, s, "oauth_tokens"); won != 1 || n != 2 {
			t.Errorf("%d came through, and %d tokens are there", won, n)
		}
	})
}

// A family that is revoked while one of its tokens is being exchanged is revoked with what it is exchanged for.
func TestARevocationSeesWhatIsBeingMade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertOAuthToken(ctx, oauthToken("tok_0", "gnt_1"))
		})
		for name, revoke := range map[string]func(ctx context.Context, tx *store.Tx) (int, error){
			"family": func(ctx context.Context, tx *store.Tx) (int, error) { return tx.RevokeFamily(ctx, "gnt_1", start) },
			"client": func(ctx context.Context, tx *store.Tx) (int, error) {
				return tx.RevokeOAuthTokens(ctx, "usr_1", "cli_1", start)
			},
		} {
			old := oauthToken("tok_"+name, "gnt_1")
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertOAuthToken(ctx, old) })
			revoked := make(chan error, 1)
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				k, err := tx.OAuthTokenByHash(ctx, old.Kind, old.Hash)
				if err != nil {
					return err
				}
				if _, err := tx.RevokeOAuthToken(ctx, k.Hash, start); err != nil {
					return err
				}
				if err := tx.InsertOAuthToken(ctx, oauthToken("tok_next_"+name, "gnt_1")); err != nil {
					return err
				}
				go func() {
					revoked <- tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { _, err := revoke(ctx, tx); return err })
				}()
				waitForLock(t, s, revoked)
				return nil
			})
			if err := <-revoked; err != nil {
				t.Fatal(err)
			}
			if k := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.OAuthToken, error) {
				return tx.OAuthTokenByHash(ctx, old.Kind, []byte("tok_next_"+name))
			}); k.RevokedAt.IsZero() {
				t.Errorf("%s: what was made meanwhile lives on", name)
			}
		}
	})
}

// Two owners who demote each other at the same moment leave one.
func TestOneOwnerIsLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			gone := user("usr_gone")
			gone.Status = blueberry.UserInactive
			return errors.Join(tx.InsertUser(ctx, user("usr_1")), tx.InsertUser(ctx, user("usr_2")), tx.InsertUser(ctx, gone))
		})
		demote := func(ctx context.Context, tx *store.Tx, id string) (left int, err error) {
			u, err := tx.User(ctx, id)
			if err != nil {
				return 0, err
			}
			u.Owner = false
			if err := tx.UpdateUser(ctx, u); err != nil {
				return 0, err
			}
			if left, err = tx.CountOwners(ctx); err != nil {
				return 0, err
			}
			return left, tx.BumpAccessEpoch(ctx)
		}
		var second int
		done := make(chan error, 1)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			first, err := demote(ctx, tx, "usr_1")
			if first != 1 {
				t.Errorf("the first leaves %d, %v", first, err)
			}
			go func() {
				done <- tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
					second, err = demote(ctx, tx, "usr_2")
					return err
				})
			}()
			waitForLock(t, s, done)
			return err
		})
		if err := <-done; err != nil || second != 0 {
			t.Errorf("the second believes that %d are left, %v", second, err)
		}
	})
}

// Of many who use one link, one gets in.
func TestALinkIsUsedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertLink(ctx, blueberry.Link{ID: "lnk_1", Kind: blueberry.LinkSetup, Hash: []byte("1"), ExpiresAt: start})
		})
		if won := atOnce(t, s, 8, blueberry.Conflict, func(ctx context.Context, tx *store.Tx, _ int) error { return tx.UseLink(ctx, "lnk_1", start) }); won != 1 {
			t.Errorf("%d got in", won)
		}
	})
}

// A sign-in that reads credentials while they are being changed waits, and sees the change.
func TestASignInWaitsForAChangeOfCredentials(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		c := blueberry.Credentials{UserID: "usr_1", Password: "old"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutCredentials(ctx, c) })
		var seen blueberry.Credentials
		done := make(chan error, 1)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			c.Password, c.Version = "new", 1
			if err := tx.PutCredentials(ctx, c); err != nil {
				return err
			}
			go func() {
				done <- tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
					seen, err = tx.Credentials(ctx, "usr_1")
					return err
				})
			}()
			waitForLock(t, s, done)
			return nil
		})
		if err := <-done; err != nil || seen.Password != "new" || seen.Version != 2 {
			t.Errorf("it saw %+v, %v", seen, err)
		}
	})
}

// A project that is deleted while someone adds to it: whoever comes first is seen by the other.
func TestADeleteOfAProjectAndAnAddSeeEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		adds := map[string]func(ctx context.Context, tx *store.Tx, project string) error{
			"environment": func(ctx context.Context, tx *store.Tx, project string) error {
				e := environment("pr-1", start)
				e.Project, e.Namespace = project, blueberry.Namespace(project, e.Name)
				return tx.InsertEnvironment(ctx, e)
			},
			"member": func(ctx context.Context, tx *store.Tx, project string) error {
				return tx.PutMember(ctx, blueberry.Member{Project: project, UserID: "usr_1"})
			},
			"service account": func(ctx context.Context, tx *store.Tx, project string) error {
				return tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_" + project, Project: project, Name: "bot"})
			},
			"group rule": func(ctx context.Context, tx *store.Tx, project string) error {
				return tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_" + project, Provider: "google", Group: "dev", Project: project})
			},
		}
		n := 0
		for name, add := range adds {
			for round := range 6 {
				n++
				project := fmt.Sprintf("p%d", n)
				update(t, s, func(ctx context.Context, tx *store.Tx) error {
					return tx.InsertProject(ctx, blueberry.Project{Name: project})
				})
				var added, gone error
				var wg sync.WaitGroup
				wg.Go(func() {
					added = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return add(ctx, tx, project) })
				})
				wg.Go(func() {
					gone = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						return tx.DeleteProject(ctx, project, 1, "ada@example.com", start)
					})
				})
				wg.Wait()
				switch {
				case added != nil && gone == nil:
					wantCode(t, name+" that came second", added, blueberry.NotFound, "PROJECT_NOT_FOUND")
				case name == "environment" && added == nil:
					wantCode(t, "the delete that came second", gone, blueberry.Conflict, "PROJECT_IN_USE")
				case added != nil || gone != nil:
					t.Errorf("%s, round %d: %v; %v", name, round, added, gone)
				}
			}
		}
		for _, table := range []string{"members", "service_accounts", "group_rules"} {
			if n := count(t, s, table); n != 0 {
				t.Errorf("%d of %s are left of deleted projects", n, table)
			}
		}
	})
}

func TestADeletedProject(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		populate(t, s)
		one := int64(1)
		project := blueberry.Project{
			Name: "shop", Description: "sells", ClusterKinds: []string{"ClusterRole"}, CreatedAt: start, Version: 1,
			Quota: blueberry.Quota{Limits: blueberry.Limits{Environments: &one}},
		}
		e := environment("pr-1", start)
		e.Project, e.Namespace = "shop", blueberry.Namespace("shop", e.Name)
		set, entry := configSet("shop"), catalogueEntry("shop")
		set.ID, set.Project, entry.ID, entry.Project = "cfg_shop", "shop", "bpt_shop", "shop"
		other := configSet("other")
		key := blueberry.APIToken{ID: "tok_1", Hash: []byte("h"), ServiceID: "svc_1", CreatedAt: start}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.InsertProject(ctx, project), tx.InsertEnvironment(ctx, e), tx.InsertConfigSet(ctx, set), tx.InsertConfigSet(ctx, other),
				tx.InsertConfigVersion(ctx, configVersion(set, 1)), tx.InsertBlueprint(ctx, entry), tx.InsertBlueprintVersion(ctx, catalogueVersion(entry, 1)),
				tx.InsertPolicy(ctx, policy("shop", "rules")), tx.InsertPolicy(ctx, policy("", "rules")), tx.InsertToken(ctx, key),
				tx.PutMember(ctx, blueberry.Member{Project: "shop", UserID: "usr_1"}), tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_1", Project: "shop", Name: "bot"}),
				tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_1", Provider: "google", Group: "dev", Project: "shop"}),
				tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_2", Provider: "google", Group: "dev", Role: blueberry.RoleOwner}),
			)
		})
		remove := func(ctx context.Context, tx *store.Tx) error {
			return tx.DeleteProject(ctx, "shop", 1, "ada@example.com", start)
		}
		err := tryUpdate(t, s, remove)
		wantCode(t, "while an environment lives", err, blueberry.Conflict, "PROJECT_IN_USE")
		var told *blueberry.Error
		if !errors.As(err, &told) || len(told.Fields) != 1 || told.Fields[0].Message != "pr-1 ("+e.ID+") is pending" {
			t.Errorf("it tells %+v", told)
		}
		e.Phase = blueberry.Terminated
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, e) })
		update(t, s, remove)

		if got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.Environment(ctx, e.ID)
		}); got.Project != "shop" {
			t.Errorf("its history is %+v", got)
		}
		for table, want := range map[string]int{
			"members": 0, "service_accounts": 0, "group_rules": 1, "config_sets": 1, "config_versions": 0, "blueprints": 0, "blueprint_versions": 0, "policies": 1, "projects": 2,
		} {
			if n := count(t, s, table); n != want {
				t.Errorf("%d of %s are left, want %d", n, table, want)
			}
		}
		if k := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) { return tx.Token(ctx, "tok_1") }); k.RevokedAt.IsZero() {
			t.Error("the API token of its service account lives on")
		}
		for name, do := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"read": func(ctx context.Context, tx *store.Tx) error { _, err := tx.Project(ctx, "shop"); return err },
			"lock": func(ctx context.Context, tx *store.Tx) error { _, err := tx.LockProject(ctx, "shop"); return err },
			"quota": func(ctx context.Context, tx *store.Tx) error {
				return tx.SetQuota(ctx, blueberry.Project{Name: "shop", Version: 2})
			},
			"description": func(ctx context.Context, tx *store.Tx) error {
				return tx.DescribeProject(ctx, blueberry.Project{Name: "shop", Version: 2})
			},
			"delete": func(ctx context.Context, tx *store.Tx) error {
				return tx.DeleteProject(ctx, "shop", 2, "ada@example.com", start)
			},
			"environment": func(ctx context.Context, tx *store.Tx) error {
				e := environment("pr-2", start)
				e.Project = "shop"
				return tx.InsertEnvironment(ctx, e)
			},
		} {
			wantCode(t, name, tryUpdate(t, s, do), blueberry.NotFound, "PROJECT_NOT_FOUND")
		}
		if all := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Project, error) { return tx.Projects(ctx) }); len(all) != 1 {
			t.Errorf("listed: %+v", all)
		}

		// The history of the deleted one would be the new one's.
		anew := blueberry.Project{Name: "shop", CreatedAt: start.Add(time.Hour), Version: 1}
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertProject(ctx, anew) })
		wantCode(t, "made anew", err, blueberry.Conflict, "DUPLICATE_RESOURCE")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutProject(ctx, anew) })
		if _, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) { return tx.Project(ctx, "shop") }); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a start brings it back: %v", err)
		}
	})
}

func TestAServiceAccountGoesWithItsTokens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_1", Project: blueberry.DefaultProject, Name: "bot"}),
				tx.InsertToken(ctx, blueberry.APIToken{ID: "tok_1", Hash: []byte("1"), ServiceID: "svc_1"}),
				tx.InsertToken(ctx, blueberry.APIToken{ID: "tok_2", Hash: []byte("2"), ServiceID: "svc_1", RevokedAt: start, RevokedBy: "eve"}),
				tx.InsertToken(ctx, blueberry.APIToken{ID: "tok_3", Hash: []byte("3"), UserID: "usr_1"}),
				tx.DeleteServiceAccount(ctx, "svc_1", "ada", start.Add(time.Hour)),
			)
		})
		for id, want := range map[string]string{"tok_1": "ada", "tok_2": "eve", "tok_3": ""} {
			if k := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) { return tx.Token(ctx, id) }); k.RevokedBy != want {
				t.Errorf("%s was revoked by %q, want %q", id, k.RevokedBy, want)
			}
		}
	})
}
