package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestSignedEnvironments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		here, there, gone := environment("pr-1", start), environment("pr-2", start), environment("pr-3", start)
		there.Target, there.Namespace = "eu", here.Namespace
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, here), tx.InsertEnvironment(ctx, there), tx.InsertEnvironment(ctx, gone))
		})
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			ended, err := tx.Environment(ctx, gone.ID)
			ended.Phase = blueberry.Terminated
			return errors.Join(err, tx.UpdateEnvironment(ctx, ended))
		})
		for name, c := range map[string]struct {
			sign blueberry.EnvironmentSign
			want []string
		}{
			"name":          {blueberry.EnvironmentSign{Environment: "pr-2"}, []string{"pr-2"}},
			"application":   {blueberry.EnvironmentSign{Application: "blueberry-eu-" + here.Namespace, Namespace: here.Namespace}, []string{"pr-2"}},
			"namespace":     {blueberry.EnvironmentSign{Namespace: here.Namespace}, []string{"pr-1", "pr-2"}},
			"terminated":    {blueberry.EnvironmentSign{Environment: "pr-3"}, nil},
			"its namespace": {blueberry.EnvironmentSign{Namespace: gone.Namespace}, nil},
			"nothing":       {blueberry.EnvironmentSign{}, nil},
		} {
			found := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Environment, error) {
				return tx.SignedEnvironments(ctx, blueberry.DefaultProject, c.sign)
			})
			var names []string
			for _, e := range found {
				names = append(names, e.Name)
			}
			if slices.Sort(names); !slices.Equal(names, c.want) {
				t.Errorf("%s: %v, want %v", name, names, c.want)
			}
		}
		other := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Environment, error) {
			return tx.SignedEnvironments(ctx, "other", blueberry.EnvironmentSign{Environment: "pr-1"})
		})
		if len(other) > 0 {
			t.Errorf("another project finds %v", other)
		}
	})
}
