package httpapi

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	floodWindow = time.Minute // in which one address writes one entry of a sort
	floodKeys   = 10000       // addresses and sorts that are told apart; all further ones count as one
)

// flood keeps strangers from filling the audit: of what one address is refused in a minute the first is written, and the others are counted.
type flood struct {
	mu   sync.Mutex
	seen map[floodKey]*refusals
	due  atomic.Int64 // Unix ns at which the first window ends; 0 for none
}

type floodKey struct {
	address netip.Addr
	status  int
}

type refusals struct {
	since time.Time
	more  int
	last  blueberry.AuditEntry
}

func newFlood() *flood { return &flood{seen: map[floodKey]*refusals{}} }

// first reports whether an entry is the first of its window, and is to be written. Else it is counted.
func (f *flood) first(key floodKey, e blueberry.AuditEntry, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen[key] == nil && len(f.seen) >= floodKeys {
		key = floodKey{status: key.status}
	}
	if r := f.seen[key]; r != nil {
		r.more++
		r.last = e
		return false
	}
	f.seen[key] = &refusals{since: now}
	f.remind(now.Add(floodWindow))
	return true
}

func (f *flood) remind(at time.Time) {
	if due := f.due.Load(); due == 0 || at.UnixNano() < due {
		f.due.Store(at.UnixNano())
	}
}

// ended closes the windows that are over. It gives one entry for each in which something was counted; with it the next window begins.
func (f *flood) ended(now time.Time) []blueberry.AuditEntry {
	if due := f.due.Load(); due == 0 || now.UnixNano() < due {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due.Store(0)
	var out []blueberry.AuditEntry
	for key, r := range f.seen {
		switch {
		case now.Sub(r.since) < floodWindow:
		case r.more == 0:
			delete(f.seen, key)
			continue
		default:
			e := r.last
			e.At = now
			e.Detail = fmt.Sprintf("%s (the last of %d in a row)", e.Detail, r.more)
			out = append(out, e)
			*r = refusals{since: now}
		}
		f.remind(r.since.Add(floodWindow))
	}
	return out
}
