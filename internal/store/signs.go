package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// SignedEnvironments gives the environments of a project that are not terminated and that a sign can be about, two at most: the one of its name; else that of
// its application, which Argo CD calls "blueberry-<target>-<namespace>"; else those in its namespace.
func (t *Tx) SignedEnvironments(ctx context.Context, project string, s blueberry.EnvironmentSign) ([]blueberry.Environment, error) {
	for _, x := range []struct {
		where, value string
	}{{"name = ?", s.Environment}, {"'blueberry-' || target || '-' || namespace = ?", s.Application}, {"namespace = ?", s.Namespace}} {
		if x.value == "" {
			continue
		}
		rows, err := many[environmentRow](ctx, t, "environments", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("project = ?", clean(project)).Where(x.where, clean(x.value)).Where("phase <> 'terminated'").Order("id").Limit(2)
		})
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 || x.value == s.Environment {
			return nouns(rows, environmentRow.environment)
		}
	}
	return nil, nil
}
