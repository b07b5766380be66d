package app

import (
	"log/slog"
	"sync"
	"time"
)

// A clock that is set is believed when it stands by that for jumpTrust: a wrong hour that is put right within it ends no lease before its time. Steps below
// jumpStep are the ordinary work of time synchronisation.
const (
	jumpStep  = 2 * time.Second
	jumpTrust = 10 * time.Minute
)

// steadyClock is the time of the machine's clock, except that it goes on evenly for a while when that jumps.
type steadyClock struct {
	wall    func() time.Time     // the machine's clock
	elapsed func() time.Duration // since any fixed moment, unmoved by whoever sets the clock
	log     *slog.Logger

	mu       sync.Mutex
	started  bool
	offset   time.Duration // of our time from elapsed
	differs  bool          // the machine's clock says otherwise
	since    time.Duration // elapsed when it began to
	byAmount time.Duration // by how much it differed then
}

func newSteadyClock(log *slog.Logger) *steadyClock {
	start := time.Now()
	return &steadyClock{wall: time.Now, elapsed: func() time.Duration { return evenly(start) }, log: log}
}

// Now is the time to go by. It is asked often: what is between two calls is not looked at.
func (c *steadyClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	elapsed, wall := c.elapsed(), c.wall().Round(0)
	told := wall.Sub(time.Unix(0, 0)) - elapsed
	by := told - c.offset
	switch {
	case !c.started:
		c.started, c.offset = true, told
	case by.Abs() < jumpStep:
		if c.differs {
			c.log.Info("the clock is right again")
		}
		c.differs, c.offset = false, told
	case !c.differs || (by-c.byAmount).Abs() >= jumpStep:
		c.differs, c.since, c.byAmount = true, elapsed, by
		c.log.Warn("the clock jumped; leases go on by the time before until it has stood for a while", "by", by.Round(time.Second), "believed_after", jumpTrust)
	case elapsed-c.since >= jumpTrust:
		c.log.Warn("the clock is believed", "jumped_by", by.Round(time.Second))
		c.differs, c.offset = false, told
	}
	return time.Unix(0, 0).Add(elapsed + c.offset).UTC()
}
