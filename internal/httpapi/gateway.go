package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
	"github.com/blueberry-idp/blueberry/sdk"
)

// gateway is what every request passes before its route.
type gateway struct {
	access      Access
	idempotency Idempotency
	now         func() time.Time
	logger      *slog.Logger
	answered    func(route string, status int, took time.Duration)
	mux         *http.ServeMux
	large       chan struct{} // holds a token for each large body that is read

	audit       Audit
	limiter     cache.Limiter
	limits      Limits
	rates       rates
	timeouts    Timeouts
	addresses   addresses
	crossOrigin *http.CrossOriginProtection
	ownOrigin   string
	origins     map[string]bool // whose scripts may call
	cookieless  map[string]bool // paths that take calls from anywhere
	public      map[string]bool // patterns below /v1 that need no credential
	flood       *flood
}

// exchange is one request on its way. It is filled before the route is called and read by it; the actor is written once, by sign-in, and what was refused by
// whoever refuses.
type exchange struct {
	id, method, path string
	route            string // the pattern that answers; empty for none
	api              bool   // below /v1
	address          netip.Addr
	actor            blueberry.Actor
	call             blueberry.Call

	problem  *sdk.Problem                                       // that was answered; nil for none
	denied   blueberry.Grant                                    // that the actor lacks
	deniedIn string                                             // the project in which they lack it
	stranger func() bool                                        // counts a call of the inbox that nobody signed; false when there were too many, which is answered then
	again    func(ctx context.Context) (blueberry.Actor, error) // proves the credential once more; nil outside of a signed-in request
}

type exchangeKey struct{}

// exchangeOf gives the request's exchange; one without content outside of a request.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// actorOf is who asks. Outside of a signed-in request it holds no grant.
func actorOf(ctx context.Context) blueberry.Actor { return exchangeOf(ctx).actor }

// requestID is what we take over from a caller: long enough for every tracing system, short and plain enough for a log.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (g *gateway) handler() http.Handler {
	v1 := g.readBody(maxBody, g.once(http.HandlerFunc(g.route)))
	page := g.readBody(maxForm, http.HandlerFunc(g.route))
	known, public, pages, inbox := g.signIn(v1), g.pass(v1), g.pass(page), g.admit(http.HandlerFunc(g.route))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := g.now()
		r, x := g.begin(w, r)
		counted := &counter{ResponseWriter: w, control: http.NewResponseController(w), timeout: g.timeouts.Write}
		defer counted.begin() // what net/http still holds back goes out after us
		defer func() { g.log(r, x, counted, g.now().Sub(start)) }()
		defer func() { g.note(r, x, counted) }()
		defer g.recover(counted, r, x)
		switch {
		case isProbe(r.URL.Path):
			cut(counted, r)
			g.route(counted, r)
		case g.cors(counted, r, x), !g.allowSignIn(counted, r, x):
		case x.api && g.public[x.route]:
			public.ServeHTTP(counted, r)
		case x.api:
			known.ServeHTTP(counted, r)
		case isInbox(x.route):
			inbox.ServeHTTP(counted, r)
		default:
			pages.ServeHTTP(counted, r)
		}
	})
}

// begin finds out what can be known of a request before anything is done with it.
func (g *gateway) begin(w http.ResponseWriter, r *http.Request) (*http.Request, *exchange) {
	x := &exchange{id: r.Header.Get("X-Request-Id"), method: r.Method, path: shown(r.URL.Path)}
	if !requestID.MatchString(x.id) {
		x.id = blueberry.NewID(blueberry.RequestID, g.now())
	}
	var tls bool
	x.address, tls = g.addresses.client(r)
	_, x.route = g.mux.Handler(r)
	x.api = beginsWith(r.URL.Path, "/v1") || strings.Contains(x.route, " /v1/")
	x.call.Caller = blueberry.Caller{RequestID: x.id, UserAgent: clipped(r.UserAgent(), maxUserAgent), Route: x.route}
	if x.address.IsValid() {
		x.call.Address = x.address.String()
	}
	secure(w.Header(), x.id, tls)
	if x.api {
		w.Header()["Cache-Control"] = []string{"no-store"}
	}
	return r.WithContext(context.WithValue(blueberry.WithCall(r.Context(), &x.call), exchangeKey{}, x)), x
}

const maxUserAgent = 256 // bytes that are kept

// shown is a path as it may be logged and repeated: a secret that stands in a part of it is left out.
func shown(path string) string {
	if !strings.Contains(path, secretSegment) && blueberry.Redact(path) == path {
		return path
	}
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = blueberry.Redact(parts[i])
		if strings.Contains(parts[i], secretSegment) && strings.Trim(strings.Join(parts[i+1:], ""), "/") != "" {
			return strings.Join(parts[:i+1], "/") + "/(hidden)"
		}
	}
	return strings.Join(parts, "/")
}

// route serves the request; what the mux would refuse in plain text is refused as a problem.
func (g *gateway) route(w http.ResponseWriter, r *http.Request) {
	if exchangeOf(r.Context()).route != "" {
		g.mux.ServeHTTP(w, r)
		return
	}
	h, _ := g.mux.Handler(r)
	said := unheard{header: http.Header{}}
	h.ServeHTTP(&said, r)
	if said.status == http.StatusMethodNotAllowed {
		allow := said.header.Get("Allow")
		w.Header().Set("Allow", allow)
		writeProblem(w, r, newProblem(said.status, "METHOD_NOT_ALLOWED", fmt.Sprintf("%s is not possible here, only %s", r.Method, allow)))
		return
	}
	writeProblem(w, r, newProblem(http.StatusNotFound, "ROUTE_NOT_FOUND", "there is nothing at this path; /docs lists what there is"))
}

// unheard takes an answer and keeps its head alone.
type unheard struct {
	header http.Header
	status int
}

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) WriteHeader(status int)      { u.status = status }
func (u *unheard) Write(p []byte) (int, error) { return len(p), nil }

// cut gives up on a body that is still on its way: the answer ends the connection, and net/http, which would first read what the client sends in its own
// time, waits for a moment only.
func cut(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	w.Header().Set("Connection", "close")
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second)) // not every connection has one
}

// refuse answers with the problem of an error.
func (g *gateway) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if wait := access.RetryAfter(err); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	writeProblem(w, r, refuse(r.Context(), g.logger, err).Problem)
}

func (g *gateway) recover(w *counter, r *http.Request, x *exchange) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // net/http's own way to cut a connection
	}
	g.logger.ErrorContext(r.Context(), "request panicked", "request_id", x.id, "method", x.method, "path", x.path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer is out: cut it, so that the client does not take it for whole
	}
	p, _ := problem(errors.New("panic"))
	writeProblem(w, r, p)
}

func (g *gateway) log(r *http.Request, x *exchange, w *counter, took time.Duration) {
	if g.answered != nil {
		g.answered(x.route, w.status, took)
	}
	level := slog.LevelInfo
	if isProbe(x.path) {
		level = slog.LevelDebug // nothing that someone did
	}
	g.logger.Log(r.Context(), level, "request", "request_id", x.id, "method", x.method, "path", x.path, "status", w.status,
		"bytes", w.bytes, "duration", took, "route", x.route, "actor", x.actor.ID, "credential", x.actor.Credential,
		"address", x.call.Address, "user_agent", x.call.UserAgent)
}

// humaContext has another name than the method Context of what it embeds.
type humaContext huma.Context

// followed is huma's context with a status that transformProblem may correct.
type followed struct {
	humaContext
	status int
}

// SetStatus writes the corrected status if there is one.
func (f *followed) SetStatus(status int) {
	if f.status != 0 {
		status = f.status
	}
	f.humaContext.SetStatus(status)
}

// Unwrap gives the adapter's context.
func (f *followed) Unwrap() huma.Context { return f.humaContext }

// follow puts a followed context in front of every operation.
func (r *router) follow(ctx huma.Context, next func(huma.Context)) { next(&followed{humaContext: ctx}) }
