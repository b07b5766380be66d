package httpapi

import (
	"net/http"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/access"
)

// Guard puts what every call passes before a handler that speaks a protocol of its own, as Git: request id, headers, limits, the log line and the audit. The
// handler proves who asks by itself, and bounds its bodies. Calls for which reads is true change nothing, and leave no entry when they succeed.
func (a *API) Guard(route string, reads func(r *http.Request) bool, next http.Handler) http.Handler {
	g := a.gateway
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := g.now()
		r, x := g.begin(w, r)
		x.route, x.call.Route = r.Method+" "+route, r.Method+" "+route
		counted := &counter{ResponseWriter: w, control: http.NewResponseController(w)}
		defer func() { g.log(r, x, counted, g.now().Sub(start)) }()
		defer func() {
			if counted.status < 400 && reads(r) {
				return
			}
			g.note(r, x, counted)
		}()
		defer g.recover(counted, r, x)
		if secret := passwordOf(r); secret != "" {
			if actor, err := g.access.Authenticate(r.Context(), secret); err == nil {
				x.actor = actor
			}
		}
		if x.actor.ID != "" && g.allowActor(counted, r, x.actor) || x.actor.ID == "" && g.allowAddress(counted, r, x) {
			next.ServeHTTP(counted, r)
		}
	})
}

// passwordOf is the token that a program gives as a password, or as a bearer; never a session.
func passwordOf(r *http.Request) string {
	_, secret, ok := r.BasicAuth()
	if !ok {
		var err error
		if secret, _, err = credentialOf(r); err != nil {
			return ""
		}
	}
	if strings.HasPrefix(secret, access.SessionPrefix) {
		return ""
	}
	return secret
}
