package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:users"`

	ID               string `bun:"id,pk"`
	Email            string `bun:"email"`
	Name             string `bun:"name"`
	Status           string `bun:"status"`
	Owner            bool   `bun:"owner"`
	BreakGlass       bool   `bun:"break_glass"`
	InvitationState  string `bun:"invitation_state"`
	InvitationError  string `bun:"invitation_error"`
	InvitationSentAt int64  `bun:"invitation_sent_at"`
	CreatedAt        int64  `bun:"created_at"`
	UpdatedAt        int64  `bun:"updated_at"`
	LastSeenAt       int64  `bun:"last_seen_at"`
	Version          int64  `bun:"version"`
	Search           string `bun:"search"`
}

func userToRow(u blueberry.User) userRow {
	return userRow{
		ID: u.ID, Email: clean(u.Email), Name: clean(u.Name), Status: string(u.Status), Owner: u.Owner, BreakGlass: u.BreakGlass,
		InvitationState: string(u.Invitation.State), InvitationError: clean(u.Invitation.Error), InvitationSentAt: micros(u.Invitation.SentAt),
		CreatedAt: micros(u.CreatedAt), UpdatedAt: micros(u.UpdatedAt), LastSeenAt: micros(u.LastSeenAt), Version: u.Version,
		Search: strings.ToLower(clean(u.Email + "\n" + u.Name)),
	}
}

func (r userRow) user() blueberry.User {
	return blueberry.User{
		ID: r.ID, Email: r.Email, Name: r.Name, Status: blueberry.UserStatus(r.Status), Owner: r.Owner, BreakGlass: r.BreakGlass,
		Invitation: blueberry.Invitation{State: blueberry.InvitationState(r.InvitationState), Error: r.InvitationError, SentAt: timeOf(r.InvitationSentAt)},
		CreatedAt:  timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), LastSeenAt: timeOf(r.LastSeenAt), Version: r.Version,
	}
}

func userNotFound(what string) error {
	return blueberry.Errorf(blueberry.NotFound, "USER_NOT_FOUND", "there is no user %q", what)
}

func emailTaken(email string) error { return duplicate("email", "there is a user %s", email) }

// InsertUser adds a user; Conflict with code DUPLICATE_RESOURCE and a fault on "email" while another one has the address.
func (t *Tx) InsertUser(ctx context.Context, u blueberry.User) error {
	row := userToRow(u)
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	n, err := touched("insert user", res, err)
	if err == nil && n == 0 {
		return emailTaken(u.Email)
	}
	return err
}

// User reads one by id, or NotFound with code USER_NOT_FOUND.
func (t *Tx) User(ctx context.Context, id string) (blueberry.User, error) {
	row, err := one[userRow](ctx, t, "user", userNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	return row.user(), err
}

// UserByEmail reads one by its normal address, or NotFound.
func (t *Tx) UserByEmail(ctx context.Context, email string) (blueberry.User, error) {
	row, err := one[userRow](ctx, t, "user", userNotFound(email), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("email = ?", clean(email)) })
	return row.user(), err
}

// UpdateUser writes u if the row's version is still u.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. An address that
// another one has is Conflict with code DUPLICATE_RESOURCE; LastSeenAt stays.
func (t *Tx) UpdateUser(ctx context.Context, u blueberry.User) error {
	row := userToRow(u)
	row.Version++
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "created_at", "last_seen_at").Where("id = ?", clean(u.ID)).Where("version = ?", u.Version).Exec(ctx)
	if isTaken(err) {
		return emailTaken(u.Email)
	}
	g := guarded{
		label: "user " + u.Email, version: u.Version,
		there: t.db.NewSelect().Model((*userRow)(nil)).Where("id = ?", clean(u.ID)), missing: userNotFound(u.ID),
	}
	return g.check(ctx, "update user", res, err)
}

// CountOwners counts active owners; one is always left. In Update it keeps other transactions from counting until this one ends, by the row that all who
// change who may do what write anyway.
func (t *Tx) CountOwners(ctx context.Context) (int, error) {
	if _, err := t.accessEpoch(ctx, true); err != nil {
		return 0, err
	}
	n, err := t.db.NewSelect().Model((*userRow)(nil)).Where("owner").Where("status = ?", string(blueberry.UserActive)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count owners: %w", err)
	}
	return int(n), nil
}

// TouchUser notes when a user was last seen; the time never goes back.
func (t *Tx) TouchUser(ctx context.Context, id string, at time.Time) error {
	return t.touch(ctx, "users", "last_seen_at", id, micros(at))
}

type epochRow struct {
	bun.BaseModel `bun:"table:access_epoch"`

	ID    int64 `bun:"id,pk"`
	Epoch int64 `bun:"epoch"`
}

// BumpAccessEpoch has every process forget what it knows of who may do what.
func (t *Tx) BumpAccessEpoch(ctx context.Context) error {
	if _, err := t.db.NewUpdate().Model((*epochRow)(nil)).Set("epoch = epoch + 1").Where("id = 1").Exec(ctx); err != nil {
		return fmt.Errorf("bump access epoch: %w", err)
	}
	return nil
}

// AccessEpoch counts the bumps.
func (t *Tx) AccessEpoch(ctx context.Context) (int64, error) { return t.accessEpoch(ctx, false) }

func (t *Tx) accessEpoch(ctx context.Context, lock bool) (int64, error) {
	row := epochRow{ID: 1}
	sel := t.db.NewSelect().Model(&row).WherePK()
	if lock {
		sel = t.held(sel)
	}
	if err := sel.Scan(ctx); err != nil {
		return 0, fmt.Errorf("read access epoch: %w", err)
	}
	return row.Epoch, nil
}

// usersSort is the column of a sort order, and how a row stands in it. The indexes of migration 6 hold each column with the id.
type usersSort struct {
	column string
	text   bool
	of     func(userRow) position
}

func usersSortOf(s blueberry.UserSort) (usersSort, bool) {
	switch s {
	case "", blueberry.UsersByEmail:
		return usersSort{"email", true, func(r userRow) position { return position{Text: r.Email, ID: r.ID} }}, true
	case blueberry.UsersByCreated:
		return usersSort{"created_at", false, func(r userRow) position { return position{Int: r.CreatedAt, ID: r.ID} }}, true
	case blueberry.UsersByLastSeen:
		return usersSort{"last_seen_at", false, func(r userRow) position { return position{Int: r.LastSeenAt, ID: r.ID} }}, true
	}
	return usersSort{}, false
}

// usersDigest is the digest of the query. The default sort by its name is the same query.
func usersDigest(q blueberry.UserQuery) string {
	if q.Sort == "" {
		q.Sort = blueberry.UsersByEmail
	}
	return queryDigest("users", q.Search, q.Status, q.Project, q.Sort, strconv.FormatBool(q.Desc))
}

// ListUsers reads one page. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize. An unknown sort is Invalid on "sort", a cursor of another
// query or of nobody on "cursor".
func (t *Tx) ListUsers(ctx context.Context, q blueberry.UserQuery) (blueberry.UserPage, error) {
	var f blueberry.Faults
	by, ok := usersSortOf(q.Sort)
	if !ok {
		f.Add("sort", "unknown", "%q is no sort order of users", q.Sort)
	}
	var from position
	if q.Cursor != "" && ok {
		var err error
		if from, err = decodeCursor(q.Cursor, usersDigest(q), by.text); err != nil {
			f.Add("cursor", "cursor", "is not a cursor of this query")
		}
	}
	if err := f.Err(); err != nil {
		return blueberry.UserPage{}, err
	}
	limit := pageLimit(q.Limit)
	rows, err := many[userRow](ctx, t, "users", func(sel *bun.SelectQuery) *bun.SelectQuery {
		sel = filterUsers(sel.ExcludeColumn("search"), q)
		direction, beyond := "ASC", ">"
		if q.Desc {
			direction, beyond = "DESC", "<"
		}
		if q.Cursor != "" {
			sel = sel.Where("(?, id) ? (?, ?)", bun.Ident(by.column), bun.Safe(beyond), from.key(sortColumn{text: by.text}), clean(from.ID))
		}
		return sel.OrderExpr("? ?, id ?", bun.Ident(by.column), bun.Safe(direction), bun.Safe(direction)).Limit(int64(limit) + 1)
	})
	if err != nil {
		return blueberry.UserPage{}, err
	}
	page := blueberry.UserPage{}
	if len(rows) > limit {
		rows = rows[:limit]
		last := by.of(rows[limit-1])
		last.Query = usersDigest(q)
		if page.Next, err = encodeCursor(last); err != nil {
			return blueberry.UserPage{}, err
		}
	}
	page.Items = make([]blueberry.User, len(rows))
	for i, r := range rows {
		page.Items[i] = r.user()
	}
	return page, nil
}

func filterUsers(sel *bun.SelectQuery, q blueberry.UserQuery) *bun.SelectQuery {
	if q.Status != "" {
		sel = sel.Where("status = ?", clean(string(q.Status)))
	}
	if q.Search != "" {
		sel = sel.Where(`search LIKE ? ESCAPE '\'`, likePart(q.Search))
	}
	if q.Project != "" {
		sel = sel.Where(`id IN (SELECT user_id FROM members WHERE project = ?
			UNION SELECT i.user_id FROM group_rules AS g JOIN identity_groups AS n ON n.provider = g.provider AND n.group_name = g.group_name
				JOIN identities AS i ON i.provider = n.provider AND i.subject = n.subject WHERE g.project = ?)`, clean(q.Project), clean(q.Project))
	}
	return sel
}
