package gitops

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of what is remembered of the history.
const (
	maxHistory  = 20_000
	unknownLong = 10 * time.Second // before a commit that the remote did not have is asked for again
)

// history remembers which commits hold which: that never changes.
type history struct {
	mu      sync.Mutex
	holds   map[[2]string]bool
	unknown map[string]time.Time // when a commit was not found
}

// Contains reports whether a revision is the commit, or has it in its history: what a client of the repository that is at the revision has seen. What is not
// known here is asked of the remote once; a revision that nobody knows contains nothing. Other names than commits (40 hex digits) are blueberry.Invalid.
func (r *Repository) Contains(ctx context.Context, revision, commit string) (bool, error) {
	var f blueberry.Faults
	for _, x := range []struct{ field, value string }{{"revision", revision}, {"commit", commit}} {
		if !commitName.MatchString(x.value) {
			f.Add(x.field, "pattern", "%q is no commit: 40 hex digits", x.value)
		}
	}
	if err := f.Err(); err != nil {
		return false, err
	}
	if revision == commit {
		return true, nil
	}
	pair := [2]string{revision, commit}
	if yes, known := r.history.get(pair); known {
		return yes, nil
	}
	yes, known, err := r.isAncestor(ctx, commit, revision)
	if err == nil && !known && r.config.Remote != "" && r.history.askable(pair) {
		if _, err := r.Head(ctx); err != nil {
			return false, err
		}
		if yes, known, err = r.isAncestor(ctx, commit, revision); err == nil && !known {
			r.history.miss(pair)
		}
	}
	if err != nil || !known {
		return false, err
	}
	r.history.put(pair, yes)
	return yes, nil
}

// isAncestor asks git; known is false when it does not have one of the commits.
func (r *Repository) isAncestor(ctx context.Context, commit, revision string) (yes, known bool, err error) {
	_, err = r.git.run(ctx, localTimeout, nil, "merge-base", "--is-ancestor", commit, revision)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, true, nil
	case ctx.Err() != nil:
		return false, false, context.Cause(ctx)
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return false, true, nil
	case says(err, "not a valid commit", "bad object", "not a valid object", "no such commit"):
		return false, false, nil
	}
	return false, false, fmt.Errorf("look for %.12s in the history of %.12s: %w", commit, revision, err)
}

func (h *history) get(pair [2]string) (yes, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	yes, known = h.holds[pair]
	return yes, known
}

func (h *history) put(pair [2]string, yes bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holds == nil || len(h.holds) >= maxHistory {
		h.holds = map[[2]string]bool{}
	}
	h.holds[pair] = yes
}

// askable reports whether the remote was not asked for the pair of late.
func (h *history) askable(pair [2]string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.unknown[pair[0]+pair[1]]) > unknownLong
}

func (h *history) miss(pair [2]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unknown == nil || len(h.unknown) >= maxHistory {
		h.unknown = map[string]time.Time{}
	}
	h.unknown[pair[0]+pair[1]] = time.Now()
}
