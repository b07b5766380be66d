package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type memberRow struct {
	bun.BaseModel `bun:"table:members"`

	Project   string `bun:"project,pk"`
	UserID    string `bun:"user_id,pk"`
	Role      string `bun:"role"`
	CreatedAt int64  `bun:"created_at"`
	UpdatedAt int64  `bun:"updated_at"`
}

func (r memberRow) member() (blueberry.Member, error) {
	return blueberry.Member{
		Project: r.Project, UserID: r.UserID, Role: blueberry.Role(r.Role), CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt),
	}, nil
}

// Members reads those of a project, by address of the user.
func (t *Tx) Members(ctx context.Context, project string) ([]blueberry.Membership, error) {
	rows, err := many[memberRow](ctx, t, "members", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("project = ?", clean(project)) })
	if err != nil {
		return nil, err
	}
	users, err := many[userRow](ctx, t, "members", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.ExcludeColumn("search").Where("id IN (SELECT user_id FROM members WHERE project = ?)", clean(project))
	})
	if err != nil {
		return nil, err
	}
	accounts := make(map[string]blueberry.User, len(users))
	for _, u := range users {
		accounts[u.ID] = u.user()
	}
	out := make([]blueberry.Membership, 0, len(rows))
	for _, r := range rows {
		u, ok := accounts[r.UserID]
		if !ok {
			continue // removed between the two reads
		}
		m, err := r.member()
		if err != nil {
			return nil, err
		}
		out = append(out, blueberry.Membership{Member: m, User: u})
	}
	slices.SortFunc(out, func(a, b blueberry.Membership) int { return strings.Compare(a.User.Email, b.User.Email) })
	return out, nil
}

// MembershipsOf reads those of a user, by project.
func (t *Tx) MembershipsOf(ctx context.Context, userID string) ([]blueberry.Member, error) {
	rows, err := many[memberRow](ctx, t, "memberships", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("user_id = ?", clean(userID)) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b memberRow) int { return strings.Compare(a.Project, b.Project) })
	return nouns(rows, memberRow.member)
}

// AllMembers reads those of every project, by user and project.
func (t *Tx) AllMembers(ctx context.Context) ([]blueberry.Member, error) {
	rows, err := many[memberRow](ctx, t, "members", func(s *bun.SelectQuery) *bun.SelectQuery { return s })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b memberRow) int {
		return slices.Compare([]string{a.UserID, a.Project}, []string{b.UserID, b.Project})
	})
	return nouns(rows, memberRow.member)
}

// PutMember adds one, or changes the role; NotFound when there is no such project or user.
func (t *Tx) PutMember(ctx context.Context, m blueberry.Member) error {
	if err := t.keepProject(ctx, m.Project); err != nil {
		return err
	}
	row := memberRow{Project: clean(m.Project), UserID: clean(m.UserID), Role: string(m.Role), CreatedAt: micros(m.CreatedAt), UpdatedAt: micros(m.UpdatedAt)}
	_, err := t.db.NewInsert().Model(&row).On("CONFLICT (project, user_id) DO UPDATE").Set("role = EXCLUDED.role").Set("updated_at = EXCLUDED.updated_at").Exec(ctx)
	if missingReference(err) {
		return userNotFound(m.UserID)
	}
	if err != nil {
		return fmt.Errorf("write member: %w", err)
	}
	return nil
}

// DeleteMember removes one, or NotFound with code MEMBER_NOT_FOUND.
func (t *Tx) DeleteMember(ctx context.Context, project, userID string) error {
	res, err := t.db.NewDelete().Model((*memberRow)(nil)).Where("project = ?", clean(project)).Where("user_id = ?", clean(userID)).Exec(ctx)
	return deleted("delete member", res, err, blueberry.Errorf(blueberry.NotFound, "MEMBER_NOT_FOUND", "project %s has no such member", project))
}

type serviceAccountRow struct {
	bun.BaseModel `bun:"table:service_accounts"`

	ID          string `bun:"id,pk"`
	Project     string `bun:"project"`
	Name        string `bun:"name"`
	Description string `bun:"description"`
	Role        string `bun:"role"`
	Disabled    bool   `bun:"disabled"`
	CreatedAt   int64  `bun:"created_at"`
	CreatedBy   string `bun:"created_by"`
	Version     int64  `bun:"version"`
}

func (r serviceAccountRow) account() (blueberry.ServiceAccount, error) {
	return blueberry.ServiceAccount{
		ID: r.ID, Project: r.Project, Name: r.Name, Description: r.Description, Role: blueberry.Role(r.Role), Disabled: r.Disabled,
		CreatedAt: timeOf(r.CreatedAt), CreatedBy: r.CreatedBy, Version: r.Version,
	}, nil
}

func serviceAccountNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "SERVICE_ACCOUNT_NOT_FOUND", "there is no service account %q", id)
}

// ServiceAccount reads one by id, or NotFound with code SERVICE_ACCOUNT_NOT_FOUND.
func (t *Tx) ServiceAccount(ctx context.Context, id string) (blueberry.ServiceAccount, error) {
	row, err := one[serviceAccountRow](ctx, t, "service account", serviceAccountNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("id = ?", clean(id))
	})
	if err != nil {
		return blueberry.ServiceAccount{}, err
	}
	return row.account()
}

// ServiceAccounts reads those of a project, by name.
func (t *Tx) ServiceAccounts(ctx context.Context, project string) ([]blueberry.ServiceAccount, error) {
	rows, err := many[serviceAccountRow](ctx, t, "service accounts", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("project = ?", clean(project)) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b serviceAccountRow) int { return strings.Compare(a.Name, b.Name) })
	return nouns(rows, serviceAccountRow.account)
}

// PutServiceAccount adds one (Version 0), which is then at version 1, or changes what can change of it at its version: name, description, role and whether it
// is disabled. Conflict with code DUPLICATE_RESOURCE or VERSION_MOVED; NotFound when there is no such project.
func (t *Tx) PutServiceAccount(ctx context.Context, s blueberry.ServiceAccount) error {
	row := serviceAccountRow{
		ID: s.ID, Project: clean(s.Project), Name: clean(s.Name), Description: clean(s.Description), Role: string(s.Role), Disabled: s.Disabled,
		CreatedAt: micros(s.CreatedAt), CreatedBy: clean(s.CreatedBy), Version: s.Version + 1,
	}
	taken := duplicate("name", "project %s has a service account %s", s.Project, s.Name)
	if s.Version == 0 {
		if err := t.keepProject(ctx, s.Project); err != nil {
			return err
		}
		res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		return deleted("insert service account", res, err, taken)
	}
	res, err := t.db.NewUpdate().Model(&row).Column("name", "description", "role", "disabled", "version").
		Where("id = ?", clean(s.ID)).Where("version = ?", s.Version).Exec(ctx)
	if isTaken(err) {
		return taken
	}
	g := guarded{
		label: "service account " + s.Name, version: s.Version,
		there: t.db.NewSelect().Model((*serviceAccountRow)(nil)).Where("id = ?", clean(s.ID)), missing: serviceAccountNotFound(s.ID),
	}
	return g.check(ctx, "update service account", res, err)
}

// DeleteServiceAccount removes one and revokes its tokens, or NotFound.
func (t *Tx) DeleteServiceAccount(ctx context.Context, id string, by string, at time.Time) error {
	res, err := t.db.NewDelete().Model((*serviceAccountRow)(nil)).Where("id = ?", clean(id)).Exec(ctx)
	if err := deleted("delete service account", res, err, serviceAccountNotFound(id)); err != nil {
		return err
	}
	return t.revokeTokensOf(ctx, []string{id}, by, at)
}

// revokeTokensOf ends the API tokens of service accounts.
func (t *Tx) revokeTokensOf(ctx context.Context, serviceIDs []string, by string, at time.Time) error {
	if len(serviceIDs) == 0 {
		return nil
	}
	ids := make([]string, len(serviceIDs))
	for i, id := range serviceIDs {
		ids[i] = clean(id)
	}
	_, err := t.db.NewUpdate().Model((*tokenRow)(nil)).Set("revoked_at = ?", micros(at)).Set("revoked_by = ?", clean(by)).Set("version = version + 1").
		Where("service_id IN (?)", bun.List(ids)).Where("revoked_at = 0").Exec(ctx)
	if err != nil {
		return fmt.Errorf("revoke API tokens: %w", err)
	}
	return nil
}
