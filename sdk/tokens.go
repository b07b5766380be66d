package sdk

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// TokenSource gives the token that a call is made with. It is asked before every call, by many goroutines at once, so it keeps what it has. One that also has
// a method Reject(token string) is told of a token that the server no longer takes, and then asked once more.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// StaticToken is a token that stays as it is: an API token.
type StaticToken string

// Token gives the token.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// String keeps the secret out of logs.
func (t StaticToken) String() string { return "a token" }

// GoString keeps the secret out of logs.
func (t StaticToken) GoString() string { return "sdk.StaticToken(…)" }

// rejecter is a source that can get another token in place of one that is not taken.
type rejecter interface{ Reject(token string) }

// Limits of getting a token.
const (
	tokenMargin  = 30 * time.Second // a token is replaced so long before its end
	tokenTimeout = 30 * time.Second // of getting one, with all tries
)

// tokenCache keeps one access token and gets the next: once, however many ask.
type tokenCache struct {
	mu      sync.Mutex
	access  string
	renewAt time.Time // zero for never
	endsAt  time.Time // zero for never
	running *tokenTurn
}

// tokenTurn is one getting of a token; done is closed at its end.
type tokenTurn struct {
	done  chan struct{}
	token string
	err   error
}

// token gives what is kept while it is good, else what get gets. Whoever gives up waiting does not stop it for the others, and a turn that began runs to its
// end: a refresh that is cut midway may have used up the token that it was made with.
func (c *tokenCache) token(ctx context.Context, get func(ctx context.Context) (TokenPair, error)) (string, error) {
	c.mu.Lock()
	now := time.Now()
	if c.access != "" && (c.renewAt.IsZero() || now.Before(c.renewAt)) {
		defer c.mu.Unlock()
		return c.access, nil
	}
	if err := ctx.Err(); err != nil {
		c.mu.Unlock()
		return "", context.Cause(ctx)
	}
	turn := c.running
	if turn == nil {
		turn = &tokenTurn{done: make(chan struct{})}
		c.running = turn
		whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTimeout)
		go func() {
			defer cancel()
			c.run(whole, turn, get)
		}()
	}
	c.mu.Unlock()
	select {
	case <-turn.done:
		return turn.token, turn.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (c *tokenCache) run(ctx context.Context, turn *tokenTurn, get func(ctx context.Context) (TokenPair, error)) {
	pair, err := get(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = nil
	if err == nil {
		c.keep(pair, time.Now())
	} else if c.access != "" && time.Now().Before(c.endsAt) {
		err = nil // the one that is kept is still good: the next call tries again
	}
	turn.token, turn.err = c.access, err
	if err != nil {
		turn.token, turn.err = "", fmt.Errorf("get a token: %w", err)
	}
	close(turn.done)
}

// keep takes a pair. The caller holds mu.
func (c *tokenCache) keep(p TokenPair, now time.Time) {
	c.access, c.endsAt, c.renewAt = p.Access, p.ExpiresAt, time.Time{}
	if !p.ExpiresAt.IsZero() {
		c.renewAt = p.ExpiresAt.Add(-min(tokenMargin, p.ExpiresAt.Sub(now)/2))
	}
}

// reject drops a token that the server did not take, unless it has been replaced since.
func (c *tokenCache) reject(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.access == token {
		c.access = ""
	}
}

// expiresSoon reports whether a pair is due to be replaced.
func expiresSoon(p TokenPair) bool {
	return !p.ExpiresAt.IsZero() && !time.Now().Before(p.ExpiresAt.Add(-tokenMargin))
}
