package access

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pollEvery is how often the epoch is asked for while there is use.
	pollEvery = 300 * time.Millisecond
	// epochTrust is how long an epoch that was read is believed; with the reading itself that is below the second in which a revoked session must be
	// refused everywhere. Polls come three times as often, so a single slow one costs nothing.
	epochTrust = 900 * time.Millisecond
)

// epoch is what this process knows of the access epoch of the record.
type epoch struct {
	mu    sync.Mutex
	turn  atomic.Int64 // counts looks at the record that began
	floor int64        // what was read by a look that began before this one tells nothing
	seen  atomic.Pointer[sighting]
}

type sighting struct {
	epoch int64
	at    time.Time // when the look began
	turn  int64
}

// trusts reports whether an answer still holds: it is of the epoch that was seen last, that was seen lately, and no time in it has passed.
func (e *epoch) trusts(a *answer, now time.Time) bool {
	s := e.seen.Load()
	return s != nil && a.epoch == s.epoch && now.Sub(s.at) < epochTrust && (a.until.IsZero() || now.Before(a.until))
}

// begin starts a look at the record.
func (e *epoch) begin() int64 { return e.turn.Add(1) }

// saw notes what a look has found. One that began before a later finding, or before a change of our own, is left out.
func (e *epoch) saw(s sighting) (moved bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.seen.Load()
	if s.turn < e.floor || old != nil && s.turn < old.turn {
		return false
	}
	e.seen.Store(&s)
	return old != nil && old.epoch != s.epoch
}

// forget has nothing believed that was read before now.
func (e *epoch) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.floor = e.turn.Add(1)
	e.seen.Store(nil)
}

// turnKey tells looks apart that began before and after a change of our own, so that nobody who asks after it joins one from before.
func (e *epoch) turnKey() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strconv.FormatInt(e.floor, 36) + "|"
}

// poll reads the epoch.
func (g *Gate) poll(ctx context.Context) error {
	s := sighting{turn: g.epoch.begin(), at: g.Now()}
	err := g.Record.View(ctx, func(tx Tx) (err error) {
		s.epoch, err = tx.AccessEpoch(ctx)
		return err
	})
	if err != nil {
		return doing("read access epoch", err)
	}
	if g.epoch.saw(s) {
		g.answers.clear()
	}
	return nil
}

// Moved says that this process has committed a transaction that bumped the epoch: nothing that was known before is believed any more, and the other
// processes are told.
func (g *Gate) Moved() {
	g.epoch.forget()
	g.answers.clear()
	if g.Changed != nil {
		g.Changed()
	}
}

// Watch is a record after whose writes the gate forgets what it knew, whenever one has bumped the epoch.
func (g *Gate) Watch(r Record) Record { return watched{Record: r, moved: g.Moved} }

type watched struct {
	Record
	moved func()
}

// Update is that of the record that is watched.
func (w watched) Update(ctx context.Context, f func(tx Tx) error) error {
	bumped := false
	err := w.Record.Update(ctx, func(tx Tx) error {
		bumped = false
		return f(bumpNoted{Tx: tx, bumped: &bumped})
	})
	if bumped { // after an error too: of a commit whose answer was lost nobody knows
		w.moved()
	}
	return err
}

type bumpNoted struct {
	Tx
	bumped *bool
}

// BumpAccessEpoch is that of the transaction.
func (t bumpNoted) BumpAccessEpoch(ctx context.Context) error {
	*t.bumped = true
	return t.Tx.BumpAccessEpoch(ctx)
}
