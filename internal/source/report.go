package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	// editEvery is the least time between two edits of one comment: what passes meanwhile is not worth a call. An end is told at once.
	editEvery = 5 * time.Second
	// reportClosed is for how long a host that fails is told of a pull request that is closed.
	reportClosed = 24 * time.Hour
)

// Report is the worker of pull.report: it has the host show how the environment of a pull request is. It compares what the host was told with what is so, and
// tells the difference: a comment, the status of the commit, a deployment. Where one cannot be told, the others are.
func (s *Repositories) Report(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	var r blueberry.Repository
	var p blueberry.PullRequest
	var told blueberry.PullReport
	_, err := view(ctx, s, func(tx Tx) (_ struct{}, err error) {
		if p, err = tx.Pull(ctx, job.Subject); err != nil {
			return struct{}{}, err
		}
		if told, err = tx.PullReport(ctx, p.ID); err != nil {
			return struct{}{}, err
		}
		r, err = tx.Repository(ctx, p.RepositoryID)
		return struct{}{}, err
	})
	switch {
	case errors.Is(err, blueberry.NotFound):
		return blueberry.JobOutcome{}, nil
	case err != nil || len(r.Credential) == 0 || p.Outcome == "":
		return blueberry.JobOutcome{}, err
	}
	now := s.Now()
	if now.Before(r.Health.PausedUntil) {
		return blueberry.JobOutcome{Again: r.Health.PausedUntil.Sub(now)}, nil
	}
	env, err := s.shown(ctx, p.EnvironmentID)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	var receipt *blueberry.Receipt
	if env != nil && env.Phase == blueberry.Terminated {
		x, err := s.Environments.Receipt(ctx, env.ID)
		if err != nil && !errors.Is(err, blueberry.NotFound) {
			return blueberry.JobOutcome{}, err
		}
		receipt = &x
	}
	ci, err := s.standing(ctx, r, p, r.Policy.Gates)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	var cost *blueberry.EnvironmentCost
	if env != nil {
		if cost, err = s.Environments.Cost(ctx, env.ID); err != nil && !errors.Is(err, blueberry.NotFound) {
			return blueberry.JobOutcome{}, err
		}
	}
	again, err := s.report(ctx, r, p, told, s.word(r, p, env, receipt, cost).with(ci))
	return blueberry.JobOutcome{Again: again}, err
}

// shown is the environment with an id, also one that goes or is gone; nil for none.
func (s *Repositories) shown(ctx context.Context, id string) (*blueberry.Environment, error) {
	if id == "" {
		return nil, nil
	}
	e, err := s.Environments.Environment(ctx, id)
	switch {
	case errors.Is(err, blueberry.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &e, nil
}

// report tells the host what it was not told, and gives when to look again.
func (s *Repositories) report(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, told blueberry.PullReport, w word) (time.Duration, error) {
	parts := w.missing(told)
	if len(parts) == 0 {
		return 0, nil
	}
	var later time.Duration
	c, speaker, failed := s.connect(ctx, r)
	if failed == nil {
		for _, tell := range parts {
			if wait := tell.notBefore.Sub(s.Now()); wait > 0 {
				later = wait
				continue
			}
			if tell.ready != nil && !tell.ready(told) {
				continue // what comes before it has failed
			}
			if tell.intend != nil {
				tell.intend(&told)
				if err := s.Record.Update(ctx, func(tx Tx) error { return tx.SetPullReport(ctx, p.ID, told) }); err != nil {
					return 0, ignoreGone(err)
				}
			}
			next, err := tell.do(ctx, c, speaker, told)
			if err == nil {
				told, next.ReportedAt = next, s.Now()
				err = s.Record.Update(ctx, func(tx Tx) error { return tx.SetPullReport(ctx, p.ID, next) }) // at once: what was told is not told again
			}
			if err != nil {
				failed = err
				var e *HostError
				if !errors.As(err, &e) || !e.Until.IsZero() || e.Status == 0 {
					break // the others would fail as well
				}
			}
		}
	}
	spoken := failed
	if alone(failed) {
		spoken = nil // the host is well: it does not let us do this
	}
	again, err := s.spoke(ctx, r, spoken)
	if err != nil {
		return 0, ignoreGone(err)
	}
	if failed == nil {
		if !told.FailedAt.IsZero() {
			told.FailedAt, told.Message = time.Time{}, ""
			err = s.Record.Update(ctx, func(tx Tx) error { return tx.SetPullReport(ctx, p.ID, told) })
		}
		return later, ignoreGone(err)
	}
	told.Message = short(failed.Error())
	if alone(failed) {
		if told.FailedAt.IsZero() {
			told.FailedAt = s.Now()
		}
		again = backOff(s.Now().Sub(told.FailedAt))
	}
	if err := s.Record.Update(ctx, func(tx Tx) error { return tx.SetPullReport(ctx, p.ID, told) }); err != nil {
		return 0, ignoreGone(err)
	}
	if p.State != blueberry.PullOpen && s.Now().Sub(p.UpdatedAt) > reportClosed {
		return 0, nil
	}
	return again, nil
}

// alone reports whether an error is of one part of one pull request: a conversation that is locked, a right that the credential lacks.
func alone(err error) bool {
	status := HostStatus(err)
	return status/100 == 4 && status != http.StatusUnauthorized && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests && !paused(err)
}

// ignoreGone is nothing when the pull request was removed meanwhile.
func ignoreGone(err error) error {
	if errors.Is(err, blueberry.NotFound) {
		return nil
	}
	return err
}

// word is what the host of a pull request should show of it. A commit that is empty bears no status.
type word struct {
	mark       string // that tells our comment from others
	comment    string
	urgent     bool // an end: it is told at once
	quiet      bool // it never had an environment: nothing is said where nothing was, so that a host is not filled with what did not happen
	number     int
	name       string // of the environment
	status     CommitStatus
	commit     string     // that bears the status
	deployment Deployment // its Commit is empty when none is to be on
}

// telling is one part that the host was not told.
type telling struct {
	notBefore time.Time
	ready     func(told blueberry.PullReport) bool // nil for always
	intend    func(told *blueberry.PullReport)     // what is noted before it is done, so that what was done and not noted is found; nil for nothing
	do        func(ctx context.Context, c *Connection, speaker Speaker, told blueberry.PullReport) (blueberry.PullReport, error)
}

// missing gives what the host was not told, in the order in which it is told.
func (w word) missing(told blueberry.PullReport) []telling {
	var out []telling
	if sum := digest(w.commit, string(w.status.State), w.status.Context, w.status.Description, w.status.URL); w.commit != "" && (told.Status != sum || told.Commit != w.commit) {
		note := func(told *blueberry.PullReport) { told.Status = begun }
		out = append(out, telling{intend: note, do: func(ctx context.Context, c *Connection, speaker Speaker, told blueberry.PullReport) (blueberry.PullReport, error) {
			told.Status, told.Commit, told.Message = sum, w.commit, ""
			return told, speaker.SetStatus(ctx, c, w.commit, w.status)
		}})
	}
	d := w.deployment
	if told.Deployed != "" && told.Deployed != d.Commit { // that of an earlier commit
		out = append(out, telling{do: func(ctx context.Context, c *Connection, speaker Speaker, told blueberry.PullReport) (blueberry.PullReport, error) {
			was := d
			was.Environment = w.name
			was.ID, was.Commit, was.State, was.Description = told.DeploymentID, told.Deployed, DeploymentInactive, "another commit takes its place"
			if d.Commit == "" {
				was.Description = "the environment is gone"
			}
			_, err := speaker.SetDeployment(ctx, c, was)
			told.DeploymentID, told.Deployed, told.Deployment, told.Message = "", "", "", ""
			return told, err
		}})
	}
	if sum := digest(d.Commit, d.Environment, string(d.State), d.URL, d.LogURL, d.Description); d.Commit != "" && told.Deployment != sum {
		free := func(told blueberry.PullReport) bool { return told.Deployed == "" || told.Deployed == d.Commit }
		note := func(told *blueberry.PullReport) { told.Deployed, told.Deployment = d.Commit, begun }
		out = append(out, telling{ready: free, intend: note, do: func(ctx context.Context, c *Connection, speaker Speaker, told blueberry.PullReport) (_ blueberry.PullReport, err error) {
			d := d
			d.ID = told.DeploymentID
			told.DeploymentID, err = speaker.SetDeployment(ctx, c, d)
			told.Deployed, told.Deployment, told.Message = d.Commit, sum, ""
			return told, err
		}})
	}
	if sum := digest(w.comment); told.Comment != sum && (!w.quiet || told.Comment != "") {
		var notBefore time.Time
		if told.CommentID != "" && !w.urgent {
			notBefore = told.CommentAt.Add(editEvery)
		}
		note := func(told *blueberry.PullReport) { told.Comment = begun }
		out = append(out, telling{notBefore: notBefore, intend: note, do: func(ctx context.Context, c *Connection, speaker Speaker, told blueberry.PullReport) (_ blueberry.PullReport, err error) {
			told.CommentID, err = speaker.WriteComment(ctx, c, w.number, told.CommentID, w.mark, w.comment)
			told.Comment, told.CommentAt, told.Message = sum, c.Now(), ""
			return told, err
		}})
	}
	return out
}

// begun stands for the digest of what may have been told: until the host has answered, neither what it was told before nor what it is told now is known to stand.
const begun = "begun"

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Follow has hosts told of what happened to environments of their pull requests and branches. It is called once for each event, in the transaction that notes so.
func (s *Repositories) Follow(ctx context.Context, tx Tx, events []blueberry.Event) error {
	var ids []string
	seen := map[string]bool{}
	for _, e := range events {
		if e.EnvironmentID != "" && strings.HasPrefix(string(e.Type), "environment.") && !seen[e.EnvironmentID] {
			seen[e.EnvironmentID] = true
			ids = append(ids, e.EnvironmentID)
		}
	}
	pulls, err := tx.PullsOfEnvironments(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range pulls {
		if err := tx.Enqueue(ctx, blueberry.JobPullReport, p.ID); err != nil {
			return err
		}
	}
	branches, err := tx.BranchesOfEnvironments(ctx, ids)
	if err != nil {
		return err
	}
	for _, b := range branches {
		if err := tx.Enqueue(ctx, blueberry.JobBranchReport, b.ID); err != nil {
			return err
		}
	}
	return nil
}
