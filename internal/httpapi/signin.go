package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ActorOf is who asks, in the context of a request that has passed the gateway; without grants when nobody has proven who they are.
func ActorOf(ctx context.Context) blueberry.Actor { return actorOf(ctx) }

// credentialOf is what a request proves itself with. The header goes before the cookie, also when it is wrong.
func credentialOf(r *http.Request) (secret string, byCookie bool, err error) {
	missing := blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_MISSING", "the call needs a token: Authorization: Bearer …")
	invalid := blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_INVALID", "a valid API token is needed")
	headers := r.Header["Authorization"]
	switch {
	case len(headers) > 1:
		return "", false, invalid
	case len(headers) == 1 && headers[0] != "":
		scheme, token, _ := strings.Cut(headers[0], " ")
		token = strings.TrimSpace(token)
		switch {
		case !strings.EqualFold(scheme, "Bearer") || token == "":
			return "", false, missing
		case strings.HasPrefix(token, access.SessionPrefix):
			return "", false, invalid
		}
		return token, false, nil
	}
	switch cookies := r.CookiesNamed(access.SessionCookie); {
	case len(cookies) == 0:
		return "", false, missing
	default:
		if secret = access.SessionOf(r); secret == "" {
			return "", true, blueberry.Errorf(blueberry.Unauthenticated, "SESSION_INVALID", "the session has ended; sign in again")
		}
		return secret, true, nil
	}
}

// signIn lets only proven actors on.
func (g *gateway) signIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		secret, byCookie, err := credentialOf(r)
		switch {
		case err != nil:
		case byCookie:
			err = g.sameOrigin(r)
		case x.route == execRoute:
			err = g.socketOrigin(r)
		}
		if err == nil {
			var actor blueberry.Actor
			if actor, err = g.access.Authenticate(r.Context(), secret); err == nil {
				x.actor = actor
				x.again = func(ctx context.Context) (blueberry.Actor, error) { return g.access.Authenticate(ctx, secret) }
			}
		}
		switch {
		case err == nil && g.allowActor(w, r, x.actor):
			next.ServeHTTP(w, r)
		case err == nil:
		case nobody(err) && !g.allowAddress(w, r, x): // whoever guesses is counted as one who says nothing
		default:
			cut(w, r)
			g.refuse(w, r, err)
		}
	})
}

// proveAgain is who asks by now, for an answer that goes on for long.
func (x *exchange) proveAgain(ctx context.Context) (blueberry.Actor, error) {
	if x.again == nil {
		return x.actor, nil
	}
	return x.again(ctx)
}

func nobody(err error) bool {
	return errors.Is(err, blueberry.Unauthenticated) || errors.Is(err, blueberry.Forbidden)
}

// pass lets calls on that need no credential: the pages, and the operations by which one gets a credential. A page finds out by itself who looks at it; here it
// is for the limits, the log and the audit.
func (g *gateway) pass(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if err := g.crossOrigin.Check(r); err != nil {
			if g.allowAddress(w, r, x) {
				cut(w, r)
				g.refuse(w, r, crossOrigin())
			}
			return
		}
		if secret := access.SessionOf(r); secret != "" && !x.api && !g.cookieless[r.URL.Path] {
			if actor, err := g.access.Authenticate(r.Context(), secret); err == nil {
				x.actor = actor
			}
		}
		if x.actor.ID != "" && g.allowActor(w, r, x.actor) || x.actor.ID == "" && g.allowAddress(w, r, x) {
			next.ServeHTTP(w, r)
		}
	})
}

// admit lets calls on that prove themselves by what they send, as those of hosts do: neither a session nor an origin says anything about them. Those of one host
// come in bursts from few addresses, so only what turns out to be of a stranger counts.
func (g *gateway) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.stranger = func() bool { return g.allowAddress(w, r, x) }
		next.ServeHTTP(w, r)
	})
}
