package provision

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// erase removes the environment's files from Git, archives what is to be kept, and ends its life.
func (p *Provisioner) erase(ctx context.Context, place Place, e blueberry.Environment, r blueberry.Receipt) (blueberry.JobOutcome, error) {
	dir := gitops.Dir(e.Target, e.Project, e.Name)
	var beside map[string][]byte
	if d, ok := place.Driver.(target.Delivery); ok {
		beside = gone(besides(d, e))
	}
	sha, err := p.commitWithin(ctx, gitops.Change{
		Dir: dir, Subject: fmt.Sprintf("%s/%s: removed", e.Project, e.Name), Environment: e.ID, Revision: e.Revision, Actor: blueberry.System().Name,
		Beside: beside,
	})
	var files map[string][]byte
	if err == nil {
		files, err = p.Repository.Files(ctx, dir)
	}
	if errors.Is(err, blueberry.Unavailable) {
		return blueberry.JobOutcome{Again: retryRepository}, p.blocked(ctx, e.ID, blueberry.Committed, blueberry.ReasonRepositoryUnavailable, err)
	}
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("remove %s from Git: %w", dir, err)
	}
	if len(files) > 0 { // someone pushed them meanwhile
		return blueberry.JobOutcome{Again: time.Second}, nil
	}
	p.at(StepErased)
	if err := p.eraseLines(ctx, e, &r, sha, dir, beside); err != nil {
		return blueberry.JobOutcome{}, err
	}
	r.EndedAt = p.Now()
	archive, again, err := p.archive(ctx, e, &r)
	if err != nil || again != nil {
		return orNothing(again), err
	}
	p.at(StepArchived)
	return blueberry.JobOutcome{}, p.terminate(ctx, e.ID, sha, r, archive)
}

// eraseLines writes down which files are proven gone from Git, before the end is known: what follows may have to wait.
func (p *Provisioner) eraseLines(ctx context.Context, e blueberry.Environment, r *blueberry.Receipt, sha, dir string, beside map[string][]byte) error {
	if e.Commit == "" && sha == "" || slices.ContainsFunc(r.Lines, func(l blueberry.ReceiptLine) bool { return l.System == systemGit }) {
		return nil
	}
	var paths []string
	if rev, err := p.desired(ctx, e); err == nil {
		for _, f := range rev.Rendering.Files {
			paths = append(paths, path.Join(dir, f.Name))
		}
	} else {
		paths = append(paths, dir) // whose manifests are damaged
	}
	for name := range beside {
		paths = append(paths, name)
	}
	slices.Sort(paths)
	erased(r, paths, p.Now())
	return p.putReceipt(ctx, *r)
}

// terminate ends a life: everything is proven, and the archive is there.
func (p *Provisioner) terminate(ctx context.Context, id, sha string, r blueberry.Receipt, a blueberry.Archive) error {
	_, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (_ bool, err error) {
		if e.Phase != blueberry.Terminating {
			return false, nil
		}
		now := r.EndedAt
		if err := e.Move(blueberry.Terminated, e.Reason, ending(r), now); err != nil {
			return false, err
		}
		e.TerminatedAt, e.DeadlineAt, e.Cause = now, e.NextDeadline(), ""
		if sha != "" {
			e.Commit = sha
		}
		for _, t := range []blueberry.ConditionType{blueberry.Committed, blueberry.Synced, blueberry.Scheduled, blueberry.Started, blueberry.IsReady, blueberry.Reachable} {
			p.set(e, t, blueberry.False, "Removed", "")
		}
		if r.Cost, err = costOf(ctx, tx, *e, now); err != nil {
			return false, err
		}
		if err := writeReceipt(ctx, tx, r); err != nil {
			return false, err
		}
		if err := tx.PutArchive(ctx, a); err != nil {
			return false, err
		}
		if len(a.Files) > 0 {
			message := fmt.Sprintf("archived %d files of %s until %s", len(a.Files), e.Name, a.PurgeAt.UTC().Format("2006-01-02"))
			if err := p.tell(ctx, tx, *e, blueberry.EnvironmentArchived, blueberry.System(), message); err != nil {
				return false, err
			}
		}
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentTerminated, blueberry.System(), fmt.Sprintf("removed %s; %s", e.Name, ending(r)))
	})
	if err == nil {
		p.at(StepTerminated)
	}
	return err
}
