package httpapi

import (
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Inside serves what a page of ours asks of the API for the person who looks at it: the same routes, checks and rights as from outside, and the same notes of what
// was refused. The page's own call has been proven, limited and logged; these are parts of it. What would go on after the answer (events, a shell) is not served:
// it would have to be proven again.
func (a *API) Inside(actor blueberry.Actor) http.Handler {
	g := a.gateway
	v1 := g.readBody(maxBody, g.once(http.HandlerFunc(g.route)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer := exchangeOf(r.Context())
		r, x := g.begin(w, r)
		route := x.call.Route
		x.id, x.address, x.actor, x.call.Caller = outer.id, outer.address, actor, outer.call.Caller
		x.call.Route = route
		counted := &counter{ResponseWriter: w, control: http.NewResponseController(w)}
		defer func() {
			if g.note(r, x, counted); x.call.Noted() || mutates(r.Method) {
				outer.call.Note() // once
			}
		}()
		defer g.recover(counted, r, x)
		if !x.api || g.public[x.route] || x.route == execRoute || x.route == watchRoute {
			writeProblem(counted, r, newProblem(http.StatusNotFound, "ROUTE_NOT_FOUND", "this is not for pages"))
			return
		}
		v1.ServeHTTP(counted, r)
	})
}
