package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// interest is what has a page shown anew: events of one environment, or of any.
type interest struct {
	Environment string // id
	Any         bool
}

func (i interest) in(e blueberry.Event) bool {
	return i.Any || i.Environment != "" && i.Environment == e.EnvironmentID
}

const (
	restTime  = 250 * time.Millisecond // between two looks at what a page shows
	lookEvery = 15 * time.Second       // also when nothing was heard: what no event tells, and to find out whether the reader is there
	pieceTime = 10 * time.Second       // that a reader may take for one change
)

// follow sends a page as it changes, until the reader or the server ends it. A page is made anew from what is known, and sent if it differs from what was sent
// last; so nothing can be missed, whatever happens between. The id of a change is a digest of the page, by which a reader who comes back says what it shows.
func (c *Console) follow(v *visit, build func(*visit) (page, error), p page) {
	wake, leave := c.wakers.join(p.Watch)
	defer leave()
	control := http.NewResponseController(v.w)
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	shown := v.r.Header.Get("Last-Event-ID")
	if shown == "" {
		shown = v.r.URL.Query().Get("shown") // as it was written the first time
	}
	for first := true; ; first = false {
		var body bytes.Buffer
		if err := p.Body.Render(v.ctx, &body); err != nil {
			return
		}
		text := ": \n\n"
		if sum := digestOf(body.Bytes()); sum != shown {
			shown = sum
			text = "id: " + sum + "\ndata: " + oneEvent.Replace(body.String()) + "\n\n"
		} else if first {
			text = "retry: 1000\n\n"
		}
		_ = control.SetWriteDeadline(time.Now().Add(pieceTime))
		if _, err := fmt.Fprint(v.w, text); err != nil || control.Flush() != nil {
			return
		}
		if !c.rest(v.ctx, wake) {
			return
		}
		who, err := c.Again(v.ctx, v.r)
		if err != nil {
			return // the page asks again, and is led to sign in
		}
		v = c.visit(v.w, v.r, who)
		if p, err = build(v); err != nil {
			return
		}
	}
}

// rest waits until it is worth looking again; false when there is nobody to look for.
func (c *Console) rest(ctx context.Context, wake <-chan struct{}) bool {
	pause := time.NewTimer(restTime)
	defer pause.Stop()
	look := time.NewTimer(lookEvery)
	defer look.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-c.Draining:
		return false
	case <-pause.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-c.Draining:
		return false
	case <-wake:
	case <-look.C:
	}
	return true
}

// oneEvent keeps a page within one event: what ends a line there begins the next line of the same event. A carriage return of a log or a message ends a line, too.
var oneEvent = strings.NewReplacer("\r\n", "\ndata: ", "\n", "\ndata: ", "\r", "&#13;")

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// wakers are the pages that are open.
type wakers struct {
	mu   sync.Mutex
	open map[chan struct{}]interest
}

func (w *wakers) join(i interest) (wake chan struct{}, leave func()) {
	wake = make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = map[chan struct{}]interest{}
	}
	w.open[wake] = i
	return wake, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.open, wake)
	}
}

// tell wakes the pages that events are of interest to.
func (w *wakers) tell(events []blueberry.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for wake, i := range w.open {
		for _, e := range events {
			if i.in(e) {
				select {
				case wake <- struct{}{}:
				default: // it will look anyway
				}
				break
			}
		}
	}
}

// Run tells open pages of what happens, until ctx ends.
func (c *Console) Run(ctx context.Context) error {
	for after := int64(-1); ctx.Err() == nil; {
		events, newest, err := c.Events(ctx, after)
		switch {
		case err == nil:
			after = newest
			c.wakers.tell(events)
		case ctx.Err() == nil:
			c.Logger.ErrorContext(ctx, "read events for pages", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
	return nil
}
