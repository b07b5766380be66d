package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// fullRevision has something in every field.
func fullRevision(e blueberry.Environment, number int, set blueberry.ConfigSet, entry blueberry.CatalogueEntry) blueberry.Revision {
	r := revision(e, number)
	r.Blueprint = fullBlueprint("shop")
	r.Catalogue, r.Config = follow(entry, 1), []blueberry.ConfigUse{use(set, 1, true)}
	r.Parameters, r.Overrides = map[string]any{"replicas": 3.0, "region": nil}, values()
	r.Head = "fedcba9876543210fedcba9876543210fedcba98"
	r.Branch, r.Commits, r.Images = "feature/x", map[string]string{"web": "0123456789012345678901234567890123456789"}, map[string]string{"web": "web@sha256:1"}
	r.Sources = []blueberry.ComponentSource{{Name: "front", Repository: "https://git.example.com/front.git", Ref: "refs/heads/feature/x", Commit: "4567", Matched: true}}
	chart := blueberry.Origin{Layer: blueberry.LayerChart, Name: "web-service"}
	shop := blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: "shop", Version: 1, Author: "ada", Commit: "abc"}
	r.Settings = []blueberry.Setting{
		{Path: "web.float", Value: 2.0, Origin: shop, Shadows: []blueberry.Shadow{{Origin: chart, Value: 1}, {Origin: chart}}},
		{Path: "web.gone", Deleted: true, Origin: shop, Shadows: []blueberry.Shadow{{Origin: chart, Value: "x\x00"}}},
		{Path: "web.list", Value: []any{1, 1.0, map[string]any{"a": 0.5}}, Origin: chart},
		{Path: "web.secret", Value: map[string]any{"secretRef": "db/password"}, Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment}},
	}
	r.Demand, r.Plan, r.RestoredFrom = blueberry.Demand{CPU: 100, Memory: 1 << 30, Pods: 2, Storage: 5}, "pln_1", 7
	return r
}

func TestFullRevisionsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e, set, entry := fullEnvironment("pr-1"), configSet("shop"), catalogueEntry("shop")
		all := []blueberry.Revision{fullRevision(e, 1, set, entry), revision(e, 2), fullRevision(e, 3, set, entry)}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := errors.Join(tx.InsertConfigSet(ctx, set), tx.InsertBlueprint(ctx, entry), tx.InsertEnvironment(ctx, e))
			for _, r := range all {
				err = errors.Join(err, tx.InsertRevision(ctx, r))
			}
			return err
		})
		var lean []blueberry.Revision
		for _, want := range all {
			settings := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Setting, error) {
				return tx.RevisionSettings(ctx, e.ID, want.Number)
			})
			if d := cmp.Diff(want.Settings, settings); d != "" {
				t.Errorf("settings of %d:\n%s", want.Number, d)
			}
			want.Settings = nil
			if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Revision, error) {
				return tx.Revision(ctx, e.ID, want.Number)
			})); d != "" {
				t.Errorf("revision %d:\n%s", want.Number, d)
			}
			want.Rendering.Files = nil
			if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Revision, error) {
				return tx.RevisionInputs(ctx, e.ID, want.Number)
			})); d != "" {
				t.Errorf("inputs of %d:\n%s", want.Number, d)
			}
			lean = append([]blueberry.Revision{want}, lean...)
		}
		for _, test := range []struct {
			query blueberry.RevisionQuery
			want  []blueberry.Revision
		}{
			{blueberry.RevisionQuery{EnvironmentID: e.ID}, lean},
			{blueberry.RevisionQuery{EnvironmentID: e.ID, Limit: 2}, lean[:2]},
			{blueberry.RevisionQuery{EnvironmentID: e.ID, Before: 2}, lean[2:]},
			{blueberry.RevisionQuery{EnvironmentID: "\x00"}, []blueberry.Revision{}},
		} {
			if d := cmp.Diff(test.want, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Revision, error) {
				return tx.Revisions(ctx, test.query)
			})); d != "" {
				t.Errorf("%+v:\n%s", test.query, d)
			}
		}
		for name, read := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"inputs":   func(ctx context.Context, tx *store.Tx) error { _, err := tx.RevisionInputs(ctx, e.ID, 9); return err },
			"settings": func(ctx context.Context, tx *store.Tx) error { _, err := tx.RevisionSettings(ctx, e.ID, 9); return err },
		} {
			_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (int, error) { return 0, read(ctx, tx) })
			wantCode(t, name, err, blueberry.NotFound, "REVISION_NOT_FOUND")
		}
	})
}
