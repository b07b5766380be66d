package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
)

// Edge is what the gateway before the routes needs, and how it is set. The zero value limits nothing and trusts nobody; Audit alone must be set.
type Edge struct {
	Audit   Audit
	Limiter cache.Limiter // must be set when Limits are
	Limits  Limits

	Proxies       []netip.Prefix // whose word on the client's address is believed
	ProxyHeader   string         // in which they give it: HeaderXForwardedFor, also when empty, or HeaderForwarded. The other one is never read
	Origins       []string       // whose scripts may call with a bearer token: "https://portal.example.com"
	CookielessFor []string       // paths of Routes that use no cookie, and so take calls from anywhere; nil means CookielessPaths
	Timeouts      Timeouts
}

// Audit keeps what was refused or failed.
type Audit interface {
	// Note appends an entry that no operation has written.
	Note(ctx context.Context, e blueberry.AuditEntry) error
}

// CookielessPaths are the OAuth endpoints that programs call: each call brings its own proof.
func CookielessPaths() []string {
	return []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization"}
}

// probes are asked by machines all the time; they are neither limited nor logged for operators.
func isProbe(path string) bool { return path == "/healthz" || path == "/readyz" || path == "/metrics" }

// edge makes the parts of the gateway that the settings describe.
func (g *gateway) edge(e Edge, address string) error {
	if e.Audit == nil {
		return errors.New("httpapi.Deps lacks Edge.Audit")
	}
	if e.Limiter == nil && !e.Limits.off() {
		return errors.New("httpapi.Deps has Edge.Limits without Edge.Limiter")
	}
	g.audit, g.limiter, g.limits, g.timeouts = e.Audit, e.Limiter, e.Limits, e.Timeouts.orDefaults()
	g.rates = e.Limits.rates()
	g.public, g.flood = publicRoutes(), newFlood()
	g.addresses = addresses{proxies: e.Proxies}
	switch e.ProxyHeader {
	case "", HeaderXForwardedFor:
	case HeaderForwarded:
		g.addresses.forwarded = true
	default:
		return fmt.Errorf("httpapi.Deps has Edge.ProxyHeader %q, want %s or %s", e.ProxyHeader, HeaderXForwardedFor, HeaderForwarded)
	}
	if e.CookielessFor == nil {
		e.CookielessFor = CookielessPaths()
	}
	g.cookieless = map[string]bool{}
	g.crossOrigin, g.ownOrigin = http.NewCrossOriginProtection(), originOf(address)
	for _, path := range e.CookielessFor {
		g.cookieless[path] = true
		g.crossOrigin.AddInsecureBypassPattern(path)
	}
	if g.ownOrigin != "" {
		if err := g.crossOrigin.AddTrustedOrigin(g.ownOrigin); err != nil {
			return fmt.Errorf("read own address: %w", err)
		}
	}
	g.origins = map[string]bool{}
	for _, o := range e.Origins {
		if err := CheckOrigin(o); err != nil {
			return err
		}
		g.origins[o] = true
	}
	return nil
}
