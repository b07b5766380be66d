package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type policyRow struct {
	bun.BaseModel `bun:"table:policies"`

	ID        string `bun:"id,pk"`
	Project   string `bun:"project"`
	Name      string `bun:"name"`
	Rules     string `bun:"rules"`
	Author    string `bun:"author"`
	CreatedAt int64  `bun:"created_at"`
	UpdatedAt int64  `bun:"updated_at"`
	Version   int64  `bun:"version"`
}

func (r policyRow) policy() blueberry.Policy {
	return blueberry.Policy{
		ID: r.ID, Project: r.Project, Name: r.Name, Text: r.Rules, Author: r.Author,
		CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}
}

// InsertPolicy adds a policy. It is Conflict, with a fault on "name", while another one has the project and name.
func (t *Tx) InsertPolicy(ctx context.Context, p blueberry.Policy) error {
	row := policyRow{
		ID: p.ID, Project: p.Project, Name: p.Name, Rules: clean(p.Text), Author: clean(p.Author),
		CreatedAt: micros(p.CreatedAt), UpdatedAt: micros(p.UpdatedAt), Version: p.Version,
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	n, err := touched("insert policy", res, err)
	if err != nil || n == 1 {
		return err
	}
	return nameTaken("POLICY_NAME_TAKEN", "policy "+p.Label())
}

// Policy reads one by id, or NotFound.
func (t *Tx) Policy(ctx context.Context, id string) (blueberry.Policy, error) {
	var row policyRow
	err := t.db.NewSelect().Model(&row).Where("id = ?", clean(id)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Policy{}, policyNotFound(id)
	}
	if err != nil {
		return blueberry.Policy{}, fmt.Errorf("read policy: %w", err)
	}
	return row.policy(), nil
}

func policyNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "POLICY_NOT_FOUND", "there is no policy %q", id)
}

// Policies reads those of the installation and of the project, in the order of their labels. An empty project reads those of every project too.
func (t *Tx) Policies(ctx context.Context, project string) ([]blueberry.Policy, error) {
	if project != "" {
		return t.PoliciesIn(ctx, []string{project})
	}
	return t.PoliciesIn(ctx, nil)
}

// PoliciesIn reads those of the installation and of the projects, in the order of their labels; nil reads all.
func (t *Tx) PoliciesIn(ctx context.Context, projects []string) ([]blueberry.Policy, error) {
	var rows []policyRow
	sel := t.db.NewSelect().Model(&rows)
	if projects != nil {
		sel = within(sel, bun.Ident("project"), append([]string{""}, projects...))
	}
	if err := sel.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	out := make([]blueberry.Policy, len(rows))
	for i, r := range rows {
		out[i] = r.policy()
	}
	slices.SortFunc(out, func(a, b blueberry.Policy) int { // an installation's and a project's policy may have one label
		return strings.Compare(a.Label()+" "+a.ID, b.Label()+" "+b.ID)
	})
	return out, nil
}

// UpdatePolicy writes what can change of p, its text and author, if the row's version is still p.Version, else Conflict with code VERSION_MOVED; the row's
// version then counts up by one.
func (t *Tx) UpdatePolicy(ctx context.Context, p blueberry.Policy) error {
	res, err := t.db.NewUpdate().Model((*policyRow)(nil)).Set("rules = ?", clean(p.Text)).Set("author = ?", clean(p.Author)).
		Set("updated_at = ?", micros(p.UpdatedAt)).Set("version = ?", p.Version+1).Where("id = ?", clean(p.ID)).Where("version = ?", p.Version).Exec(ctx)
	return t.policyGuard(p).check(ctx, "update policy", res, err)
}

// DeletePolicy removes p under the same condition.
func (t *Tx) DeletePolicy(ctx context.Context, p blueberry.Policy) error {
	res, err := t.db.NewDelete().Model((*policyRow)(nil)).Where("id = ?", clean(p.ID)).Where("version = ?", p.Version).Exec(ctx)
	return t.policyGuard(p).check(ctx, "delete policy", res, err)
}

func (t *Tx) policyGuard(p blueberry.Policy) guarded {
	return guarded{
		label: "policy " + p.Label(), version: p.Version,
		there: t.db.NewSelect().Model((*policyRow)(nil)).Where("id = ?", clean(p.ID)), missing: policyNotFound(p.ID),
	}
}
