package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"
	"net/netip"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// How many failures are borne. A browser that signed in before counts for itself, so nobody else's failures ever lock it out; a stranger counts for their
// network at the account, their network at all accounts, and with all other strangers at the account.
const (
	ownFailures     = 5 // of one browser or network at one account, then a pause that doubles with every five more
	ownPause        = 15 * time.Minute
	maxPause        = 24 * time.Hour // after as long without a failure, all is forgotten
	networkFailures = 20             // of one network at all accounts in an hour: a list of leaked passwords is being tried
	accountFailures = 100            // of all strangers at one account in an hour: from then on only known devices, passkeys and providers work
	failureWindow   = time.Hour
	failurePause    = time.Hour
)

// count is one key that failures are counted for.
type count struct {
	key     string
	limit   int
	doubles bool // the pause doubles; else the count starts anew with every window
	locked  bool // the attempt that is under way is the one that reached the limit
}

// guard counts one attempt. The attempt is counted as a failure before it is looked at and given back afterwards: of a hundred that come at once, no more
// are looked at than of a hundred in a row.
type guard struct {
	counts []count // the first is the attempt's own
}

func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	size := 24
	if ip.Is6() {
		size = 48
	}
	network, _ := ip.Prefix(size) // both sizes fit
	return network.String()
}

// guardOf picks the keys of an attempt. They are made from the address that was typed, so an account that does not exist behaves as one that does.
func (s *SignIn) guardOf(email, userID string, from From) *guard {
	if nonce, ok := s.device(from.Device, userID); ok {
		return &guard{counts: []count{{key: "device:" + digest(nonce), limit: ownFailures, doubles: true}}}
	}
	account, network := "user:"+digest(email), networkOf(from.Address)
	return &guard{counts: []count{
		{key: account + "|" + network, limit: ownFailures, doubles: true},
		{key: "address:" + network, limit: networkFailures},
		{key: account, limit: accountFailures},
	}}
}

// guardOfSelf is for the proofs that someone who is signed in gives again.
func guardOfSelf(userID string) *guard {
	return &guard{counts: []count{{key: "self:" + userID, limit: ownFailures, doubles: true}}}
}

func digest(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:16])
}

// current is what of a count still matters.
func (c count) current(a blueberry.Attempts, now time.Time) blueberry.Attempts {
	window := failureWindow
	if c.doubles {
		window = maxPause
	}
	if now.Before(a.LockedUntil) || a.Failures > 0 && now.Before(later(a.Since, a.LockedUntil).Add(window)) && (c.doubles || a.LockedUntil.IsZero()) {
		return a
	}
	return blueberry.Attempts{Key: c.key, Since: now}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// pause is how long nobody gets on after so many failures; 0 for not at all.
func (c count) pause(failures int) time.Duration {
	switch {
	case failures%c.limit != 0:
		return 0
	case !c.doubles:
		return failurePause
	}
	doublings := min(failures/c.limit-1, bits.Len64(uint64(maxPause/ownPause)))
	return min(ownPause<<doublings, maxPause)
}

// reserve counts the attempt, or is TooMany while one of its keys is locked. What is refused so leaves no trace in the audit: the lock is there already.
func (s *SignIn) reserve(ctx context.Context, g *guard) error {
	return s.Record.Update(ctx, func(tx Tx) error {
		now := s.Now()
		counted := make([]blueberry.Attempts, len(g.counts))
		var until time.Time
		for i, c := range g.counts {
			a, err := tx.Attempts(ctx, c.key)
			if err != nil {
				return fmt.Errorf("read attempts: %w", err)
			}
			counted[i] = c.current(a, now)
			until = later(until, counted[i].LockedUntil)
		}
		if now.Before(until) {
			return locked(ctx, until.Sub(now))
		}
		for i := range g.counts {
			c, a := &g.counts[i], counted[i]
			a.Key = c.key
			a.Failures++
			if c.doubles {
				a.Since = now // the last one, as all is forgotten after a time without any
			}
			pause := c.pause(a.Failures)
			if c.locked = pause > 0; c.locked {
				a.LockedUntil = now.Add(pause)
			}
			if err := tx.PutAttempts(ctx, a); err != nil {
				return fmt.Errorf("count attempt: %w", err)
			}
		}
		return nil
	})
}

func locked(ctx context.Context, wait time.Duration) error {
	blueberry.CallOf(ctx).Note() // a flood of guesses must not become a flood of entries
	e := blueberry.Errorf(blueberry.TooMany, "SIGN_IN_LOCKED",
		"too many attempts failed: wait, or sign in on a device that was used before, with a passkey or through a provider")
	e.RetryAfter = max(wait, time.Second)
	return e
}

// release takes the attempt back. A success forgets all earlier failures of its own key, and of no other.
func (s *SignIn) release(ctx context.Context, tx Tx, g *guard, success bool) error {
	for i, c := range g.counts {
		a, err := tx.Attempts(ctx, c.key)
		if err != nil {
			return fmt.Errorf("read attempts: %w", err)
		}
		a.Key = c.key
		a.Failures = max(a.Failures-1, 0)
		if c.locked {
			a.LockedUntil = time.Time{}
		}
		if i == 0 && success {
			a.Failures, a.LockedUntil = 0, time.Time{}
		}
		if err := tx.PutAttempts(ctx, a); err != nil {
			return fmt.Errorf("give attempt back: %w", err)
		}
	}
	return nil
}

// fail leaves the attempt counted and notes it. Whoever reached a limit with it is one more entry.
func (s *SignIn) fail(ctx context.Context, g *guard, action, resource, detail string) error {
	err := s.Record.Update(ctx, func(tx Tx) error {
		a := blueberry.AuditEntry{Actor: nobody(), Action: action, Resource: resource, Detail: detail, Result: blueberry.AuditDenied}
		if err := s.audit(ctx, tx, a); err != nil {
			return err
		}
		for _, c := range g.counts {
			if !c.locked {
				continue
			}
			kept, err := tx.Attempts(ctx, c.key)
			if err != nil {
				return fmt.Errorf("read attempts: %w", err)
			}
			a.Action, a.Detail = "session:locked", fmt.Sprintf("%d failures: nobody gets on until %s by %s", kept.Failures, kept.LockedUntil.UTC().Format(time.RFC3339), c.key)
			if err := s.audit(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note failure: %w", err)
	}
	return nil
}
