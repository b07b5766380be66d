package oauth

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Wrong user codes: a person waits after 5, an address after 20, because an office has one for all. The wait is a minute and doubles with each code that
// follows, to at most an hour; an hour without any forgets them. A right code does not: whoever guesses can have one of their own at any time.
const (
	personTries  = 5
	addressTries = 20
	firstWait    = time.Minute
	longestWait  = time.Hour
)

// tried is what counts the tries of someone.
type tried struct {
	key   string
	limit int
}

// triesOf names what is counted for a call: the person first, then where they are.
func triesOf(ctx context.Context, actor blueberry.Actor) []tried {
	out := []tried{{key: "device:user:" + actor.UserID, limit: personTries}}
	if at := network(blueberry.CallOf(ctx).Address); at != "" {
		out = append(out, tried{key: "device:address:" + at, limit: addressTries})
	}
	return out
}

// network is an IPv4 address, or the /64 that one IPv6 customer has.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return ""
	}
	return p.String()
}

// mayTry refuses while one of the keys has to wait.
func mayTry(ctx context.Context, tx Tx, keys []tried, now time.Time) error {
	for _, k := range keys {
		a, err := tx.Attempts(ctx, k.key)
		if err != nil {
			return fmt.Errorf("read attempts: %w", err)
		}
		if now.Before(a.LockedUntil) {
			e := blueberry.Errorf(blueberry.TooMany, "DEVICE_CODE_LOCKED", "too many codes were wrong")
			e.RetryAfter = a.LockedUntil.Sub(now)
			return e
		}
	}
	return nil
}

// countTry notes a wrong code.
func countTry(ctx context.Context, tx Tx, keys []tried, now time.Time) error {
	for _, k := range keys {
		a, err := tx.Attempts(ctx, k.key)
		if err != nil {
			return fmt.Errorf("read attempts: %w", err)
		}
		if !now.Before(later(a.Since, a.LockedUntil).Add(longestWait)) {
			a = blueberry.Attempts{}
		}
		a.Key, a.Since = k.key, now
		a.Failures++
		if over := a.Failures - k.limit; over >= 0 {
			a.LockedUntil = now.Add(min(firstWait<<min(over, 10), longestWait))
		}
		if err := tx.PutAttempts(ctx, a); err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
