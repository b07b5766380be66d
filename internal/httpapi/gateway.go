package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// gateway is what every request passes before its route.
type gateway struct {
	access      Access
	idempotency Idempotency
	now         func() time.Time
	logger      *slog.Logger
	answered    func(route string, status int, took time.Duration)
	mux         *http.ServeMux
}

// exchange is one request on its way. It is filled before the route is called and read by it; the actor is written once, by sign-in.
type exchange struct {
	id, method, path string
	route            string // the pattern that answers
	actor            blueberry.Actor
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
	v1 := g.signIn(g.readBody(g.once(http.HandlerFunc(g.route))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{id: r.Header.Get("X-Request-Id"), method: r.Method, path: r.URL.Path}
		if !requestID.MatchString(x.id) {
			x.id = blueberry.NewID(blueberry.RequestID, g.now())
		}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		secure(w.Header(), r, x.id)
		counted := &counter{ResponseWriter: w}
		start := g.now()
		defer func() { g.log(r, x, counted, g.now().Sub(start)) }()
		defer g.recover(counted, r, x)
		if r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
			w.Header().Set("Cache-Control", "no-store")
			v1.ServeHTTP(counted, r)
			return
		}
		cut(counted, r) // nothing outside of the API takes a body
		g.route(counted, r)
	})
}

// secure sets the headers that every answer has. A page that needs more sets its own policy.
func secure(h http.Header, r *http.Request, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// route serves the request; what the mux would refuse in plain text is refused as a problem.
func (g *gateway) route(w http.ResponseWriter, r *http.Request) {
	h, pattern := g.mux.Handler(r)
	if pattern != "" {
		exchangeOf(r.Context()).route = pattern
		g.mux.ServeHTTP(w, r)
		return
	}
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

// signIn lets only proven actors on.
func (g *gateway) signIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		token = strings.TrimSpace(token)
		var err error
		switch {
		case !strings.EqualFold(scheme, "Bearer") || token == "":
			err = blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_MISSING", "the call needs a token: Authorization: Bearer …")
		default:
			exchangeOf(r.Context()).actor, err = g.access.Authenticate(r.Context(), token)
		}
		if err != nil {
			cut(w, r)
			g.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

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
	if !strings.HasPrefix(x.path, "/v1/") {
		level = slog.LevelDebug // probes and pages: nothing that someone did
	}
	g.logger.Log(r.Context(), level, "request", "request_id", x.id, "method", x.method, "path", x.path, "status", w.status,
		"bytes", w.bytes, "duration", took, "actor", x.actor.Name, "remote", r.RemoteAddr)
}

// counter remembers what was answered.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status.
func (c *counter) WriteHeader(status int) {
	if c.status == 0 && status >= 200 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (c *counter) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

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
