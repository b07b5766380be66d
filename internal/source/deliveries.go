package source

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Deliveries reads one page without bodies, the newest first. An empty project means all that the actor may see.
func (s *Repositories) Deliveries(ctx context.Context, actor blueberry.Actor, project string, q blueberry.DeliveryQuery) ([]blueberry.Delivery, error) {
	in, err := within(actor, project, blueberry.GrantDeliveriesRead)
	if err != nil {
		return nil, err
	}
	q.Projects = in
	return view(ctx, s, func(tx Tx) ([]blueberry.Delivery, error) { return tx.Deliveries(ctx, q) })
}

// Delivery reads one, with headers and body.
func (s *Repositories) Delivery(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Delivery, error) {
	return view(ctx, s, func(tx Tx) (blueberry.Delivery, error) {
		return deliveryFor(ctx, tx, actor, id, blueberry.GrantDeliveriesRead)
	})
}

func deliveryFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, g blueberry.Grant) (blueberry.Delivery, error) {
	d, err := tx.Delivery(ctx, id)
	if err != nil {
		return blueberry.Delivery{}, err
	}
	return d, actor.CanOn(d.Project, g, blueberry.Errorf(blueberry.NotFound, "DELIVERY_NOT_FOUND", "there is no delivery %q", id))
}

// Replayed is what reading a delivery again has done, or would do.
type Replayed struct {
	Delivery blueberry.Delivery     // the new one; of a dry run without an id
	Pull     *blueberry.PullRequest // as it is after; nil when it is about none
}

// Replay reads a delivery again, as if it came now, and has its pull request looked at whether or not it says news. A dry run tells what would follow and keeps
// nothing. Conflict for one that was refused: nothing of it was kept.
func (s *Repositories) Replay(ctx context.Context, actor blueberry.Actor, id string, dry bool) (out Replayed, err error) {
	err = again(func() error {
		run := s.Record.Update
		if dry {
			run = s.Record.View
		}
		return run(ctx, func(tx Tx) error {
			d, err := deliveryFor(ctx, tx, actor, id, blueberry.GrantDeliveriesReplay)
			if err != nil {
				return err
			}
			if len(d.Body) == 0 {
				return blueberry.Errorf(blueberry.Conflict, "DELIVERY_EMPTY", "nothing is kept of delivery %s that could be read again: it was %s", d.ID, d.Verdict)
			}
			r, err := tx.Repository(ctx, d.RepositoryID)
			if err != nil {
				return err
			}
			out, err = s.replay(ctx, tx, actor, r, d, dry)
			return err
		})
	})
	return out, err
}

func (s *Repositories) replay(ctx context.Context, tx Tx, actor blueberry.Actor, r blueberry.Repository, d blueberry.Delivery, dry bool) (out Replayed, err error) {
	host, ok := s.Hosts[d.Host]
	if !ok {
		return out, fmt.Errorf("no driver for host %s", d.Host)
	}
	header := http.Header{}
	for name, value := range d.Headers {
		header.Set(name, value)
	}
	in, unread := host.Read(header, d.Body)
	d.ReplayOf, d.ID, d.ReceivedAt = d.ID, "", s.Now()
	if dry {
		tx = &dryRun{Tx: tx}
	}
	if err := s.judge(ctx, tx, r, in, unread, &d); err != nil {
		return out, err
	}
	if d.PullID != "" {
		p, err := pullOf(ctx, tx, r, in, d.PullID)
		if err != nil {
			return out, err
		}
		out.Pull = &p
	}
	out.Delivery = d
	if dry {
		return out, nil
	}
	out.Delivery.ID = blueberry.NewID(blueberry.DeliveryID, d.ReceivedAt)
	if err := tx.InsertDelivery(ctx, out.Delivery); err != nil {
		return out, err
	}
	if d.PullID != "" {
		if err := tx.Enqueue(ctx, blueberry.JobPullReconcile, d.PullID); err != nil {
			return out, err
		}
	}
	return out, tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantDeliveriesReplay), Resource: d.ReplayOf, Project: r.Project, At: s.Now(),
		Detail: fmt.Sprintf("%s had delivery %s of repository %s read again: %s", actor.Name, d.ReplayOf, r.Name, out.Delivery.Reason),
	})
}

// pullOf reads the pull request that a delivery is about, as it is after.
func pullOf(ctx context.Context, tx Tx, r blueberry.Repository, in Incoming, id string) (blueberry.PullRequest, error) {
	if in.Pull == nil {
		return tx.Pull(ctx, id)
	}
	return tx.FindPull(ctx, r.ID, in.Pull.Number)
}

// dryRun is a transaction that writes nothing; what was noted of a pull request it reads back.
type dryRun struct {
	Tx
	noted *blueberry.PullRequest
}

// InsertPull notes it here.
func (d *dryRun) InsertPull(_ context.Context, p blueberry.PullRequest) error {
	d.noted = &p
	return nil
}

// UpdatePull notes it here.
func (d *dryRun) UpdatePull(_ context.Context, p blueberry.PullRequest) error {
	d.noted = &p
	return nil
}

// InsertPullCommand does nothing, unless the command came before.
func (d *dryRun) InsertPullCommand(ctx context.Context, c blueberry.PullCommand) error {
	list, err := d.PullCommands(ctx, blueberry.PullCommandQuery{PullID: c.PullID, CommentID: c.CommentID, Limit: blueberry.MaxPullCommands + 1})
	if err == nil && slices.ContainsFunc(list, func(x blueberry.PullCommand) bool { return x.Line == c.Line }) {
		return blueberry.Errorf(blueberry.Conflict, codeCommandSeen, "the command came before")
	}
	return err
}

// FindPull prefers what was noted here.
func (d *dryRun) FindPull(ctx context.Context, repositoryID string, number int) (blueberry.PullRequest, error) {
	if d.noted != nil {
		return *d.noted, nil
	}
	return d.Tx.FindPull(ctx, repositoryID, number)
}

// InsertBranch does nothing.
func (d *dryRun) InsertBranch(context.Context, blueberry.Branch) error { return nil }

// UpdateBranch does nothing.
func (d *dryRun) UpdateBranch(context.Context, blueberry.Branch) error { return nil }

// SetHostSweep does nothing.
func (d *dryRun) SetHostSweep(context.Context, string, blueberry.HostSweep) error { return nil }

// Enqueue does nothing.
func (d *dryRun) Enqueue(context.Context, blueberry.JobKind, string) error { return nil }

// AppendEvent does nothing.
func (d *dryRun) AppendEvent(context.Context, blueberry.Event) error { return nil }

// AppendAudit does nothing.
func (d *dryRun) AppendAudit(context.Context, blueberry.AuditEntry) error { return nil }
