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

type identityRow struct {
	bun.BaseModel `bun:"table:identities,alias:identities"`

	Provider   string `bun:"provider,pk"`
	Subject    string `bun:"subject,pk"`
	UserID     string `bun:"user_id"`
	Email      string `bun:"email"`
	Groups     string `bun:"group_names"`
	LinkedAt   int64  `bun:"linked_at"`
	LastUsedAt int64  `bun:"last_used_at"`
}

func (r identityRow) identity() (blueberry.Identity, error) {
	i := blueberry.Identity{
		Provider: r.Provider, Subject: r.Subject, UserID: r.UserID, Email: r.Email, LinkedAt: timeOf(r.LinkedAt), LastUsedAt: timeOf(r.LastUsedAt),
	}
	return i, decode("groups", r.Groups, &i.Groups)
}

// identityGroupRow is one group of an identity, found by its name.
type identityGroupRow struct {
	bun.BaseModel `bun:"table:identity_groups"`

	Provider string `bun:"provider,pk"`
	Group    string `bun:"group_name,pk"`
	Subject  string `bun:"subject,pk"`
}

func identityNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "IDENTITY_NOT_FOUND", "there is no such identity")
}

// Identity reads one by provider and subject, or NotFound.
func (t *Tx) Identity(ctx context.Context, provider, subject string) (blueberry.Identity, error) {
	row, err := one[identityRow](ctx, t, "identity", identityNotFound(), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("provider = ?", clean(provider)).Where("subject = ?", clean(subject))
	})
	if err != nil {
		return blueberry.Identity{}, err
	}
	return row.identity()
}

// IdentitiesOf reads those of a user, by provider and subject.
func (t *Tx) IdentitiesOf(ctx context.Context, userID string) ([]blueberry.Identity, error) {
	rows, err := many[identityRow](ctx, t, "identities", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("user_id = ?", clean(userID)) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b identityRow) int {
		return slices.Compare([]string{a.Provider, a.Subject}, []string{b.Provider, b.Subject})
	})
	return nouns(rows, identityRow.identity)
}

// GroupedIdentities reads those of every user that a provider counts to a group, by provider and subject.
func (t *Tx) GroupedIdentities(ctx context.Context) ([]blueberry.Identity, error) {
	rows, err := many[identityRow](ctx, t, "identities", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("(provider, subject) IN (SELECT provider, subject FROM identity_groups)")
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b identityRow) int {
		return slices.Compare([]string{a.Provider, a.Subject}, []string{b.Provider, b.Subject})
	})
	return nouns(rows, identityRow.identity)
}

// PutIdentity adds one, or changes its address, groups and last use; Conflict with code IDENTITY_TAKEN when it is another user's, NotFound when there is no
// such provider or user.
func (t *Tx) PutIdentity(ctx context.Context, i blueberry.Identity) error {
	groups, err := encode("groups", i.Groups)
	if err != nil {
		return err
	}
	row := identityRow{
		Provider: clean(i.Provider), Subject: clean(i.Subject), UserID: i.UserID, Email: clean(i.Email), Groups: groups,
		LinkedAt: micros(i.LinkedAt), LastUsedAt: micros(i.LastUsedAt),
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT (provider, subject) DO UPDATE").
		Set("email = EXCLUDED.email").Set("group_names = EXCLUDED.group_names").Set("last_used_at = EXCLUDED.last_used_at").
		Where("identities.user_id = EXCLUDED.user_id").Exec(ctx)
	if missingReference(err) {
		return blueberry.Errorf(blueberry.NotFound, "IDENTITY_PROVIDER_NOT_FOUND", "there is no identity provider %q, or no user %q", i.Provider, i.UserID)
	}
	taken := blueberry.Errorf(blueberry.Conflict, "IDENTITY_TAKEN", "the account at %s belongs to another user", i.Provider)
	if err := deleted("write identity", res, err, taken); err != nil {
		return err
	}
	return t.putGroups(ctx, row, i.Groups)
}

// putGroups replaces the groups of an identity.
func (t *Tx) putGroups(ctx context.Context, i identityRow, groups []string) error {
	_, err := t.db.NewDelete().Model((*identityGroupRow)(nil)).Where("provider = ?", i.Provider).Where("subject = ?", i.Subject).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete groups of identity: %w", err)
	}
	var names []string
	for _, g := range groups {
		names = append(names, clean(g))
	}
	slices.Sort(names)
	var rows []identityGroupRow
	for _, name := range slices.Compact(names) {
		rows = append(rows, identityGroupRow{Provider: i.Provider, Group: name, Subject: i.Subject})
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := t.db.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("insert groups of identity: %w", err)
	}
	return nil
}

// DeleteIdentity removes what a user has at a provider, or NotFound.
func (t *Tx) DeleteIdentity(ctx context.Context, userID, provider string) error {
	res, err := t.db.NewDelete().Model((*identityRow)(nil)).Where("user_id = ?", clean(userID)).Where("provider = ?", clean(provider)).Exec(ctx)
	return deleted("delete identity", res, err, identityNotFound())
}

type linkRow struct {
	bun.BaseModel `bun:"table:links"`

	ID        string `bun:"id,pk"`
	Kind      string `bun:"kind"`
	UserID    string `bun:"user_id"`
	Hash      []byte `bun:"hash,notnull"`
	CreatedAt int64  `bun:"created_at"`
	ExpiresAt int64  `bun:"expires_at"`
	UsedAt    int64  `bun:"used_at"`
}

func linkNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "LINK_NOT_FOUND", "there is no such link")
}

// InsertLink adds a link; Conflict when its id or hash is there.
func (t *Tx) InsertLink(ctx context.Context, l blueberry.Link) error {
	row := linkRow{
		ID: l.ID, Kind: string(l.Kind), UserID: l.UserID, Hash: bytesOf(l.Hash),
		CreatedAt: micros(l.CreatedAt), ExpiresAt: micros(l.ExpiresAt), UsedAt: micros(l.UsedAt),
	}
	_, err := t.db.NewInsert().Model(&row).Exec(ctx)
	if isTaken(err) {
		return blueberry.Errorf(blueberry.Conflict, "DUPLICATE_RESOURCE", "the link %s exists", l.ID)
	}
	if err != nil {
		return fmt.Errorf("insert link: %w", err)
	}
	return nil
}

// LinkByHash reads a link, live or not, or NotFound with code LINK_NOT_FOUND.
func (t *Tx) LinkByHash(ctx context.Context, hash []byte) (blueberry.Link, error) {
	r, err := one[linkRow](ctx, t, "link", linkNotFound(), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("hash = ?", bytesOf(hash)) })
	return blueberry.Link{
		ID: r.ID, Kind: blueberry.LinkKind(r.Kind), UserID: r.UserID, Hash: r.Hash,
		CreatedAt: timeOf(r.CreatedAt), ExpiresAt: timeOf(r.ExpiresAt), UsedAt: timeOf(r.UsedAt),
	}, err
}

// UseLink marks a link as used; Conflict with code LINK_USED when it was before.
func (t *Tx) UseLink(ctx context.Context, id string, at time.Time) error {
	res, err := t.db.NewUpdate().Model((*linkRow)(nil)).Set("used_at = ?", micros(at)).Where("id = ?", clean(id)).Where("used_at = 0").Exec(ctx)
	n, err := touched("use link", res, err)
	if err != nil || n == 1 {
		return err
	}
	if _, err := one[linkRow](ctx, t, "link", linkNotFound(), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) }); err != nil {
		return err
	}
	return blueberry.Errorf(blueberry.Conflict, "LINK_USED", "the link was used already")
}

// DropLinks makes the unused links of a kind and user worthless: they count as used, so that one who has just read such a link cannot use it either.
func (t *Tx) DropLinks(ctx context.Context, kind blueberry.LinkKind, userID string, at time.Time) error {
	_, err := t.db.NewUpdate().Model((*linkRow)(nil)).Set("used_at = ?", micros(at)).
		Where("user_id = ?", clean(userID)).Where("kind = ?", clean(string(kind))).Where("used_at = 0").Exec(ctx)
	if err != nil {
		return fmt.Errorf("drop links: %w", err)
	}
	return nil
}

type groupRuleRow struct {
	bun.BaseModel `bun:"table:group_rules"`

	ID        string `bun:"id,pk"`
	Provider  string `bun:"provider"`
	Group     string `bun:"group_name"`
	Project   string `bun:"project"`
	Role      string `bun:"role"`
	CreatedAt int64  `bun:"created_at"`
}

func (r groupRuleRow) rule() (blueberry.GroupRule, error) {
	return blueberry.GroupRule{
		ID: r.ID, Provider: r.Provider, Group: r.Group, Project: r.Project, Role: blueberry.Role(r.Role), CreatedAt: timeOf(r.CreatedAt),
	}, nil
}

// GroupRules reads all, by provider, group and project.
func (t *Tx) GroupRules(ctx context.Context) ([]blueberry.GroupRule, error) {
	rows, err := many[groupRuleRow](ctx, t, "group rules", func(s *bun.SelectQuery) *bun.SelectQuery { return s })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b groupRuleRow) int {
		return slices.CompareFunc([]string{a.Provider, a.Group, a.Project}, []string{b.Provider, b.Group, b.Project}, strings.Compare)
	})
	return nouns(rows, groupRuleRow.rule)
}

// PutGroupRule adds one; Conflict with code DUPLICATE_RESOURCE when provider, group and project are there, NotFound when there is no such provider or project.
func (t *Tx) PutGroupRule(ctx context.Context, g blueberry.GroupRule) error {
	if err := t.keepProject(ctx, g.Project); err != nil {
		return err
	}
	row := groupRuleRow{ID: g.ID, Provider: clean(g.Provider), Group: clean(g.Group), Project: clean(g.Project), Role: string(g.Role), CreatedAt: micros(g.CreatedAt)}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return providerNotFound(g.Provider)
	}
	return deleted("insert group rule", res, err, duplicate("group", "there is a rule for the group %s of %s", g.Group, g.Provider))
}

// DeleteGroupRule removes one by id, or NotFound with code GROUP_RULE_NOT_FOUND.
func (t *Tx) DeleteGroupRule(ctx context.Context, id string) error {
	res, err := t.db.NewDelete().Model((*groupRuleRow)(nil)).Where("id = ?", clean(id)).Exec(ctx)
	return deleted("delete group rule", res, err, blueberry.Errorf(blueberry.NotFound, "GROUP_RULE_NOT_FOUND", "there is no group rule %q", id))
}
