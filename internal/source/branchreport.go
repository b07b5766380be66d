package source

import (
	"context"
	"errors"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ReportBranch is the worker of branch.report: it has the commit that a branch's environment runs bear a status, where the host is spoken to.
func (s *Repositories) ReportBranch(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	b, r, err := s.branchAndRepository(ctx, job.Subject)
	switch {
	case errors.Is(err, blueberry.NotFound):
		return blueberry.JobOutcome{}, nil
	case err != nil || len(r.Credential) == 0 || b.Outcome == "" || b.HeadCommit == "":
		return blueberry.JobOutcome{}, err
	}
	if now := s.Now(); now.Before(r.Health.PausedUntil) {
		return blueberry.JobOutcome{Again: r.Health.PausedUntil.Sub(now)}, nil
	}
	env, err := s.shown(ctx, b.EnvironmentID)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	status, ok := branchStatus(b, env)
	told := digest(b.HeadCommit, string(status.State), status.Context, status.Description, status.URL)
	if !ok || told == b.Told {
		return blueberry.JobOutcome{}, nil
	}
	c, speaker, err := s.connect(ctx, r)
	if err == nil {
		err = speaker.SetStatus(ctx, c, b.HeadCommit, status)
	}
	spoken := err
	if alone(err) {
		spoken = nil // the host is well: it does not let us do this
	}
	later, failed := s.spoke(ctx, r, spoken)
	if failed != nil || spoken != nil {
		return blueberry.JobOutcome{Again: max(later, time.Second)}, ignoreGone(failed)
	}
	return blueberry.JobOutcome{}, again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			now, err := tx.Branch(ctx, b.ID)
			if err != nil {
				return ignoreGone(err)
			}
			now.Told = told
			return tx.UpdateBranch(ctx, now)
		})
	})
}

// branchStatus is what the commit of a branch should bear; false for nothing.
func branchStatus(b blueberry.Branch, env *blueberry.Environment) (CommitStatus, bool) {
	out := CommitStatus{Context: "blueberry/" + b.Project + "/" + b.Environment, URL: addressOf(env)}
	line := ""
	switch {
	case b.Outcome == blueberry.PullRefused:
		out.State, line = StatusFailure, "refused: "+b.Message
	case b.Outcome == blueberry.PullWaiting:
		out.State, line = StatusPending, "waiting "+b.Message
	case b.Outcome == blueberry.PullBlocked:
		out.State, line = StatusPending, "held up: "+b.Message
	case b.Outcome == blueberry.PullBuilt && env != nil && b.BuiltCommit == b.HeadCommit:
		out.State, line = inPhase(*env)
	default:
		return out, false
	}
	out.Description = cut(line, MaxStatusText)
	return out, b.Environment != ""
}
