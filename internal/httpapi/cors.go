package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What scripts of another origin may send and see. Cookies are not among it: such scripts prove themselves with a bearer token.
const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id"
	corsExposes = "ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
	corsMaxAge  = "600" // seconds that a browser may remember the answer
)

// CheckOrigin tells what is wrong with an entry of Edge.Origins.
func CheckOrigin(origin string) error {
	if origin == "" || originOf(origin) != origin {
		return fmt.Errorf("%q is not an origin: it must be https://host or http://host, with a port if it is not the usual one and nothing else", origin)
	}
	return nil
}

// originOf is the origin of a URL; empty for what has none.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(u.Host, "*,; ") {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// cors lets scripts of the listed origins read answers. It reports true when it has answered: a preflight.
func (g *gateway) cors(w http.ResponseWriter, r *http.Request, x *exchange) bool {
	if len(g.origins) == 0 && r.Method != http.MethodOptions || !x.api && !g.cookieless[r.URL.Path] && !strings.HasPrefix(r.URL.Path, "/.well-known/") {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	listed := g.origins[origin]
	if listed {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", corsExposes)
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	if r.Method != http.MethodOptions || origin == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if !g.allowAddress(w, r, x) {
		return true
	}
	cut(w, r)
	if !listed {
		g.refuse(w, r, crossOrigin())
		return true
	}
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

func crossOrigin() error {
	return blueberry.Errorf(blueberry.Forbidden, "CROSS_ORIGIN", "the call comes from a page of another origin")
}

// sameOrigin refuses a call by cookie that a page of another origin has made, and a change that does not say where it comes from.
func (g *gateway) sameOrigin(r *http.Request) error {
	if err := g.crossOrigin.Check(r); err != nil {
		return crossOrigin()
	}
	origin := r.Header.Get("Origin")
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case site == "same-origin" || site == "none":
		return nil
	case origin != "" && origin == g.ownOrigin:
		return nil
	case site != "":
		return crossOrigin()
	case origin == "" && !mutates(r.Method) && exchangeOf(r.Context()).route != execRoute:
		return nil
	}
	if o, err := url.Parse(origin); err != nil || o.Host == "" || o.Host != r.Host {
		return crossOrigin()
	}
	return nil
}

// socketOrigin refuses a WebSocket that a page of an origin has opened which is neither ours nor listed. It is for calls that prove themselves by a header,
// which no page can set for a WebSocket: what sends an Origin all the same is a browser in other hands.
func (g *gateway) socketOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == g.ownOrigin || g.origins[origin] {
		return nil
	}
	if o, err := url.Parse(origin); err != nil || o.Host == "" || o.Host != r.Host {
		return crossOrigin()
	}
	return nil
}

// mutates reports whether calls of the method may change something.
func mutates(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}
