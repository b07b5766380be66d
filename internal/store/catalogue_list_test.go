package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// The database is held against a plain sort and filter in Go, page by page.
func TestCatalogueListsAreWhatSortAndFilterGive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var all []blueberry.ConfigSet
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for _, project := range []string{"", "default", "other"} {
				for _, name := range []string{"shop", "shop-2", "shop-10", "shop1", "a", "log-ging", "logs", "x"} {
					set, entry := configSet(name), catalogueEntry(name)
					set.Project, entry.Project = project, project
					all = append(all, set)
					if err := errors.Join(tx.InsertConfigSet(ctx, set), tx.InsertBlueprint(ctx, entry)); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for name, test := range map[string]struct {
			query blueberry.CatalogueQuery
			keep  func(blueberry.ConfigSet) bool
		}{
			"all":         {blueberry.CatalogueQuery{}, func(blueberry.ConfigSet) bool { return true }},
			"project":     {blueberry.CatalogueQuery{Project: "default"}, func(s blueberry.ConfigSet) bool { return s.Project == "default" }},
			"global":      {blueberry.CatalogueQuery{Global: true}, func(s blueberry.ConfigSet) bool { return s.Project == "" }},
			"both":        {blueberry.CatalogueQuery{Project: "other", Global: true}, func(s blueberry.ConfigSet) bool { return s.Project != "default" }},
			"these":       {blueberry.CatalogueQuery{In: manyProjects("other")}, func(s blueberry.ConfigSet) bool { return s.Project != "default" }},
			"of none":     {blueberry.CatalogueQuery{In: []string{}}, func(s blueberry.ConfigSet) bool { return s.Project == "" }},
			"beside one":  {blueberry.CatalogueQuery{Project: "default", In: []string{"other"}}, func(s blueberry.ConfigSet) bool { return s.Project == "default" }},
			"search":      {blueberry.CatalogueQuery{Project: "default", Search: "LOG"}, func(s blueberry.ConfigSet) bool { return s.Project == "default" && s.Name[0] == 'l' }},
			"a wildcard":  {blueberry.CatalogueQuery{Search: "s%p"}, func(blueberry.ConfigSet) bool { return false }},
			"no text":     {blueberry.CatalogueQuery{Search: "\x00\xff"}, func(blueberry.ConfigSet) bool { return false }},
			"nobody's":    {blueberry.CatalogueQuery{Project: "none"}, func(blueberry.ConfigSet) bool { return false }},
			"no text too": {blueberry.CatalogueQuery{Project: "\x00\xff"}, func(blueberry.ConfigSet) bool { return false }},
		} {
			kept := slices.DeleteFunc(slices.Clone(all), func(s blueberry.ConfigSet) bool { return !test.keep(s) })
			slices.SortFunc(kept, func(a, b blueberry.ConfigSet) int { return strings.Compare(a.Name+" "+a.ID, b.Name+" "+b.ID) })
			var got []blueberry.ConfigSet
			var names []string
			q := test.query
			q.Limit = 5
			for {
				page := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.ConfigSetPage, error) {
					return tx.ListConfigSets(ctx, q)
				})
				got = append(got, page.Items...)
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			for {
				page := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.CataloguePage, error) {
					return tx.ListBlueprints(ctx, q)
				})
				for _, e := range page.Items {
					names = append(names, e.Name)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			if d := cmp.Diff(kept, got, cmp.Transformer("none", func(s []blueberry.ConfigSet) string { return fmt.Sprintf("%+v", s) })); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
			var want []string
			for _, k := range kept {
				want = append(want, k.Name)
			}
			if d := cmp.Diff(want, names); d != "" {
				t.Errorf("blueprints, %s:\n%s", name, d)
			}
		}

		page := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.ConfigSetPage, error) {
			return tx.ListConfigSets(ctx, blueberry.CatalogueQuery{Limit: 2})
		})
		for name, q := range map[string]blueberry.CatalogueQuery{
			"other project": {Cursor: page.Next, Project: "default"},
			"other scope":   {Cursor: page.Next, Global: true},
			"other search":  {Cursor: page.Next, Search: "a"},
			"some projects": {Cursor: page.Next, In: []string{"default"}},
			"no projects":   {Cursor: page.Next, In: []string{}},
			"no cursor":     {Cursor: "???"},
		} {
			_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.ConfigSetPage, error) {
				return tx.ListConfigSets(ctx, q)
			})
			var e *blueberry.Error
			if !errors.As(err, &e) || e.Kind != blueberry.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != "cursor" {
				t.Errorf("%s: got %v", name, err)
			}
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.CataloguePage, error) {
			return tx.ListBlueprints(ctx, blueberry.CatalogueQuery{Cursor: page.Next})
		})
		wantError(t, "the cursor of another list", err, blueberry.Invalid)
	})
}
