package provision

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

const (
	explainEvery  = time.Second     // an environment's place is asked why at most so often
	explainWithin = 5 * time.Second // and has so long to answer
	waveGrace     = 3 * time.Second // that a wave waits for an earlier one without a word
)

// causes remembers when each environment's place was last asked why, and what it said.
type causes struct {
	mu sync.Mutex
	of map[string]explained
}

type explained struct {
	at   time.Time
	list []blueberry.Cause
}

// may reports whether the place may be asked, and if not, what it said last and how long to wait. A clock that was set back makes nobody wait.
func (c *causes) may(id string, now time.Time) (last []blueberry.Cause, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was, ok := c.of[id]
	passed := now.Sub(was.at)
	if !ok || passed < 0 || passed >= explainEvery {
		if c.of == nil {
			c.of = map[string]explained{}
		}
		c.of[id] = explained{now, was.list}
		return nil, 0
	}
	return was.list, explainEvery - passed
}

func (c *causes) put(id string, list []blueberry.Cause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if was, ok := c.of[id]; ok {
		c.of[id] = explained{was.at, list}
	}
}

func (c *causes) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, id)
}

// explain asks the place of an environment that is not ready why. wait is above zero when it was asked a moment ago, and has to be asked again after it.
func (p *Provisioner) explain(ctx context.Context, place Place, e blueberry.Environment, want []blueberry.LedgerEntry) (list []blueberry.Cause, wait time.Duration) {
	x, ok := place.Driver.(target.Explainer)
	if !ok || e.Sleep.Asleep {
		return nil, 0
	}
	if list, wait = p.causes.may(e.ID, p.Now()); wait > 0 {
		return list, wait
	}
	ctx, cancel := context.WithTimeout(ctx, explainWithin)
	defer cancel()
	list, err := x.Explain(ctx, refOf(e), want)
	if err != nil { // that the place is away is told by the conditions
		p.Logger.Debug("ask target for causes", "target", e.Target, "environment", e.ID, "error", err)
		return nil, 0
	}
	p.causes.put(e.ID, list)
	return list, 0
}

// firstCause is what is told of an environment that is not ready: the first cause that may keep it from being so.
func firstCause(e blueberry.Environment, found []blueberry.Cause, now time.Time) *blueberry.Cause {
	if e.Sleep.Asleep && alive(e) {
		return nil
	}
	for _, c := range blueberry.MergeCauses(found, blueberry.CausesOf(e, now)) {
		switch {
		case onItsWay(c) && now.Sub(blueberry.GetCondition(e.Conditions, blueberry.Synced).Since) < waveGrace:
		case c.Severity != blueberry.Warns || c.Code == blueberry.CauseURL || c.Code == blueberry.CauseDNS:
			return &c
		}
	}
	return nil
}

// onItsWay reports whether a cause is what every start looks like for a moment.
func onItsWay(c blueberry.Cause) bool {
	switch c.Code {
	case blueberry.CauseWaveWaiting, blueberry.CauseObjectFailed, blueberry.CauseNoEndpoints, blueberry.CauseIngressAddress:
		return c.Severity == blueberry.Waits
	}
	return false
}

// judged looks for causes, judges, and says when to look again.
func (p *Provisioner) judged(ctx context.Context, place Place, e blueberry.Environment, want []blueberry.LedgerEntry, obs blueberry.Observation) (blueberry.JobOutcome, error) {
	var found []blueberry.Cause
	again := backstop
	if wait := waveGrace - p.Now().Sub(blueberry.GetCondition(e.Conditions, blueberry.Synced).Since); wait > 0 {
		again = wait
	}
	ready := settled(e) && obs.Healthy()
	if ready {
		found, again = p.probe(ctx, place, e), probeEvery
	} else {
		p.probes.drop(e.ID) // once it runs again, what its addresses answered before is of no account
		var wait time.Duration
		if found, wait = p.explain(ctx, place, e, want); wait > 0 {
			again = wait
		}
	}
	out, err := p.judge(ctx, e.ID, e.Revision, obs, found)
	if err != nil || ready && !p.probing(place, e) {
		return out, err
	}
	if out.Again == 0 || out.Again > again {
		out.Again = again
	}
	return out, nil
}

// tellCause notes what keeps an environment from where it should be, and tells when it is another than before, or gone. It reports whether it changed e.
func (p *Provisioner) tellCause(ctx context.Context, tx Tx, e *blueberry.Environment, c *blueberry.Cause) (bool, error) {
	code := blueberry.CauseCode("")
	if c != nil {
		code = c.Code
	}
	if code == e.Cause {
		return false, nil
	}
	was := e.Cause
	e.Cause = code
	if c == nil {
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentCauseGone, blueberry.System(), fmt.Sprintf("%s of %s is gone", was, e.Name))
	}
	return true, p.tell(ctx, tx, *e, blueberry.EnvironmentCauseFound, blueberry.System(), fmt.Sprintf("%s: %s. %s", c.Code, c.Message, c.Fix))
}
