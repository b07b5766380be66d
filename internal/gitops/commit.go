package gitops

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// A batch is replayed this often when others move the branch or hold its lock. A git waits a second for a lock, so this is longer than a lock is
// believed to be alive (staleLock).
const (
	maxAttempts = 30
	minPause    = 2 * time.Millisecond
	maxPause    = 200 * time.Millisecond
)

// errMoved says that the batch was made for a head that is no longer the head, and is to be made again.
var errMoved = errors.New("the branch moved")

// Run commits what waits, until ctx ends; then it answers all that still wait with an error, and gives nil. Only one Run writes to a directory at a
// time, on the whole machine: another one waits for the first to end.
func (r *Repository) Run(ctx context.Context) error {
	defer r.queue.close()
	unlock, err := r.lock(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("lock the GitOps repository: %w", err)
	}
	defer unlock()
	r.sweep()
	maintained := make(chan struct{})
	go func() {
		defer close(maintained)
		r.maintain(ctx)
	}()
	defer func() { <-maintained }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.queue.wake:
		}
		for batch := r.queue.take(); len(batch) > 0; batch = r.queue.take() {
			r.commit(ctx, batch)
		}
	}
}

// commit brings one batch into the repository and answers everyone in it.
func (r *Repository) commit(ctx context.Context, batch []*waiting) {
	start := time.Now()
	var (
		answers []answer
		commits int
		err     error
		n       int
	)
	for n = 1; ; n++ {
		// Who left may have asked for something else meanwhile; its change must not come after that.
		if batch = slices.DeleteFunc(batch, func(w *waiting) bool { return w.left.Load() }); len(batch) == 0 {
			return
		}
		answers, commits, err = r.attempt(ctx, batch)
		if !errors.Is(err, errMoved) || n == maxAttempts {
			break
		}
		r.log.Debug("GitOps batch is made again", "attempt", n, "reason", err)
		if !pause(ctx, n) {
			break
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		err = errStopped()
	case errors.Is(err, errMoved):
		err = blueberry.Errorf(blueberry.Unavailable, "GITOPS_BUSY", "others kept moving the branch %s of the GitOps repository, %d times in a row", r.config.Branch, n)
	}
	if err != nil {
		said := ""
		if g := (*gitError)(nil); errors.As(err, &g) {
			said = g.Error() // an outage tells people its own words
		}
		r.log.Warn("GitOps batch failed", "changes", len(batch), "attempts", n, "error", err, "git", said)
	}
	for i, w := range batch {
		if err != nil {
			w.answer <- answer{err: err}
		} else {
			w.answer <- answers[i]
		}
	}
	if r.config.OnBatch != nil {
		r.config.OnBatch(Batch{Changes: len(batch), Commits: commits, Attempts: n, Duration: time.Since(start), Err: err})
	}
	if err == nil && commits > 0 {
		r.askMaintenance()
	}
}

// attempt makes the batch on the head that is there now. Nothing it leaves behind when it fails is seen by anyone.
func (r *Repository) attempt(ctx context.Context, batch []*waiting) ([]answer, int, error) {
	if r.config.Remote == "" {
		return r.attemptLocal(ctx, batch)
	}
	return r.attemptRemote(ctx, batch)
}

func (r *Repository) attemptLocal(ctx context.Context, batch []*waiting) ([]answer, int, error) {
	head, err := r.head(ctx)
	if err != nil {
		return nil, 0, err
	}
	p, err := r.plan(ctx, head, batch)
	if err != nil {
		return nil, 0, err
	}
	if len(p.steps) == 0 {
		return p.answers(nil), 0, nil
	}
	// fast-import moves the branch itself, all commits at once, and only forward from what it finds there.
	commits, err := r.write(ctx, p, r.ref)
	if err == nil {
		return p.answers(commits), len(commits), nil
	}
	if ctx.Err() != nil {
		return nil, 0, err
	}
	if now, headErr := r.head(ctx); headErr == nil && now != head {
		return nil, 0, fmt.Errorf("%w from %.12s to %.12s", errMoved, head, now)
	}
	if r.branchLocked() {
		return nil, 0, fmt.Errorf("%w: its lock is held: %w", errMoved, err)
	}
	r.sweepFailed()
	return nil, 0, err
}

// pause waits longer each time, and not as long as others would; false when ctx ended.
func pause(ctx context.Context, attempt int) bool {
	d := min(minPause<<min(attempt, 10), maxPause)
	d = d/2 + rand.N(d)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
