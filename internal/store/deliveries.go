package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// deliveryRow is a delivery as kept. OnceID and OnceDigest are what no other one of the repository has that counts.
type deliveryRow struct {
	bun.BaseModel `bun:"table:deliveries"`

	ID           string  `bun:"id,pk"`
	RepositoryID string  `bun:"repository_id"`
	Project      string  `bun:"project"`
	Host         string  `bun:"host"`
	HostID       string  `bun:"host_id"`
	Digest       string  `bun:"digest"`
	Event        string  `bun:"event"`
	Action       string  `bun:"action"`
	Size         int     `bun:"size"`
	Verdict      string  `bun:"verdict"`
	Reason       string  `bun:"reason"`
	PullID       string  `bun:"pull_id"`
	ReplayOf     string  `bun:"replay_of"`
	Caller       string  `bun:"caller"`
	ReceivedAt   int64   `bun:"received_at"`
	OnceID       *string `bun:"once_id"`
	OnceDigest   *string `bun:"once_digest"`
	Headers      string  `bun:"headers"`
	Body         []byte  `bun:"body"` // gzip, or nothing of nothing
}

func (s *Store) deliveryToRow(d blueberry.Delivery) (deliveryRow, error) {
	headers, err := encode("headers", d.Headers)
	if err != nil {
		return deliveryRow{}, err
	}
	row := deliveryRow{
		ID: clean(d.ID), RepositoryID: clean(d.RepositoryID), Project: clean(d.Project), Host: clean(string(d.Host)), HostID: clean(d.HostID), Digest: clean(d.Digest),
		Event: clean(d.Event), Action: clean(d.Action), Size: d.Size, Verdict: clean(string(d.Verdict)), Reason: clean(d.Reason), PullID: clean(d.PullID),
		ReplayOf: clean(d.ReplayOf), Caller: clean(d.From), ReceivedAt: micros(d.ReceivedAt), Headers: headers, Body: []byte{},
	}
	if deliveryCounts(d) {
		row.OnceDigest = &row.Digest
		if d.HostID != "" {
			sum := sha256.Sum256([]byte(d.HostID))
			once := hex.EncodeToString(sum[:])
			row.OnceID = &once
		}
	}
	if len(d.Body) == 0 {
		return row, nil
	}
	row.Body, err = s.press(func(w io.Writer) error {
		_, err := w.Write(d.Body)
		return err
	})
	if err != nil {
		return deliveryRow{}, fmt.Errorf("press body of delivery: %w", err)
	}
	return row, nil
}

// deliveryCounts reports whether another delivery of its id or digest is the same once more.
func deliveryCounts(d blueberry.Delivery) bool {
	switch d.Verdict {
	case blueberry.DeliveryAccepted, blueberry.DeliveryIgnored, blueberry.DeliveryUnread:
		return d.ReplayOf == ""
	}
	return false
}

// delivery gives a delivery; what was not read stays empty.
func (r deliveryRow) delivery() (blueberry.Delivery, error) {
	d := blueberry.Delivery{
		ID: r.ID, RepositoryID: r.RepositoryID, Project: r.Project, Host: blueberry.HostKind(r.Host), HostID: r.HostID, Digest: r.Digest, Event: r.Event,
		Action: r.Action, Size: r.Size, Verdict: blueberry.DeliveryVerdict(r.Verdict), Reason: r.Reason, PullID: r.PullID, ReplayOf: r.ReplayOf,
		From: r.Caller, ReceivedAt: timeOf(r.ReceivedAt),
	}
	if r.Headers != "" {
		if err := decode("headers", r.Headers, &d.Headers); err != nil {
			return blueberry.Delivery{}, err
		}
	}
	if len(r.Body) == 0 {
		return d, nil
	}
	z, err := unpress(r.Body)
	if err != nil {
		return blueberry.Delivery{}, fmt.Errorf("unpress body of delivery: %w", err)
	}
	if d.Body, err = io.ReadAll(z); err != nil {
		return blueberry.Delivery{}, fmt.Errorf("unpress body of delivery: %w", err)
	}
	return d, nil
}

// InsertDelivery adds one, or NotFound when there is no such repository. One that counts (accepted, ignored or unreadable, and no replay) is Conflict with
// code DELIVERY_SEEN when the repository has another one that counts with the same HostID, if that is not empty, or the same Digest. Of many at the same
// time, one is added, and the transactions of the others can go on.
func (t *Tx) InsertDelivery(ctx context.Context, d blueberry.Delivery) error {
	row, err := t.store.deliveryToRow(d)
	if err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return repositoryNotFound(d.RepositoryID)
	}
	return deleted("insert delivery", res, err, blueberry.Errorf(blueberry.Conflict, "DELIVERY_SEEN", "the delivery came before"))
}

// Delivery reads one with its body, or NotFound with code DELIVERY_NOT_FOUND.
func (t *Tx) Delivery(ctx context.Context, id string) (blueberry.Delivery, error) {
	missing := blueberry.Errorf(blueberry.NotFound, "DELIVERY_NOT_FOUND", "there is no delivery %q", id)
	row, err := one[deliveryRow](ctx, t, "delivery", missing, func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.Delivery{}, err
	}
	return row.delivery()
}

// Deliveries reads one page without bodies and headers, the newest first. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Deliveries(ctx context.Context, q blueberry.DeliveryQuery) ([]blueberry.Delivery, error) {
	rows, err := many[deliveryRow](ctx, t, "deliveries", func(s *bun.SelectQuery) *bun.SelectQuery {
		s = s.ExcludeColumn("once_id", "once_digest", "headers", "body")
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		}
		for _, x := range []struct{ column, value string }{{"repository_id", q.RepositoryID}, {"pull_id", q.PullID}, {"verdict", string(q.Verdict)}} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, deliveryRow.delivery)
}

// PurgeDeliveries removes at most limit of those that came before a time, the oldest first, and tells how many. Without a limit above 0 it removes none.
func (t *Tx) PurgeDeliveries(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	oldest := t.db.NewSelect().Model((*deliveryRow)(nil)).Column("id").Where("received_at < ?", micros(before)).Order("received_at", "id").Limit(int64(limit))
	res, err := t.db.NewDelete().Model((*deliveryRow)(nil)).Where("id IN (?)", oldest).Exec(ctx)
	n, err := touched("purge deliveries", res, err)
	return int(n), err
}
