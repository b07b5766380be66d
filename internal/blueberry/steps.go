package blueberry

import "time"

// Budget is how long a step may take, from the end of the step before it; then the waterfall shows it as over. It fails nothing by itself.
func (t ConditionType) Budget() time.Duration {
	switch t {
	case Rendered:
		return 5 * time.Second
	case Committed:
		return 30 * time.Second
	case Synced:
		return 2 * time.Minute
	case Scheduled:
		return time.Minute
	case Started, IsReady:
		return 5 * time.Minute
	case Reachable:
		return 10 * time.Minute
	}
	return 0
}

// Steps is the waterfall of an environment, in its order: each condition with when it began and how long it took, or lasts by now. A step begins when all
// before it are done; one that was done and is not any more began when that was seen.
func Steps(e Environment, now time.Time) []Step {
	begins := GetCondition(e.Conditions, Rendered).Since // of the newest revision
	if begins.IsZero() {
		begins = e.CreatedAt
	}
	open := false // a step before is not done
	out := make([]Step, 0, len(e.Conditions))
	for _, c := range e.Conditions {
		s := Step{Condition: c, Budget: c.Type.Budget()}
		if !open {
			s.Began = begins
			end := now
			switch {
			case c.Status == True:
				end = later(c.Since, begins)
			case c.Status == False:
				s.Began = later(c.Since, begins)
			}
			s.Took = max(0, end.Sub(s.Began))
			s.Over = s.Budget > 0 && s.Took > s.Budget
			open, begins = c.Status != True, end
		}
		out = append(out, s)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
