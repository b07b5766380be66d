package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// noticeRow is a notice as kept.
type noticeRow struct {
	bun.BaseModel `bun:"table:notices"`

	ID             string `bun:"id,pk"`
	SubscriptionID string `bun:"subscription_id"`
	Project        string `bun:"project"`
	EventID        string `bun:"event_id"`
	EventSeq       int64  `bun:"event_seq"`
	Event          string `bun:"event"`
	State          string `bun:"state"`
	Tries          int    `bun:"tries"`
	Attempts       string `bun:"attempts"`
	NextAt         int64  `bun:"next_at"`
	ExpiresAt      int64  `bun:"expires_at"`
	CreatedAt      int64  `bun:"created_at"`
	EndedAt        int64  `bun:"ended_at"`
	Version        int64  `bun:"version"`
}

func noticeToRow(n blueberry.Notice) (noticeRow, error) {
	row := noticeRow{
		ID: clean(n.ID), SubscriptionID: clean(n.SubscriptionID), Project: clean(n.Project), EventID: clean(n.Event.ID), EventSeq: n.Event.Seq, State: clean(string(n.State)), Tries: n.Tries,
		NextAt: micros(n.NextAt), ExpiresAt: micros(n.ExpiresAt), CreatedAt: micros(n.CreatedAt), EndedAt: micros(n.EndedAt), Version: 1,
	}
	var err error
	if row.Event, err = encode("event of notice", n.Event); err != nil {
		return row, err
	}
	row.Event = clean(row.Event)
	row.Attempts, err = encode("attempts of notice", n.Attempts)
	return row, err
}

func (r noticeRow) notice() (blueberry.Notice, error) {
	out := blueberry.Notice{
		ID: r.ID, SubscriptionID: r.SubscriptionID, Project: r.Project, State: blueberry.NoticeState(r.State), Tries: r.Tries, NextAt: timeOf(r.NextAt),
		ExpiresAt: timeOf(r.ExpiresAt), CreatedAt: timeOf(r.CreatedAt), EndedAt: timeOf(r.EndedAt), Version: r.Version,
	}
	if err := decode("event of notice", r.Event, &out.Event); err != nil {
		return out, err
	}
	return out, decode("attempts of notice", r.Attempts, &out.Attempts)
}

func noticeNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "NOTICE_NOT_FOUND", "there is no notice %q", id)
}

// noticesAtOnce is how many rows one statement inserts.
const noticesAtOnce = 200

// InsertNotices adds some, at version 1. A subscription has one of an event: another one is none to add. NotFound when a subscription is not there.
func (t *Tx) InsertNotices(ctx context.Context, list []blueberry.Notice) error {
	for part := range slices.Chunk(list, noticesAtOnce) {
		rows := make([]noticeRow, len(part))
		for i, n := range part {
			var err error
			if rows[i], err = noticeToRow(n); err != nil {
				return err
			}
		}
		_, err := t.db.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
		switch {
		case missingReference(err):
			return subscriptionNotFound(part[0].SubscriptionID)
		case err != nil:
			return fmt.Errorf("insert notices: %w", err)
		}
	}
	return nil
}

// Notice reads one, or NotFound with code NOTICE_NOT_FOUND.
func (t *Tx) Notice(ctx context.Context, id string) (blueberry.Notice, error) {
	row, err := one[noticeRow](ctx, t, "notice", noticeNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.Notice{}, err
	}
	return row.notice()
}

// NextNotice reads the one of a subscription that waits for the earliest time, of these the one of the earliest event, or NotFound with code NOTICE_NOT_FOUND.
func (t *Tx) NextNotice(ctx context.Context, subscriptionID string) (blueberry.Notice, error) {
	row, err := one[noticeRow](ctx, t, "notice", noticeNotFound("of "+subscriptionID), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("subscription_id = ?", clean(subscriptionID)).Where("state = 'waiting'").Order("next_at", "event_seq", "id").Limit(1)
	})
	if err != nil {
		return blueberry.Notice{}, err
	}
	return row.notice()
}

// Notices reads one page, the newest first. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Notices(ctx context.Context, q blueberry.NoticeQuery) ([]blueberry.Notice, error) {
	rows, err := many[noticeRow](ctx, t, "notices", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		}
		for _, x := range []struct{ column, value string }{{"subscription_id", q.SubscriptionID}, {"state", string(q.State)}} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, noticeRow.notice)
}

// UpdateNotice writes what becomes of n if the row's version is still n.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
func (t *Tx) UpdateNotice(ctx context.Context, n blueberry.Notice) error {
	row, err := noticeToRow(n)
	if err != nil {
		return err
	}
	row.Version = n.Version + 1
	res, err := t.db.NewUpdate().Model(&row).Column("state", "tries", "attempts", "next_at", "expires_at", "ended_at", "version").
		Where("id = ?", row.ID).Where("version = ?", n.Version).Exec(ctx)
	g := guarded{label: "notice " + n.ID, version: n.Version, there: t.db.NewSelect().Model((*noticeRow)(nil)).Where("id = ?", row.ID), missing: noticeNotFound(n.ID)}
	return g.check(ctx, "update notice", res, err)
}

// RedriveNotices has all dead ones of a subscription wait again from now on, and tells how many.
func (t *Tx) RedriveNotices(ctx context.Context, subscriptionID string, now, expires time.Time) (int, error) {
	res, err := t.db.NewUpdate().Model((*noticeRow)(nil)).Set("state = 'waiting'").Set("tries = 0").Set("next_at = ?", micros(now)).
		Set("expires_at = ?", micros(expires)).Set("ended_at = 0").Set("version = version + 1").
		Where("subscription_id = ?", clean(subscriptionID)).Where("state = 'dead'").Exec(ctx)
	n, err := touched("redrive notices", res, err)
	return int(n), err
}

// ExpireNotices gives up those of a subscription that wait and whose time was over before now, and tells how many.
func (t *Tx) ExpireNotices(ctx context.Context, subscriptionID string, now time.Time) (int, error) {
	res, err := t.db.NewUpdate().Model((*noticeRow)(nil)).Set("state = 'dead'").Set("next_at = 0").Set("ended_at = ?", micros(now)).Set("version = version + 1").
		Where("subscription_id = ?", clean(subscriptionID)).Where("state = 'waiting'").Where("expires_at < ?", micros(now)).Exec(ctx)
	n, err := touched("expire notices", res, err)
	return int(n), err
}

// PurgeNotices removes at most limit of those that were made before a time, the oldest first, and tells how many. Without a limit above 0 it removes none.
func (t *Tx) PurgeNotices(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	oldest := t.db.NewSelect().Model((*noticeRow)(nil)).Column("id").Where("created_at < ?", micros(before)).Order("created_at", "id").Limit(int64(limit))
	res, err := t.db.NewDelete().Model((*noticeRow)(nil)).Where("id IN (?)", oldest).Exec(ctx)
	n, err := touched("purge notices", res, err)
	return int(n), err
}
