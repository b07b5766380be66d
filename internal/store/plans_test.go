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

// plan has something in every field.
func plan(e blueberry.Environment, r blueberry.Revision) blueberry.Plan {
	origin := blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: "shop", Version: 3, Author: "ada"}
	object := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "web"}
	p := blueberry.Plan{
		ID: blueberry.NewID(blueberry.PlanID, start), Kind: blueberry.PlanChange, Project: e.Project, Environment: e.Name, EnvironmentID: e.ID,
		Actor: "ada", ActorID: "usr_1", Reason: "more\x00", Base: 1, Revision: 2,
		Inputs: []blueberry.PlanInput{{Kind: blueberry.InputConfigSet, Name: "shop", Value: "3"}},
		Objects: []blueberry.ObjectDiff{{ObjectRef: object, Component: "web", Action: blueberry.ObjectUpdated, Checked: true, Fields: []blueberry.FieldDiff{
			{Path: "spec.replicas", Before: 1, After: 2.0, HasBefore: true, HasAfter: true, Manager: "kubectl-edit", Since: start},
			{Path: "spec.template", After: map[string]any{"a": []any{1, 0.5, nil}}, HasAfter: true, Index: 2},
		}}},
		Config: []blueberry.SettingChange{{
			Path: "web.replicas", After: &blueberry.Setting{Path: "web.replicas", Value: 2, Origin: origin, Shadows: []blueberry.Shadow{{Value: 1.0}}},
		}},
		Quota:    []blueberry.Fit{{Resource: "cpu", Scope: "project default", Used: 1, Asked: -2, Limit: 3}},
		Capacity: []blueberry.Fit{{Resource: "memory", Scope: "target local", Limit: 1 << 40}},
		Policies: []blueberry.PolicyVerdict{{Rule: "default/images", Object: object.String(), Denied: true, Message: "no", Fix: "yes"}},
		Warnings: []blueberry.Warning{{Code: "forbidden_field", Field: "overrides.web", Message: "was dropped"}},
		Lease:    blueberry.PlanLease{Before: start, After: start.Add(time.Hour), Hours: 1},
		Cost:     blueberry.NewPlanCost(prices("", start), blueberry.Requests{}, e.Requests, time.Hour), DryRun: blueberry.DryRun{Reason: "the target is down"},
		RenderingDigest: r.Rendering.Digest, Request: []byte("{\"a\": \"\xff\x00\"}"), KeyID: "key_1", Signature: []byte{0, 0xff},
		CreatedAt: start, ExpiresAt: start.Add(blueberry.PlanLifetime),
	}
	p.Digest = p.DigestInputs()
	return p
}

func hold(e blueberry.Environment, value string) blueberry.Hold {
	return blueberry.Hold{
		EnvironmentID: e.ID, PlanInput: blueberry.PlanInput{Kind: blueberry.InputConfigSet, Name: "shop", Value: value}, By: "ada", Reason: "it broke", Since: start,
	}
}

func TestPlansComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := fullEnvironment("pr-1")
		r := revision(e, 1)
		full := plan(e, r)
		bare := blueberry.Plan{ID: blueberry.NewID(blueberry.PlanID, start), Kind: blueberry.PlanDestroy, CreatedAt: start, ExpiresAt: start}
		applied := plan(e, r)
		applied.ID, applied.AppliedAt, applied.AppliedRevision = blueberry.NewID(blueberry.PlanID, start), start.Add(time.Minute), 2
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutRendering(ctx, r.Rendering, start), tx.PutRendering(ctx, r.Rendering, start),
				tx.InsertPlan(ctx, full), tx.InsertPlan(ctx, bare), tx.InsertPlan(ctx, applied))
		})
		for _, want := range []blueberry.Plan{full, bare, applied} {
			got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Plan, error) { return tx.Plan(ctx, want.ID) })
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("plan %s:\n%s", want.Kind, d)
			}
			if string(got.SigningText()) != string(want.SigningText()) || got.DigestInputs() != want.DigestInputs() {
				t.Errorf("plan %s is not what was signed any more", want.Kind)
			}
		}
		rendering := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Rendering, error) {
			return tx.Rendering(ctx, r.Rendering.Digest)
		})
		if d := cmp.Diff(r.Rendering, rendering); d != "" {
			t.Errorf("rendering:\n%s", d)
		}
		lost := plan(e, revision(e, 7))
		forged := revision(e, 8).Rendering
		forged.Digest = r.Rendering.Digest
		for name, do := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"a rendering that was not put": func(ctx context.Context, tx *store.Tx) error { return tx.InsertPlan(ctx, lost) },
			"a digest that does not fit":   func(ctx context.Context, tx *store.Tx) error { return tx.PutRendering(ctx, forged, start) },
			"a value that JSON does not have": func(ctx context.Context, tx *store.Tx) error {
				p := full
				p.Objects = []blueberry.ObjectDiff{{Fields: []blueberry.FieldDiff{{After: func() {}}}}}
				return tx.InsertPlan(ctx, p)
			},
			"an id that is there":               func(ctx context.Context, tx *store.Tx) error { return tx.InsertPlan(ctx, bare) },
			"reading what is not there":         func(ctx context.Context, tx *store.Tx) error { _, err := tx.Plan(ctx, "\x00"); return err },
			"reading a rendering of nobody":     func(ctx context.Context, tx *store.Tx) error { _, err := tx.Rendering(ctx, "\x00"); return err },
			"claiming what is not there":        func(ctx context.Context, tx *store.Tx) error { return tx.ClaimPlan(ctx, "pln_none", 1, start) },
			"claiming what was applied already": func(ctx context.Context, tx *store.Tx) error { return tx.ClaimPlan(ctx, applied.ID, 3, start) },
		} {
			if err := tryUpdate(t, s, do); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

func TestPlansAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		var ids []string
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for i := range 4 {
				p := blueberry.Plan{ID: blueberry.NewID(blueberry.PlanID, start.Add(time.Duration(i)*time.Second)), EnvironmentID: e.ID}
				ids = append([]string{p.ID}, ids...)
				if err := tx.InsertPlan(ctx, p); err != nil {
					return err
				}
			}
			return tx.InsertPlan(ctx, blueberry.Plan{ID: "pln_other"})
		})
		for _, test := range []struct {
			query blueberry.PlanQuery
			want  []string
		}{
			{blueberry.PlanQuery{EnvironmentID: e.ID}, ids},
			{blueberry.PlanQuery{EnvironmentID: e.ID, Limit: 2}, ids[:2]},
			{blueberry.PlanQuery{EnvironmentID: e.ID, Limit: 2, Before: ids[1]}, ids[2:]},
			{blueberry.PlanQuery{EnvironmentID: e.ID, Before: ids[3]}, nil},
			{blueberry.PlanQuery{EnvironmentID: "\x00"}, nil},
		} {
			var got []string
			for _, p := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Plan, error) { return tx.Plans(ctx, test.query) }) {
				got = append(got, p.ID)
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("%+v:\n%s", test.query, d)
			}
		}
	})
}

// Of many who apply the same plan at once, one does.
func TestOneOfManyGetsThePlan(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := blueberry.Plan{ID: blueberry.NewID(blueberry.PlanID, start), ExpiresAt: start}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertPlan(ctx, p) })
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ClaimPlan(ctx, p.ID, i+1, start) })
				if err == nil {
					won.Store(int32(i + 1))
					return
				}
				wantCode(t, "a claim that lost", err, blueberry.Conflict, "PLAN_APPLIED")
			})
		}
		wg.Wait()
		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Plan, error) { return tx.Plan(ctx, p.ID) })
		if won.Load() == 0 || got.AppliedRevision != int(won.Load()) || !got.AppliedAt.Equal(start) {
			t.Errorf("%d got it, the plan says %d", won.Load(), got.AppliedRevision)
		}
	})
}

func TestPlansAreSweptWithTheirRenderings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		shared, alone, kept := revision(e, 1), revision(e, 2), revision(e, 3)
		add := func(ctx context.Context, tx *store.Tx, id string, r blueberry.Revision, expires, applied time.Time) error {
			p := blueberry.Plan{ID: id, EnvironmentID: e.ID, RenderingDigest: r.Rendering.Digest, ExpiresAt: expires, AppliedAt: applied}
			return errors.Join(tx.PutRendering(ctx, r.Rendering, start), tx.InsertPlan(ctx, p))
		}
		late := start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.InsertEnvironment(ctx, e), tx.InsertRevision(ctx, shared),
				add(ctx, tx, "pln_1", shared, start, time.Time{}), // its rendering is a revision's
				add(ctx, tx, "pln_2", alone, start, time.Time{}),
				add(ctx, tx, "pln_3", alone, start, time.Time{}),
				add(ctx, tx, "pln_4", kept, start, time.Time{}),
				add(ctx, tx, "pln_5", kept, late, time.Time{}), // not expired
				add(ctx, tx, "pln_6", kept, start, start),      // applied
				tx.InsertPlan(ctx, blueberry.Plan{ID: "pln_7", Kind: blueberry.PlanDestroy, ExpiresAt: start}),
			)
		})
		var n int
		update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			n, err = tx.SweepPlans(ctx, late)
			return err
		})
		if n != 5 || count(t, s, "plans") != 2 {
			t.Errorf("%d plans were swept, %d are left", n, count(t, s, "plans"))
		}
		for name, test := range map[string]struct {
			r     blueberry.Revision
			there bool
		}{"of a revision": {shared, true}, "of nobody": {alone, false}, "of another plan": {kept, true}} {
			_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Rendering, error) {
				return tx.Rendering(ctx, test.r.Rendering.Digest)
			})
			if (err == nil) != test.there {
				t.Errorf("the rendering %s: %v", name, err)
			}
		}
	})
}

// While one sweeps, others make plans of the same rendering: none of them loses it.
func TestASweepTakesNothingThatIsWanted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := revision(environment("pr-1", start), 1)
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 10 {
					p := blueberry.Plan{ID: fmt.Sprintf("pln_%d_%d", w, i), RenderingDigest: r.Rendering.Digest, ExpiresAt: start}
					err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						if err := tx.PutRendering(ctx, r.Rendering, start); err != nil {
							return err
						}
						return tx.InsertPlan(ctx, p)
					})
					if err != nil {
						t.Errorf("plan: %v", err)
					}
				}
			})
			wg.Go(func() {
				for range 10 {
					if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						_, err := tx.SweepPlans(ctx, start.Add(time.Hour))
						return err
					}); err != nil {
						t.Errorf("sweep: %v", err)
					}
				}
			})
		}
		wg.Wait()
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.SweepPlans(ctx, start.Add(time.Hour))
			return err
		})
		if plans, renderings := count(t, s, "plans"), count(t, s, "renderings"); plans != 0 || renderings != 0 {
			t.Errorf("%d plans and %d renderings are left", plans, renderings)
		}
	})
}

func TestHolds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		first, second, commit := hold(e, "2"), hold(e, "3"), hold(e, "abc")
		commit.Kind, commit.Name, commit.Since = blueberry.InputCommit, "", start.Add(-time.Hour)
		again := first
		again.By, again.Since = "grace", start.Add(time.Hour)
		read := func() []blueberry.Hold {
			return view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Hold, error) { return tx.Holds(ctx, e.ID) })
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, e), tx.PutHolds(ctx, nil), tx.PutHolds(ctx, []blueberry.Hold{second, first, commit}), tx.PutHolds(ctx, []blueberry.Hold{again}))
		})
		if d := cmp.Diff([]blueberry.Hold{commit, first, second}, read()); d != "" {
			t.Errorf("held:\n%s", d)
		}
		release := func(input blueberry.PlanInput) (was bool) {
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				was, err = tx.ReleaseHold(ctx, e.ID, input)
				return err
			})
			return was
		}
		if !release(first.PlanInput) || release(first.PlanInput) || release(blueberry.PlanInput{Kind: "\x00\xff"}) {
			t.Error("a hold is released once, and only one that is there")
		}
		if d := cmp.Diff([]blueberry.Hold{commit, second}, read()); d != "" {
			t.Errorf("held after a release:\n%s", d)
		}
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.PutHolds(ctx, []blueberry.Hold{hold(environment("none", start), "1")})
		})
		wantError(t, "a hold of nobody", err, blueberry.NotFound)
	})
}

func TestSigningKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		key := []byte{0, 0xff, '\''}
		for range 2 {
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutSigningKey(ctx, "key_1", key, start) })
		}
		if got := view(t, s, func(ctx context.Context, tx *store.Tx) ([]byte, error) { return tx.SigningKey(ctx, "key_1") }); string(got) != string(key) {
			t.Errorf("got %x", got)
		}
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.PutSigningKey(ctx, "key_1", []byte("other"), start)
		})
		wantError(t, "another key under the id", err, blueberry.Conflict)
		_, err = tryView(t, s, func(ctx context.Context, tx *store.Tx) ([]byte, error) { return tx.SigningKey(ctx, "key_\x00") })
		wantCode(t, "a key that is not there", err, blueberry.NotFound, "KEY_NOT_FOUND")
	})
}
