package gitops

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of one batch: what a killed or rejected batch has to do again.
const (
	maxBatchChanges = 256
	maxBatchBytes   = 32 << 20
)

// Change is what one revision does to the repository, in one commit: the directory then holds exactly Files; no Files removes it. Files beside it are
// written or removed one by one. Without Dir there are only those.
type Change struct {
	Dir         string            // "targets/local/default/pr-1"
	Files       map[string][]byte // by name below Dir
	Beside      map[string][]byte // by path in the repository, outside of Dir; nil content removes the file
	Subject     string            // first line of the commit message; empty gets one from Dir
	Environment string            // trailers: Blueberry-Environment, Blueberry-Revision, Blueberry-Actor
	Revision    int
	Actor       string
}

func (c Change) bytes() int {
	n := 0
	for _, content := range c.Files {
		n += len(content)
	}
	for _, content := range c.Beside {
		n += len(content)
	}
	return n
}

// paths are the directory and the files beside it, in order.
func (c Change) paths() []string {
	var out []string
	if c.Dir != "" {
		out = append(out, c.Dir)
	}
	return append(out, slices.Sorted(maps.Keys(c.Beside))...)
}

// Commit waits until the change is in the repository (and pushed, for a remote) and gives its commit, 40 hex digits. When the repository
// holds exactly that already, nothing is committed and the commit that last touched any of it is given ("" for a removal of what never was).
//
// A path that is not clean is blueberry.Invalid. An error of kind blueberry.Unavailable means that the remote cannot be reached or
// refuses the push, or that Run has ended. After any error the change may or may not be in the repository: Commit it again.
func (r *Repository) Commit(ctx context.Context, c Change) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	if strings.ContainsAny(c.Subject, "\x00\r\n") {
		c.Subject = strings.Join(strings.FieldsFunc(c.Subject, func(x rune) bool { return x == 0 || x == '\r' || x == '\n' }), " ")
	}
	w := &waiting{change: c, answer: make(chan answer, 1)}
	if err := r.queue.add(w); err != nil {
		return "", err
	}
	select {
	case <-ctx.Done():
		w.left.Store(true)
		return "", context.Cause(ctx)
	case a := <-w.answer:
		if a.err != nil || a.commit != "" {
			return a.commit, a.err
		}
		// All was as it should be. To find its commit takes a walk through history, which need not hold up the next batch.
		return r.lastTouch(ctx, a.head, c.paths())
	}
}

// waiting is a change and the one who waits for it.
type waiting struct {
	change Change
	answer chan answer // holds one, so nobody waits for a waiter
	left   atomic.Bool // nobody waits any more
}

// answer is a commit, or the head at which there was nothing to do, or an error.
type answer struct {
	commit string
	head   string
	err    error
}

// queue holds the changes that wait for the next batch.
type queue struct {
	mu     sync.Mutex
	items  []*waiting
	closed bool
	wake   chan struct{}
}

func (q *queue) add(w *waiting) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errStopped()
	}
	q.items = append(q.items, w)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// take gives the next batch in the order of arrival; empty when nothing waits. Within a batch, directories and files beside them are equal or apart, so
// that each can be planned by itself.
func (q *queue) take() []*waiting {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batch []*waiting
	bytes, n := 0, 0
	for _, w := range q.items {
		if !w.left.Load() {
			if len(batch) == maxBatchChanges || len(batch) > 0 && bytes+w.change.bytes() > maxBatchBytes || nested(batch, w) {
				break
			}
			batch = append(batch, w)
			bytes += w.change.bytes()
		}
		n++
	}
	clear(q.items[:n])
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
	return batch
}

func nested(batch []*waiting, w *waiting) bool {
	for _, b := range batch {
		for _, x := range b.change.paths() {
			for _, y := range w.change.paths() {
				isEqual := x == y && (x == b.change.Dir) == (y == w.change.Dir)
				if !isEqual && overlap(x, y) {
					return true
				}
			}
		}
	}
	return false
}

// close answers everything that waits, and all that comes later.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, w := range q.items {
		w.answer <- answer{err: errStopped()}
	}
	q.items = nil
}

func errStopped() error {
	return blueberry.Errorf(blueberry.Unavailable, "GITOPS_STOPPED", "the GitOps repository is being closed")
}
