package access

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Gate proves who is asking, at every request. It keeps answers in memory and drops all of them when the access epoch of the record has moved, which it
// asks for while there is use. So what was revoked is refused by every process within epochTrust, and by the one that revoked it at once.
//
// The actors that it gives are shared: nobody writes into their grants or projects.
type Gate struct {
	Record  Record
	OAuth   OAuthTokens // nil: no OAuth access token is valid
	Now     func() time.Time
	Logger  *slog.Logger
	Wake    <-chan struct{} // another process moved the epoch; nil for no bus
	Changed func()          // tells the other processes that this one moved it; nil for no bus

	answers answers
	epoch   epoch
	flight  singleflight.Group
	uses    uses
	used    atomic.Bool // since the last poll
}

// OAuthTokens knows the access tokens of OAuth clients.
type OAuthTokens interface {
	// Granted reads what a live access token gives: the token with its client, or an Unauthenticated error.
	Granted(ctx context.Context, secret string) (blueberry.OAuthToken, blueberry.OAuthClient, error)
}

// loadTimeout bounds a look into the record for those who wait for it together.
const loadTimeout = 10 * time.Second

// Authenticate gives the actor that holds the credential, or an Unauthenticated error that does not say what was wrong with it.
func (g *Gate) Authenticate(ctx context.Context, credential string) (blueberry.Actor, error) {
	if len(credential) > secretLength {
		return blueberry.Actor{}, unknown()
	}
	if !g.used.Load() {
		g.used.Store(true)
	}
	var text [secretLength]byte // here, so that nothing is allocated for what is known
	key, now := sha256.Sum256(text[:copy(text[:], credential)]), g.Now()
	if a := g.answers.get(key); a != nil && g.epoch.trusts(a, now) {
		g.uses.note(a, now)
		return a.actor, nil
	}
	kind := kindOf(credential)
	if kind == "" {
		return blueberry.Actor{}, unknown()
	}
	a, err := g.ask(ctx, kind, credential, key)
	if err != nil {
		return blueberry.Actor{}, err
	}
	g.uses.note(a, g.Now())
	return a.actor, nil
}

// kindOf is the prefix of a credential that has the form of one, else empty.
func kindOf(credential string) string {
	for _, prefix := range [...]string{SessionPrefix, TokenPrefix, AccessPrefix} {
		if wellFormed(prefix, credential) {
			return prefix
		}
	}
	return ""
}

// unknown is the one answer to a credential that is not valid, whatever the reason.
func unknown() error {
	return blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_INVALID", "a valid session or token is needed")
}

// ask goes to the record. Those who ask for the same at the same time go together.
func (g *Gate) ask(ctx context.Context, kind, credential string, key [sha256.Size]byte) (*answer, error) {
	wait := g.flight.DoChan(g.epoch.turnKey()+string(key[:]), func() (any, error) {
		// Of those who wait, the first may go away: that must not fail the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		if a := g.answers.get(key); a != nil {
			if g.epoch.trusts(a, g.Now()) {
				return a, nil // another flight has landed since this request looked
			}
			if err := g.poll(ctx); err != nil {
				return nil, err
			}
			if g.epoch.trusts(a, g.Now()) {
				return a, nil
			}
		}
		a, err := g.load(ctx, kind, credential)
		if err != nil {
			g.answers.drop(key)
			return nil, err
		}
		g.answers.put(key, a)
		return a, nil
	})
	select {
	case <-ctx.Done():
		return nil, doing("authenticate", ctx.Err())
	case r := <-wait:
		if r.Err != nil {
			return nil, r.Err
		}
		a := r.Val.(*answer) //nolint:forcetypeassert // the function above gives nothing else
		if r.Shared && !g.epoch.trusts(a, g.Now()) {
			return g.load(ctx, kind, credential) // it began long before this request did
		}
		return a, nil
	}
}

// answer is what one credential gives, as the record had it at an epoch.
type answer struct {
	actor blueberry.Actor
	epoch int64
	until time.Time // when it is not true any more by the clock alone; zero for never

	session, token, user string       // whose last use is noted; empty for none
	oauth, client        string       // hash of an OAuth token and id of its client, likewise
	last                 atomic.Int64 // last use that is not in the record yet, in microseconds
	queued               atomic.Bool
}

// shards is how many parts the cache has, so that cores do not wait for one lock; each holds maxAnswers / shards.
const (
	shards     = 16
	maxAnswers = 100_000
)

// answers is a bounded cache. Only what is valid gets in, so nobody can fill it with guesses.
type answers struct{ shard [shards]shard }

type shard struct {
	mu sync.RWMutex
	m  map[[sha256.Size]byte]*answer
}

func (c *answers) get(key [sha256.Size]byte) *answer {
	s := &c.shard[key[0]%shards]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m[key]
}

func (c *answers) put(key [sha256.Size]byte, a *answer) {
	s := &c.shard[key[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[[sha256.Size]byte]*answer{}
	}
	if _, there := s.m[key]; !there && len(s.m) >= maxAnswers/shards {
		for old := range s.m { // whichever comes: a full cache means more live credentials than memory is meant for
			delete(s.m, old)
			break
		}
	}
	s.m[key] = a
}

func (c *answers) drop(key [sha256.Size]byte) {
	s := &c.shard[key[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, key)
}

func (c *answers) clear() {
	for i := range c.shard {
		s := &c.shard[i]
		s.mu.Lock()
		s.m = nil
		s.mu.Unlock()
	}
}
