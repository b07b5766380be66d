package blueberry

import (
	"context"
	"sync/atomic"
)

// Caller is where a request came from.
type Caller struct {
	RequestID string
	Address   string // of the client, behind proxies that are trusted
	UserAgent string
	Route     string // "POST /v1/environments"
}

// Call is one request on its way, for the audit.
type Call struct {
	Caller
	noted atomic.Bool
}

type callKey struct{}

// WithCall ties everything that is done with the context to a request. The record notes its caller in each audit entry.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf is the request that is being answered; an empty one for what nobody asked for.
func CallOf(ctx context.Context) *Call {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return c
	}
	return &Call{}
}

// Note marks that an audit entry was written for the request.
func (c *Call) Note() { c.noted.Store(true) }

// Noted reports whether one was.
func (c *Call) Noted() bool { return c.noted.Load() }
