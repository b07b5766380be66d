package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func policy(project, name string) blueberry.Policy {
	return blueberry.Policy{
		ID: blueberry.NewID(blueberry.PolicyID, start), Project: project, Name: name, Text: `@message("no") forbid (principal, action, resource);`, Author: "ada",
		CreatedAt: start, UpdatedAt: start,
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		everywhere, here, there := policy("", "images"), policy("shop", "leases"), policy("other", "images")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertPolicy(ctx, here), tx.InsertPolicy(ctx, everywhere), tx.InsertPolicy(ctx, there))
		})
		here.Text, here.Author, here.UpdatedAt = "permit (principal, action, resource);", "grace", start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdatePolicy(ctx, here) })
		stale := here
		here.Version++
		for project, want := range map[string][]blueberry.Policy{
			"shop": {everywhere, here}, "other": {everywhere, there}, "none": {everywhere}, "": {everywhere, there, here},
		} {
			if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Policy, error) { return tx.Policies(ctx, project) })); d != "" {
				t.Errorf("policies of %q:\n%s", project, d)
			}
		}
		for name, test := range map[string]struct{ in, want []string }{
			"all": {nil, []string{"", "other", "shop"}}, "none": {[]string{}, []string{""}}, "one": {[]string{"shop"}, []string{"", "shop"}},
			"many": {manyProjects("other", "shop"), []string{"", "other", "shop"}},
		} {
			var got []string
			for _, p := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Policy, error) {
				return tx.PoliciesIn(ctx, test.in)
			}) {
				got = append(got, p.Project)
			}
			slices.Sort(got)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("policies in %s:\n%s", name, d)
			}
		}
		if d := cmp.Diff(here, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Policy, error) { return tx.Policy(ctx, here.ID) })); d != "" {
			t.Error(d)
		}
		for name, test := range map[string]struct {
			do   func(ctx context.Context, tx *store.Tx) error
			kind blueberry.Kind
			code string
		}{
			"name that is taken":       {func(ctx context.Context, tx *store.Tx) error { return tx.InsertPolicy(ctx, policy("shop", "leases")) }, blueberry.Conflict, "POLICY_NAME_TAKEN"},
			"update what moved":        {func(ctx context.Context, tx *store.Tx) error { return tx.UpdatePolicy(ctx, stale) }, blueberry.Conflict, "VERSION_MOVED"},
			"delete what moved":        {func(ctx context.Context, tx *store.Tx) error { return tx.DeletePolicy(ctx, stale) }, blueberry.Conflict, "VERSION_MOVED"},
			"update what is not there": {func(ctx context.Context, tx *store.Tx) error { return tx.UpdatePolicy(ctx, policy("", "x")) }, blueberry.NotFound, "POLICY_NOT_FOUND"},
			"delete what is not there": {func(ctx context.Context, tx *store.Tx) error { return tx.DeletePolicy(ctx, policy("", "x")) }, blueberry.NotFound, "POLICY_NOT_FOUND"},
			"read what is not there":   {func(ctx context.Context, tx *store.Tx) error { _, err := tx.Policy(ctx, "\x00"); return err }, blueberry.NotFound, "POLICY_NOT_FOUND"},
		} {
			wantCode(t, name, tryUpdate(t, s, test.do), test.kind, test.code)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeletePolicy(ctx, here) })
		if n := count(t, s, "policies"); n != 2 {
			t.Errorf("%d policies", n)
		}
	})
}
