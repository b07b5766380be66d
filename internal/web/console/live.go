package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
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
	sharedAge = 5 * time.Second        // that a rendering may have for who looks without having heard anything
)

// follow sends a page as it changes, until the reader or the server ends it. A page is made anew from what is known, and sent if it differs from what was sent
// last; so nothing can be missed, whatever happens between. The id of a change is a digest of the page, by which a reader who comes back says what it shows.
// It is false, and nothing is sent, for a page that does not change.
func (c *Console) follow(v *visit, build func(*visit) (page, error)) (bool, error) {
	me := c.wakers.join(v.who)
	defer c.wakers.leave(me)
	key := v.renderingKey()
	same := c.renderings.join(key)
	defer func() { c.renderings.leave(key) }()
	listKey := v.listKey()
	lists := c.lists.join(listKey)
	defer func() { c.lists.leave(listKey) }()
	control := http.NewResponseController(v.w)
	shown := v.r.Header.Get("Last-Event-ID")
	if shown == "" {
		shown = v.r.URL.Query().Get("shown") // as it was written the first time
	}
	after := c.Now().Add(-sharedAge)
	for first := true; ; first = false {
		turn := me.need()
		v.follows = &openPage{lists, turn, after}
		now, err := same.get(v.ctx, turn, after, c, func() (rendering, error) { return v.render(build) })
		if first && (err != nil || now.watch == (interest{})) {
			v.follows = nil
			return false, err
		}
		if err != nil {
			return true, nil // the page asks again, and is told then
		}
		if first {
			c.wakers.narrow(me, now.watch)
			h := v.w.Header()
			h.Set("Content-Type", "text/event-stream")
			h.Set("X-Accel-Buffering", "no")
		}
		text := ": \n\n"
		if now.digest != shown {
			shown, text = now.digest, now.event
		} else if first {
			text = "retry: 1000\n\n"
		}
		if _, err := io.WriteString(v.w, text); err != nil || control.Flush() != nil {
			return true, nil
		}
		told, stay := c.rest(v.ctx, me.wake)
		if !stay {
			return true, nil
		}
		if after = (time.Time{}); !told { // no event tells what is looked for
			after = c.Now().Add(-sharedAge)
		}
		who, err := c.Again(v.ctx, v.r)
		if err != nil {
			return true, nil // the page asks again, and is led to sign in
		}
		v = c.visit(v.w, v.r, who)
		if fresh := v.renderingKey(); fresh != key { // they may see other things now
			c.renderings.leave(key)
			key, same = fresh, c.renderings.join(fresh)
		}
		if fresh := v.listKey(); fresh != listKey {
			c.lists.leave(listKey)
			listKey, lists = fresh, c.lists.join(fresh)
		}
	}
}

// rest waits until it is worth looking again: because of an event that was told, or of the time. It does not stay when there is nobody to look for.
func (c *Console) rest(ctx context.Context, wake <-chan struct{}) (told, stay bool) {
	pause := time.NewTimer(restTime)
	defer pause.Stop()
	look := time.NewTimer(lookEvery)
	defer look.Stop()
	select {
	case <-ctx.Done():
		return false, false
	case <-c.Draining:
		return false, false
	case <-pause.C:
	}
	select {
	case <-ctx.Done():
		return false, false
	case <-c.Draining:
		return false, false
	case <-wake:
		return true, true
	case <-look.C:
		return false, true
	}
}

// oneEvent keeps a page within one event: what ends a line there begins the next line of the same event. A carriage return of a log or a message ends a line, too.
var oneEvent = strings.NewReplacer("\r\n", "\ndata: ", "\n", "\ndata: ", "\r", "&#13;")

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// waker is a page that is open.
type waker struct {
	wake  chan struct{}
	who   blueberry.Actor
	what  interest
	told  int64 // turn of the newest event that it was woken for
	among *wakers
}

// need is the turn from which on a rendering has what the page was woken for.
func (m *waker) need() int64 {
	m.among.mu.Lock()
	defer m.among.mu.Unlock()
	return m.told
}

// wakers are the pages that are open. Turns count the times that they were told of events.
type wakers struct {
	mu   sync.Mutex
	turn int64
	open map[*waker]struct{}
}

// join adds a page, which is woken by anything until its interest is known.
func (w *wakers) join(who blueberry.Actor) *waker {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = map[*waker]struct{}{}
	}
	m := &waker{wake: make(chan struct{}, 1), who: who, what: interest{Any: true}, told: w.turn, among: w}
	w.open[m] = struct{}{}
	return m
}

func (w *wakers) narrow(m *waker, i interest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m.what = i
}

func (w *wakers) leave(m *waker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, m)
}

// now is the turn that it is.
func (w *wakers) now() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.turn
}

// tell wakes the pages that events are of interest to. An event of a project in which a reader may do nothing is of none.
func (w *wakers) tell(events []blueberry.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	for m := range w.open {
		for _, e := range events {
			if !m.what.in(e) || !concerns(m.who, e) {
				continue
			}
			m.told = w.turn
			select {
			case m.wake <- struct{}{}:
			default: // it will look anyway
			}
			break
		}
	}
}

// concerns reports whether somebody may see anything of what an event is about.
func concerns(who blueberry.Actor, e blueberry.Event) bool {
	return e.Project == "" || len(who.Grants) > 0 || len(who.Projects[e.Project]) > 0
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
