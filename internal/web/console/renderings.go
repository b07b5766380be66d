package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// rendering is the content of a page at one moment, as it is sent.
type rendering struct {
	watch  interest
	digest string
	event  string
}

// render makes the page as it is now.
func (v *visit) render(build func(*visit) (page, error)) (rendering, error) {
	p, err := build(v)
	if err != nil {
		return rendering{}, err
	}
	var body bytes.Buffer
	if err := p.Body.Render(v.ctx, &body); err != nil {
		return rendering{}, err
	}
	sum := digestOf(body.Bytes())
	return rendering{watch: p.Watch, digest: sum, event: "id: " + sum + "\ndata: " + oneEvent.Replace(body.String()) + "\n\n"}, nil
}

// renderingKey is the same for pages that must be the same: one address, one reader with the same rights, one browser.
func (v *visit) renderingKey() [sha256.Size]byte {
	q := v.r.URL.Query()
	q.Del("shown")
	q.Del("done")
	key, _ := json.Marshal([]any{v.who, v.r.URL.Path, q.Encode(), v.r.Header["Cookie"]}) // an actor is plain data
	return sha256.Sum256(key)
}

// renderings are those of the pages that are open. Readers whose pages must be the same share one: it is made once for all of them.
type renderings struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]*sharedRendering
}

func (r *renderings) join(key [sha256.Size]byte) *sharedRendering {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = map[[sha256.Size]byte]*sharedRendering{}
	}
	if r.open[key] == nil {
		r.open[key] = &sharedRendering{}
	}
	r.open[key].readers++
	return r.open[key]
}

func (r *renderings) leave(key [sha256.Size]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[key].readers--; r.open[key].readers == 0 {
		delete(r.open, key)
	}
}

// sharedRendering is the newest rendering of one page.
type sharedRendering struct {
	readers int // guarded by the mutex of renderings

	mu     sync.Mutex
	making chan struct{} // is closed when the one that is being made is done; nil for none
	known  bool
	turn   int64 // of the wakers, before it was begun
	began  time.Time
	last   rendering
}

// get gives a rendering that was begun in a turn, or later, and after a time. It makes one, unless there is one or another reader is about to have it.
func (s *sharedRendering) get(ctx context.Context, turn int64, after time.Time, c *Console, render func() (rendering, error)) (rendering, error) {
	for {
		s.mu.Lock()
		if s.known && s.turn >= turn && !s.began.Before(after) {
			defer s.mu.Unlock()
			return s.last, nil
		}
		if other := s.making; other != nil {
			s.mu.Unlock()
			select {
			case <-other: // it may have begun too early, or failed
				continue
			case <-ctx.Done():
				return rendering{}, ctx.Err()
			}
		}
		done := make(chan struct{})
		s.making = done
		s.mu.Unlock()
		return s.make(c, done, render)
	}
}

// make has one made, and lets those go on who wait for it.
func (s *sharedRendering) make(c *Console, done chan struct{}, render func() (rendering, error)) (rendering, error) {
	turn, began := c.wakers.now(), c.Now()
	out, err := rendering{}, errors.New("the page was not made")
	defer func() { // also after a panic
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.making = nil; err == nil {
			s.known, s.turn, s.began, s.last = true, turn, began, out
		}
		close(done)
	}()
	out, err = render()
	return out, err
}
