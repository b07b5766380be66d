package provision

import (
	"fmt"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// heldAs is what an environment was applied as: its desired revision, asleep or awake, and what of it is left to others.
type heldAs struct {
	revision int
	asleep   bool
	drift    string
}

func heldAsOf(e blueberry.Environment) heldAs {
	return heldAs{e.Revision, e.Sleep.Asleep, fmt.Sprintf("%s %q", e.HeldBy, e.Drift)}
}

// syncedSet remembers as what this process has applied which environment in full. A driver's memory of what it applied ends with the process,
// so after a start each environment is applied once more, which repairs what was altered meanwhile.
type syncedSet struct {
	mu      sync.Mutex
	of      map[string]heldAs
	repairs map[string][]time.Time // the last ones of an environment, oldest first
}

// A repair comes at once, unless the last repairBurst came within repairWindow: then another hand and we undo each other's work.
const (
	repairBurst  = 5
	repairWindow = time.Minute
)

func (s *syncedSet) has(id string, as heldAs) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[id] == as
}

func (s *syncedSet) add(id string, as heldAs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of, s.repairs = map[string]heldAs{}, map[string][]time.Time{}
	}
	s.of[id] = as
}

func (s *syncedSet) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, id)
	delete(s.repairs, id)
}

func (s *syncedSet) repaired(id string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		return
	}
	list := append(s.repairs[id], now)
	s.repairs[id] = list[max(0, len(list)-repairBurst):]
}

// rest is how long the next repair has to wait.
func (s *syncedSet) rest(id string, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.repairs[id]
	if len(list) < repairBurst {
		return 0
	}
	return list[0].Add(repairWindow).Sub(now)
}
