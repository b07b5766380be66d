package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// SweepEvery is how often a host is asked for what no delivery told of. Without news, that is one conditional request.
const SweepEvery = 10 * time.Minute

const sweepBatch = 50 // pull requests in one transaction

// sweepSoon has the host of a repository asked that has a credential.
func sweepSoon(ctx context.Context, tx Tx, r blueberry.Repository) error {
	if len(r.Credential) == 0 {
		return nil
	}
	return tx.Enqueue(ctx, blueberry.JobRepositorySweep, r.ID)
}

// SweepAll has every repository swept that is to be, as a server does when it starts: whatever ended a job of it, it goes on.
func (s *Repositories) SweepAll(ctx context.Context) error {
	for after := ""; ; {
		n := 0
		err := s.Record.Update(ctx, func(tx Tx) error {
			list, err := tx.Repositories(ctx, blueberry.RepositoryQuery{After: after, Limit: blueberry.MaxPageSize})
			if err != nil {
				return err
			}
			for _, r := range list {
				if err := errors.Join(sweepSoon(ctx, tx, r), branchesSoon(ctx, tx, r)); err != nil {
					return err
				}
			}
			if n = len(list); n > 0 {
				after = list[n-1].ID
			}
			return nil
		})
		if err != nil || n < blueberry.MaxPageSize {
			return err
		}
	}
}

// Sweep is the worker of repository.sweep: it takes over what the host says of pull requests that changed since the sweep before, as if a delivery had said so.
func (s *Repositories) Sweep(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	r, err := view(ctx, s, func(tx Tx) (blueberry.Repository, error) { return tx.Repository(ctx, job.Subject) })
	switch {
	case isCode(err, "REPOSITORY_NOT_FOUND"):
		return blueberry.JobOutcome{}, nil
	case err != nil || len(r.Credential) == 0:
		return blueberry.JobOutcome{}, err
	}
	now := s.Now()
	if now.Before(r.Health.PausedUntil) {
		return blueberry.JobOutcome{Again: r.Health.PausedUntil.Sub(now)}, nil
	}
	more, spoken := s.sweep(ctx, r)
	again, err := s.spoke(ctx, r, spoken)
	if more && spoken == nil {
		return blueberry.JobOutcome{Again: atOnce}, err
	}
	return blueberry.JobOutcome{Again: max(again, SweepEvery)}, err
}

// sweep asks the host once, and reports whether there is more to ask at once.
func (s *Repositories) sweep(ctx context.Context, r blueberry.Repository) (more bool, err error) {
	c, speaker, err := s.connect(ctx, r)
	if err != nil {
		return false, err
	}
	got, err := speaker.Changed(ctx, c, r.Sweep.Mark, r.Sweep.ETag)
	if err != nil {
		return false, err
	}
	next := r.Sweep
	next.At, next.Unread = s.Now(), got.Unread
	if got.More {
		next.Unread = fmt.Sprintf("more than %d pull requests have changed; the older ones are taken over when they change again", MaxSwept)
	}
	if !got.Unchanged {
		next.ETag = got.ETag
	}
	all := 0
	for list := got.Pulls; len(list) > 0; {
		n := min(len(list), sweepBatch)
		found, err := s.takeSwept(ctx, r, list[:n])
		if err != nil {
			return false, err
		}
		all += found
		for _, p := range list[:n] {
			if p.HostAt.After(next.Mark) && !p.HostAt.After(s.Now().Add(maxAhead)) {
				next.Mark = p.HostAt
			}
		}
		list = list[n:]
	}
	if r.Sweep.Mark.IsZero() { // only those that are open were told of
		closed, err := s.firstUntold(ctx, r, got.Pulls)
		if err != nil {
			return false, err
		}
		if more = !closed.IsZero(); more {
			next.Mark, next.ETag = closed, ""
		}
	}
	return more, s.Record.Update(ctx, func(tx Tx) error {
		now, err := tx.Repository(ctx, r.ID)
		if err != nil {
			return ignoreGone(err)
		}
		write := next
		if now.Sweep.Mark != r.Sweep.Mark {
			write.Mark, write.ETag = now.Sweep.Mark, "" // a delivery that was late has put it back meanwhile
		}
		write.Found = now.Sweep.Found + all
		return tx.SetHostSweep(ctx, r.ID, write)
	})
}

// firstUntold is the earliest time of what is known of pull requests that are open as far as is known, and that the host does not have among those that are.
func (s *Repositories) firstUntold(ctx context.Context, r blueberry.Repository, open []blueberry.PullRequest) (earliest time.Time, err error) {
	listed := map[int]bool{}
	for _, p := range open {
		listed[p.Number] = true
	}
	for before := ""; ; {
		list, err := view(ctx, s, func(tx Tx) ([]blueberry.PullRequest, error) {
			return tx.Pulls(ctx, blueberry.PullQuery{RepositoryID: r.ID, State: blueberry.PullOpen, Before: before, Limit: blueberry.MaxPageSize})
		})
		if err != nil {
			return time.Time{}, err
		}
		for _, p := range list {
			before = p.ID
			if !listed[p.Number] && (earliest.IsZero() || p.HostAt.Before(earliest)) {
				earliest = p.HostAt
			}
		}
		if len(list) < blueberry.MaxPageSize {
			return earliest, nil
		}
	}
}

// lookBack puts the mark of sweeps back to what a delivery tells that came after the sweep which should have told of it: what came behind that may be lost.
func lookBack(ctx context.Context, tx Tx, r blueberry.Repository, p blueberry.PullRequest) error {
	if r.Sweep.At.IsZero() || !r.Sweep.Mark.IsZero() && !p.HostAt.Before(r.Sweep.Mark) {
		return nil
	}
	r.Sweep.Mark, r.Sweep.ETag = p.HostAt, ""
	return tx.SetHostSweep(ctx, r.ID, r.Sweep)
}

// takeSwept takes over what is news of some pull requests, and tells of how many that was.
func (s *Repositories) takeSwept(ctx context.Context, r blueberry.Repository, list []blueberry.PullRequest) (found int, err error) {
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			found = 0
			for _, said := range list {
				p, isNew, err := s.note(ctx, tx, r, Incoming{Pull: &said}, s.Now())
				if err != nil {
					return err
				}
				if !isNew {
					continue
				}
				found++
				if err := lookedAt(ctx, tx, r, p.ID); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return found, err
}
