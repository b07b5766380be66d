package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// commit puts the revision into Git and writes down, before anything is asked of the target, every object that will be.
func (p *Provisioner) commit(ctx context.Context, place Place, e blueberry.Environment) (done bool, out blueberry.JobOutcome, err error) {
	rev, err := p.desired(ctx, e)
	if err != nil {
		return false, blueberry.JobOutcome{}, err
	}
	var beside map[string][]byte
	if d, ok := place.Driver.(target.Delivery); ok {
		if again, err := p.admit(ctx, d, e, desiredOf(e, rev)); err != nil || again != nil {
			return false, orNothing(again), err
		}
		beside = besides(d, e)
	}
	files := make(map[string][]byte, len(rev.Rendering.Files))
	for _, f := range rev.Rendering.Files {
		files[f.Name] = f.Content
	}
	sha, err := p.commitWithin(ctx, gitops.Change{
		Dir: gitops.Dir(e.Target, e.Project, e.Name), Files: files,
		Subject:     fmt.Sprintf("%s/%s: revision %d%s", e.Project, e.Name, rev.Number, turnText(e.Sleep)),
		Environment: e.ID, Revision: rev.Number, Actor: rev.Author, Beside: beside,
	})
	if errors.Is(err, blueberry.Unavailable) {
		return false, blueberry.JobOutcome{Again: retryRepository}, p.blocked(ctx, e.ID, blueberry.Committed, blueberry.ReasonRepositoryUnavailable, err)
	}
	if err != nil {
		return false, blueberry.JobOutcome{}, fmt.Errorf("commit revision: %w", err)
	}
	p.at(StepPushed)
	read := e
	_, err = p.change(ctx, e.ID, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.Commit == sha && sha != "" {
			return false, nil // Git held it already, and the record knows
		}
		if !read.Sleep.Asleep || rev.Commit == "" { // else the commit before is the one that holds what was rendered
			if err := tx.SetRevisionCommit(ctx, e.ID, rev.Number, sha); err != nil {
				return false, err
			}
		}
		if err := tx.PutLedger(ctx, e.ID, entries(rev)); err != nil {
			return false, err
		}
		if e.HeldBy == "" {
			e.HeldBy = place.Target.Driver // before it is asked for anything
		}
		if e.Revision == rev.Number && !turnedSince(read, *e) {
			e.Commit = sha
			p.unblock(ctx, tx, e, blueberry.Committed)
			p.set(e, blueberry.Committed, blueberry.True, blueberry.ReasonDone, "commit "+sha[:min(12, len(sha))])
		}
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentCommitted, blueberry.System(), fmt.Sprintf("committed revision %d of %s%s as %s", rev.Number, e.Name, turnText(read.Sleep), sha[:min(12, len(sha))]))
	})
	if err != nil {
		return false, blueberry.JobOutcome{}, err
	}
	p.at(StepCommitted)
	return true, blueberry.JobOutcome{}, nil
}

// commitWithin does not let a remote that says nothing hold a worker: after commitPatience the change waits like one whose remote is down.
func (p *Provisioner) commitWithin(ctx context.Context, c gitops.Change) (string, error) {
	patient, cancel := context.WithTimeout(ctx, commitPatience)
	defer cancel()
	sha, err := p.Repository.Commit(patient, c)
	if err != nil && patient.Err() != nil && ctx.Err() == nil {
		return "", blueberry.Errorf(blueberry.Unavailable, "GITOPS_SLOW", "the GitOps repository did not take the change within %s", commitPatience)
	}
	return sha, err
}

func entries(rev blueberry.Revision) []blueberry.LedgerEntry {
	var out []blueberry.LedgerEntry
	for _, f := range rev.Rendering.Files {
		for _, o := range f.Objects {
			out = append(out, blueberry.LedgerEntry{ObjectRef: o, Component: f.Component, Wave: f.Wave, Revision: rev.Number})
		}
	}
	return out
}
