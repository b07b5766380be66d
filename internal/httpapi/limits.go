package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
)

// Limits are how often one may call. A limit without a rate is off.
type Limits struct {
	Credential cache.Limit // of an API token, a session, or an OAuth client that acts for itself
	User       cache.Limit // of everything that acts on one user's account
	Address    cache.Limit // of calls that prove nobody, by where they come from
	SignIn     []PathLimit // of POSTs to where one proves who one is, by where they come from; also counted by Address
}

// PathLimit is a limit on the paths that begin so.
type PathLimit struct {
	Prefix string
	Limit  cache.Limit
}

// LimitsPerMinute are limits of so many calls a minute; 0 is none. signIn is that of each of SignInPaths.
func LimitsPerMinute(credential, user, address, signIn int) Limits {
	minute := func(n int) cache.Limit { return cache.Limit{Rate: n, Per: time.Minute} }
	l := Limits{Credential: minute(credential), User: minute(user), Address: minute(address)}
	for _, prefix := range SignInPaths() {
		l.SignIn = append(l.SignIn, PathLimit{Prefix: prefix, Limit: minute(signIn)})
	}
	return l
}

// SignInPaths are where something can be guessed: a password, a code, a link.
func SignInPaths() []string {
	return []string{"/v1/sessions", "/v1/setup", "/v1/invitations", "/v1/resets", "/v1/" + secretSegment, "/extend", "/signin", "/setup", "/invitation", "/forgot", "/reset", "/oauth/device", "/oauth/device_authorization"}
}

func (l Limits) off() bool {
	for _, p := range l.SignIn {
		if !p.Limit.Off() {
			return false
		}
	}
	return l.Credential.Off() && l.User.Off() && l.Address.Off()
}

// rate is a limit with a name, as RateLimit-Policy shows it.
type rate struct {
	name, text string // text: `"credential";q=1000;w=60`
	limit      cache.Limit
	what       string // for people
}

// rates are the limits made ready, so that a call makes no text that it need not.
type rates struct{ credential, user, address rate }

func (l Limits) rates() rates {
	return rates{
		credential: newRate("credential", "this token or session", l.Credential), user: newRate("user", "this user", l.User),
		address: newRate("address", "this address", l.Address),
	}
}

func newRate(name, what string, l cache.Limit) rate {
	p := rate{name: name, limit: l, what: what}
	if !l.Off() {
		p.text = fmt.Sprintf("%q;q=%d;w=%d", name, l.Quota(), seconds(l.Window()))
	}
	return p
}

// seconds rounds up: whoever waits so long is let in.
func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// allow counts a call under a policy, and answers it when it is one too many.
func (g *gateway) allow(w http.ResponseWriter, r *http.Request, p rate, who string) bool {
	if p.limit.Off() {
		return true
	}
	v, err := g.limiter.Allow(r.Context(), p.name+":"+who, p.limit, g.now())
	if err != nil { // counting must not stop anyone
		g.logger.ErrorContext(r.Context(), "call not counted", "request_id", exchangeOf(r.Context()).id, "policy", p.name, "error", err)
		return true
	}
	h := w.Header()
	h["Ratelimit-Policy"] = append(h["Ratelimit-Policy"], p.text)
	h["Ratelimit"] = append(h["Ratelimit"], remaining(p.name, v))
	if v.OK {
		return true
	}
	cut(w, r)
	wait := seconds(v.RetryAfter)
	h.Set("Retry-After", strconv.FormatInt(wait, 10))
	g.refuse(w, r, blueberry.Errorf(blueberry.TooMany, "RATE_LIMITED", "too many calls by %s: the limit is %s; the next may come in %d s", p.what, p.limit, wait))
	return false
}

// remaining is one item of the RateLimit header.
func remaining(name string, v cache.Verdict) string {
	b := make([]byte, 0, 48)
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `";r=`...)
	b = strconv.AppendInt(b, int64(v.Remaining), 10)
	b = append(b, ";t="...)
	b = strconv.AppendInt(b, seconds(v.Reset), 10)
	return string(b)
}

// allowAddress counts a call that proves nobody.
func (g *gateway) allowAddress(w http.ResponseWriter, r *http.Request, x *exchange) bool {
	return g.rates.address.limit.Off() || g.allow(w, r, g.rates.address, network(x.address).String())
}

// allowActor counts a call by what proved it and by its user.
func (g *gateway) allowActor(w http.ResponseWriter, r *http.Request, a blueberry.Actor) bool {
	who := a.Credential
	if who == "" || a.Kind == blueberry.ActorClient { // a client gets new access tokens whenever it likes
		who = a.Holder()
	}
	return g.allow(w, r, g.rates.credential, who) && (a.UserID == "" || g.allow(w, r, g.rates.user, a.UserID))
}

// allowSignIn counts a try to prove who one is. A read of what a secret link would do is one.
func (g *gateway) allowSignIn(w http.ResponseWriter, r *http.Request, x *exchange) bool {
	if r.Method != http.MethodPost && !beginsWith(r.URL.Path, "/v1/"+secretSegment) || x.api && !g.public[x.route] {
		return true
	}
	for _, p := range g.limits.SignIn {
		if beginsWith(r.URL.Path, p.Prefix) {
			return g.allow(w, r, newRate("sign-in", "this address to sign in", p.Limit), network(x.address).String())
		}
	}
	return true
}

// beginsWith reports whether a path is another one or lies below it.
func beginsWith(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(prefix, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
