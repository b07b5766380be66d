package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// subscriptionRow is a subscription as kept. Address and secrets are sealed by whoever writes them.
type subscriptionRow struct {
	bun.BaseModel `bun:"table:subscriptions"`

	ID        string `bun:"id,pk"`
	Project   string `bun:"project"`
	Name      string `bun:"name"`
	Kind      string `bun:"kind"`
	Events    string `bun:"events"`
	Endpoint  string `bun:"endpoint"`
	Address   []byte `bun:"address"`
	Secrets   []byte `bun:"secrets"`
	Quiet     string `bun:"quiet"`
	Off       bool   `bun:"is_off"`
	OffWhy    string `bun:"off_why"`
	Health    string `bun:"health"`
	CreatedAt int64  `bun:"created_at"`
	UpdatedAt int64  `bun:"updated_at"`
	Version   int64  `bun:"version"`
}

func subscriptionToRow(s blueberry.Subscription) (subscriptionRow, error) {
	row := subscriptionRow{
		ID: clean(s.ID), Project: clean(s.Project), Name: clean(s.Name), Kind: clean(string(s.Kind)), Endpoint: clean(s.Endpoint), Off: s.Off, OffWhy: clean(s.OffWhy),
		CreatedAt: micros(s.CreatedAt), UpdatedAt: micros(s.UpdatedAt), Version: 1,
	}
	if len(s.Address) > 0 { // one form of none
		row.Address = s.Address
	}
	if len(s.Secrets) > 0 {
		row.Secrets = s.Secrets
	}
	var err error
	if row.Events, err = encode("event patterns", s.Events); err != nil {
		return row, err
	}
	if row.Quiet, err = encode("quiet hours", s.Quiet); err != nil {
		return row, err
	}
	row.Health, err = encode("health of subscription", s.Health)
	return row, err
}

func (r subscriptionRow) subscription() (blueberry.Subscription, error) {
	out := blueberry.Subscription{
		ID: r.ID, Project: r.Project, Name: r.Name, Kind: blueberry.SubscriptionKind(r.Kind), Endpoint: r.Endpoint, Address: r.Address, Secrets: r.Secrets,
		Off: r.Off, OffWhy: r.OffWhy, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}
	if err := decode("event patterns", r.Events, &out.Events); err != nil {
		return out, err
	}
	if err := decode("quiet hours", r.Quiet, &out.Quiet); err != nil {
		return out, err
	}
	return out, decode("health of subscription", r.Health, &out.Health)
}

func subscriptionNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND", "there is no subscription %q", id)
}

func subscriptionTaken(s blueberry.Subscription) error {
	if s.Project == "" {
		return nameTaken("SUBSCRIPTION_EXISTS", "subscription "+s.Name+" of the installation")
	}
	return nameTaken("SUBSCRIPTION_EXISTS", "subscription "+s.Name+" in project "+s.Project)
}

// InsertSubscription adds one, at version 1; Conflict with code SUBSCRIPTION_EXISTS and a fault on "name" while the project has one of the name, NotFound when
// there is no such project.
func (t *Tx) InsertSubscription(ctx context.Context, s blueberry.Subscription) error {
	row, err := subscriptionToRow(s)
	if err != nil {
		return err
	}
	if s.Personal() == "" {
		err = t.keepProject(ctx, s.Project)
	}
	if err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	return deleted("insert subscription", res, err, subscriptionTaken(s))
}

// Subscription reads one by id, or NotFound with code SUBSCRIPTION_NOT_FOUND. Its address and secrets are sealed.
func (t *Tx) Subscription(ctx context.Context, id string) (blueberry.Subscription, error) {
	row, err := one[subscriptionRow](ctx, t, "subscription", subscriptionNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.Subscription{}, err
	}
	return row.subscription()
}

// Subscriptions reads one page, by id. Those of people are among them only where their ids are named as projects. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize. Addresses and secrets are sealed.
func (t *Tx) Subscriptions(ctx context.Context, q blueberry.SubscriptionQuery) ([]blueberry.Subscription, error) {
	rows, err := many[subscriptionRow](ctx, t, "subscriptions", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		} else {
			s = personal(s, false)
		}
		return s.Where("id > ?", clean(q.After)).Order("id").Limit(int64(pageLimit(q.Limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, subscriptionRow.subscription)
}

// CountSubscriptions tells how many a project has; of an empty one, how many are of the installation.
func (t *Tx) CountSubscriptions(ctx context.Context, project string) (int, error) {
	n, err := t.db.NewSelect().Model((*subscriptionRow)(nil)).Where("project = ?", clean(project)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count subscriptions: %w", err)
	}
	return int(n), nil
}

// LiveSubscriptions reads all that are not off and of no person, by id, without addresses and secrets. Until the transaction ends none of them is removed.
func (t *Tx) LiveSubscriptions(ctx context.Context) ([]blueberry.Subscription, error) {
	rows, err := many[subscriptionRow](ctx, t, "subscriptions", func(s *bun.SelectQuery) *bun.SelectQuery {
		s = personal(s.ExcludeColumn("address", "secrets"), false).Where("NOT is_off").Order("id")
		if t.readOnly {
			return s
		}
		return t.locking(s, "KEY SHARE")
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, subscriptionRow.subscription)
}

// UpdateSubscription writes s if the row's version is still s.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. Project and
// kind are not among what it writes. A name that another one of the project has is Conflict with code SUBSCRIPTION_EXISTS.
func (t *Tx) UpdateSubscription(ctx context.Context, s blueberry.Subscription) error {
	row, err := subscriptionToRow(s)
	if err != nil {
		return err
	}
	row.Version = s.Version + 1
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "project", "kind", "created_at").Where("id = ?", row.ID).Where("version = ?", s.Version).Exec(ctx)
	if isTaken(err) {
		return subscriptionTaken(s)
	}
	g := guarded{
		label: "subscription " + s.Name, version: s.Version,
		there: t.db.NewSelect().Model((*subscriptionRow)(nil)).Where("id = ?", row.ID), missing: subscriptionNotFound(s.ID),
	}
	return g.check(ctx, "update subscription", res, err)
}

// PutSubscriptionHealth writes how sending went, and no version changes. NotFound with code SUBSCRIPTION_NOT_FOUND when there is none of the id.
func (t *Tx) PutSubscriptionHealth(ctx context.Context, id string, h blueberry.SubscriptionHealth) error {
	health, err := encode("health of subscription", h)
	if err != nil {
		return err
	}
	res, err := t.db.NewUpdate().Model((*subscriptionRow)(nil)).Set("health = ?", health).Where("id = ?", clean(id)).Exec(ctx)
	return deleted("write health of subscription", res, err, subscriptionNotFound(id))
}

// DeleteSubscription removes one with its notices, or NotFound. It waits for everyone who is adding one.
func (t *Tx) DeleteSubscription(ctx context.Context, id string) error {
	if t.readOnly {
		return errReadOnly
	}
	n, err := t.dropSubscriptions(ctx, "id", id)
	if err == nil && n == 0 {
		return subscriptionNotFound(id)
	}
	return err
}

// dropSubscriptions removes those with the value in a column, with their notices, and tells how many. It locks them first, as whoever writes a notice does.
func (t *Tx) dropSubscriptions(ctx context.Context, column, value string) (int, error) {
	var ids []string
	err := t.held(t.db.NewSelect().Model((*subscriptionRow)(nil)).Column("id").Where("? = ?", bun.Ident(column), clean(value)).Order("id")).Scan(ctx, &ids)
	if err != nil {
		return 0, fmt.Errorf("read subscriptions: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	for _, x := range []struct{ table, column string }{{"notices", "subscription_id"}, {"subscriptions", "id"}} {
		if _, err := t.db.NewDelete().Table(x.table).Where("? IN (?)", bun.Ident(x.column), bun.List(ids)).Exec(ctx); err != nil {
			return 0, fmt.Errorf("delete %s: %w", x.table, err)
		}
	}
	return len(ids), nil
}
