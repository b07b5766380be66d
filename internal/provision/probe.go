package provision

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Prober asks an address of an environment.
type Prober interface {
	// Probe gives the status of the answer to a GET; the error is of one that gave none.
	Probe(ctx context.Context, url string) (status int, err error)
}

const (
	probeEvery  = time.Minute
	probeWithin = 5 * time.Second
)

// probes remembers what the addresses of environments last answered.
type probes struct {
	mu sync.Mutex
	of map[string]probed
}

type probed struct {
	at      time.Time
	results []probeResult
}

type probeResult struct {
	host    string
	status  int
	failure string
}

// probing reports whether the addresses of environments on a place are asked.
func (p *Provisioner) probing(place Place, e blueberry.Environment) bool {
	return p.Prober != nil && (place.Gateway != "" || p.ProbeAll) && len(e.Hosts) > 0
}

// wasReady reports whether an environment is ready but for its addresses, and since when.
func wasReady(e blueberry.Environment, now time.Time) (since time.Time, ok bool) {
	switch {
	case e.Phase == blueberry.Ready:
		return e.PhaseSince, true
	case e.Phase == blueberry.Degraded && e.Reason == string(blueberry.CauseURL):
		return now.Add(-blueberry.ProbeGrace), true
	}
	return time.Time{}, false
}

// probe asks the addresses of an environment that is ready, at most once a minute, and gives the causes that follow.
func (p *Provisioner) probe(ctx context.Context, place Place, e blueberry.Environment) []blueberry.Cause {
	now := p.Now()
	since, ready := wasReady(e, now)
	if !ready || !p.probing(place, e) {
		return nil
	}
	p.probes.mu.Lock()
	was := p.probes.of[e.ID]
	due := now.Sub(was.at) >= probeEvery || now.Before(was.at)
	if due {
		if p.probes.of == nil {
			p.probes.of = map[string]probed{}
		}
		p.probes.of[e.ID] = probed{now, was.results}
	}
	p.probes.mu.Unlock()
	if due {
		was = probed{now, p.ask(ctx, e.Hosts)}
		p.probes.mu.Lock()
		p.probes.of[e.ID] = was
		p.probes.mu.Unlock()
	}
	var out []blueberry.Cause
	for _, r := range was.results {
		if c, bad := blueberry.ProbeCause(r.host, r.status, r.failure, since, now); bad && slices.Contains(e.Hosts, r.host) {
			out = append(out, c)
		}
	}
	return out
}

func (p *Provisioner) ask(ctx context.Context, hosts []string) []probeResult {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	out := make([]probeResult, len(hosts))
	var wg sync.WaitGroup
	for i, host := range hosts {
		wg.Go(func() {
			out[i].host = host
			var err error
			if out[i].status, err = p.Prober.Probe(ctx, "http://"+host+"/"); err != nil {
				out[i].status, out[i].failure = 0, err.Error()
			}
		})
	}
	wg.Wait()
	return out
}

func (s *probes) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, id)
}

// verdictOfProbes is the verdict of an environment that is ready but for an address that no longer may be silent. Causes of another kind have their own
// grace, which is the judge's.
func verdictOfProbes(v blueberry.Verdict, e blueberry.Environment, found []blueberry.Cause) blueberry.Verdict {
	if v.Phase != blueberry.Ready || v.Reason != blueberry.ReasonReady || e.Phase != blueberry.Ready && e.Phase != blueberry.Degraded {
		return v
	}
	for _, c := range found {
		if c.Severity == blueberry.Fails {
			return blueberry.Verdict{Phase: blueberry.Degraded, Reason: string(blueberry.CauseURL), Message: c.Message}
		}
	}
	return v
}
