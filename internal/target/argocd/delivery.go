package argocd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Admit implements target.Delivery.
func (d *Driver) Admit(ctx context.Context, want target.Desired) error {
	_, err := d.Obstacles(ctx, want)
	return err
}

// Files implements target.Delivery: the Application of the environment, from which the root Application makes it anew should it go.
func (d *Driver) Files(ref target.Ref, ignore []blueberry.DriftIgnore) map[string][]byte {
	return map[string][]byte{d.config.applicationFile(ref): file(d.config.application(ref, ignore, false))}
}

// Moved implements target.Delivery. The environment's own Application is told by Sync, which knows the commit; here it is the root's turn, some time later:
// many environments that move at once cost one look.
func (d *Driver) Moved(context.Context, target.Ref) error {
	d.root.want(lazily)
	return nil
}

// errLooking says that the root Application is still at an earlier request.
var errLooking = errors.New("it still looks")

// refreshRoot asks Argo CD to look for Applications in Git. One request at a time: Argo CD takes off a request that came while it was at another one, as if
// it had looked since.
func (d *Driver) refreshRoot(ctx context.Context) error {
	root, err := d.apps.get(ctx, d.config.rootName())
	switch {
	case err != nil || root == nil:
		return err
	case root.refresh:
		return errLooking
	}
	return d.merge(ctx, root.name, map[string]any{"metadata": map[string]any{"resourceVersion": fmt.Sprint(root.version), "annotations": d.asking(true)}})
}

// asking is the notes of one who asks Argo CD for something.
func (d *Driver) asking(refresh bool) map[string]any {
	notes := map[string]any{noteAsked: stamp(d.now())}
	if refresh {
		notes[noteRefresh] = "normal"
	}
	return notes
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// How soon the root Application is refreshed, and how often at most.
const (
	lazily   = 5 * time.Second        // for an Application that we have made already
	soon     = 200 * time.Millisecond // for a removal, which waits for it
	apart    = time.Second
	tryAgain = 2 * time.Second
)

// refresher asks for a refresh of the root Application, once for all who want one.
type refresher struct {
	ask    func(ctx context.Context) error
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	due   time.Time // zero when nobody wants it
	begun bool
	wake  chan struct{}
}

func newRefresher(ask func(ctx context.Context) error, log *slog.Logger) *refresher {
	r := &refresher{ask: ask, log: log, wake: make(chan struct{}, 1)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

func (r *refresher) close() {
	r.cancel()
	r.wg.Wait()
}

// want has the refresh asked for within a time.
func (r *refresher) want(within time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := time.Now().Add(within); r.due.IsZero() || at.Before(r.due) {
		r.due = at
	}
	if !r.begun && r.ctx.Err() == nil {
		r.begun = true
		r.wg.Go(r.run)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *refresher) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
		r.mu.Lock()
		due := r.due
		wait := time.Until(due)
		if !due.IsZero() && wait <= 0 {
			r.due = time.Time{}
		}
		r.mu.Unlock()
		switch {
		case due.IsZero():
			continue
		case wait > 0:
			timer.Reset(wait)
			continue
		}
		switch err := r.ask(r.ctx); {
		case errors.Is(err, errLooking):
			r.want(soon)
			continue
		case err != nil && !errors.Is(err, context.Canceled):
			r.log.Warn("cannot refresh the root Application", "error", err)
			r.want(tryAgain)
		}
		r.rest(timer)
	}
}

// rest keeps two looks apart.
func (r *refresher) rest(timer *time.Timer) {
	timer.Reset(apart)
	select {
	case <-r.ctx.Done():
	case <-timer.C:
	}
	timer.Reset(0)
}
