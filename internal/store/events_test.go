package store_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestEventsOfSomeProjects(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for _, project := range []string{"shop", "", "other", "shop"} {
				if err := tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.EnvironmentReady, EnvironmentID: "env_" + project, Project: project, At: start}); err != nil {
					return err
				}
			}
			return nil
		})
		for name, test := range map[string]struct {
			query blueberry.EventQuery
			want  []int64
		}{
			"all":                  {blueberry.EventQuery{}, []int64{1, 2, 3, 4}},
			"one":                  {blueberry.EventQuery{In: []string{"shop"}}, []int64{1, 4}},
			"two, after the first": {blueberry.EventQuery{In: []string{"shop", "other"}, After: 1}, []int64{3, 4}},
			"many":                 {blueberry.EventQuery{In: manyProjects("other")}, []int64{3}},
			"none":                 {blueberry.EventQuery{In: []string{}}, nil},
			"a page":               {blueberry.EventQuery{In: []string{"shop"}, Limit: 1}, []int64{1}},
			"of an environment":    {blueberry.EventQuery{EnvironmentID: "env_other", In: []string{"shop"}}, nil},
		} {
			var got []int64
			for _, e := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Event, error) { return tx.Events(ctx, test.query) }) {
				got = append(got, e.Seq)
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
	})
}
