package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// sourceUseRow says that the desired revision of an environment is made of a repository that its blueprint names.
type sourceUseRow struct {
	bun.BaseModel `bun:"table:source_uses"`

	EnvironmentID string `bun:"environment_id,pk"`
	Name          string `bun:"name,pk"`
	Repository    string `bun:"repository"`
	Branch        string `bun:"branch"`
	Ref           string `bun:"ref"`
	Matched       bool   `bun:"matched"`
}

// insertSourceUses makes the repositories of a revision those that its environment uses; it used none before.
func (t *Tx) insertSourceUses(ctx context.Context, r blueberry.Revision) error {
	var rows []sourceUseRow
	for _, s := range r.Sources {
		row := sourceUseRow{EnvironmentID: r.EnvironmentID, Name: clean(s.Name), Repository: clean(blueberry.BareRepository(s.Repository)), Matched: s.Matched}
		if i := slices.IndexFunc(r.Blueprint.Repositories, func(x blueberry.SideRepository) bool { return x.Name == s.Name }); i >= 0 {
			side := r.Blueprint.Repositories[i]
			if row.Ref = clean(strings.TrimPrefix(side.Ref, blueberry.BranchRef(""))); side.Matches() {
				row.Branch = clean(r.Branch)
			}
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := t.db.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("insert uses of repositories: %w", err)
	}
	return nil
}

// SourceFollowers gives the ids of the living environments that are made of a branch of a repository which their blueprint names, or would be if the
// repository had that branch. Those that are made of its default branch are among them: which one that is, is not known.
func (t *Tx) SourceFollowers(ctx context.Context, q blueberry.SourceFollowerQuery) ([]string, error) {
	var ids []string
	err := t.db.NewRaw(`SELECT e.id FROM source_uses AS u JOIN environments AS e ON e.id = u.environment_id
		WHERE u.repository = ? AND e.project = ? AND e.id > ? AND e.phase <> 'terminated' AND (u.branch = ? OR NOT u.matched AND u.ref IN (?, ''))
		ORDER BY e.id LIMIT ?`,
		clean(blueberry.BareRepository(q.Repository)), clean(q.Project), clean(q.After), clean(q.Branch), clean(q.Branch), q.Limit).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("read followers of repository: %w", err)
	}
	return ids, nil
}
