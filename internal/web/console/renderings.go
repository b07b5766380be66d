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
	key, _ := json.Marshal([]any{v.who, v.r.URL.Path, ownQuery(v).Encode(), v.r.Header["Cookie"]}) // an actor is plain data
	return sha256.Sum256(key)
}

// listKey is the same for readers to whom the API must give the same lists: one page at one address, and the same rights. What lists hold is decided by grants
// alone; who reads them does not matter.
func (v *visit) listKey() [sha256.Size]byte {
	key, _ := json.Marshal([]any{v.who.Kind, v.who.Grants, v.who.Projects, v.r.URL.Path, ownQuery(v).Encode()})
	return sha256.Sum256(key)
}

// openPage is what a page that stays open asks for: content that was begun in a turn, or later, and after a time.
type openPage struct {
	lists *shared[any]
	turn  int64
	after time.Time
}

// sharedList reads what a page shows to all who have the same rights. Of pages that are open it is read once for all of them; a page that is only opened reads
// for itself.
func sharedList[T any](v *visit, read func() (T, error)) (T, error) {
	if v.follows == nil {
		return read()
	}
	found, err := v.follows.lists.get(v.ctx, v.follows.turn, v.follows.after, v.Console, func() (any, error) { return read() })
	out, _ := found.(T)
	return out, err
}

// shares are what open pages show now. Those with one key share it: it is made once for all of them.
type shares[T any] struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]*shared[T]
}

func (r *shares[T]) join(key [sha256.Size]byte) *shared[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = map[[sha256.Size]byte]*shared[T]{}
	}
	if r.open[key] == nil {
		r.open[key] = &shared[T]{}
	}
	r.open[key].readers++
	return r.open[key]
}

func (r *shares[T]) leave(key [sha256.Size]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[key].readers--; r.open[key].readers == 0 {
		delete(r.open, key)
	}
}

// shared is the newest of what some pages show.
type shared[T any] struct {
	readers int // guarded by the mutex of shares

	mu     sync.Mutex
	making chan struct{} // is closed when the one that is being made is done; nil for none
	known  bool
	turn   int64 // of the wakers, before it was begun
	began  time.Time
	last   T
}

// get gives one that was begun in a turn, or later, and after a time. It makes one, unless there is one or another reader is about to have it.
func (s *shared[T]) get(ctx context.Context, turn int64, after time.Time, c *Console, read func() (T, error)) (T, error) {
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
				var none T
				return none, ctx.Err()
			}
		}
		done := make(chan struct{})
		s.making = done
		s.mu.Unlock()
		return s.make(c, done, read)
	}
}

// make has one made, and lets those go on who wait for it.
func (s *shared[T]) make(c *Console, done chan struct{}, read func() (T, error)) (out T, err error) {
	turn, began := c.wakers.now(), c.Now()
	err = errors.New("it was not made")
	defer func() { // also after a panic
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.making = nil; err == nil {
			s.known, s.turn, s.began, s.last = true, turn, began, out
		}
		close(done)
	}()
	out, err = read()
	return out, err
}
