package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
)

// Environments are the operations on environments.
type Environments interface {
	Create(ctx context.Context, actor blueberry.Actor, r provision.CreateRequest) (blueberry.Environment, error)
	Get(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, error)
	List(ctx context.Context, actor blueberry.Actor, q blueberry.EnvironmentQuery) (blueberry.EnvironmentPage, error)
	Revision(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error)
	Objects(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.LedgerEntry, error)
	Extend(ctx context.Context, actor blueberry.Actor, id string, hours int, ifVersion int64) (blueberry.Environment, error)
	Destroy(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error)
}

// Events are the facts that happened.
type Events interface {
	Events(ctx context.Context, actor blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, error)
}

// Feed tells when there may be new events.
type Feed interface {
	// Wait returns nil when events with a Seq above after may exist, and ctx's error when ctx ends.
	Wait(ctx context.Context, after int64) error
}

// Blueprints are the operations on blueprints.
type Blueprints interface {
	Preview(ctx context.Context, actor blueberry.Actor, r provision.PreviewRequest) (provision.Preview, error)
}

// Targets are the operations on targets.
type Targets interface {
	Targets(ctx context.Context, actor blueberry.Actor) ([]provision.TargetState, error)
}

// Jobs are the operations on durable work.
type Jobs interface {
	// List reads one page; next is the Before of the page behind it, 0 on the last.
	List(ctx context.Context, actor blueberry.Actor, q blueberry.JobQuery) (page []blueberry.Job, next int64, err error)
	Get(ctx context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error)
	Retry(ctx context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error)
	Cancel(ctx context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error)
}

// Access proves who is asking.
type Access interface {
	// Authenticate gives the actor that a token belongs to, or an Unauthenticated error.
	Authenticate(ctx context.Context, token string) (blueberry.Actor, error)
}

// Deps is what the door stands on. Every field without a default must be set.
type Deps struct {
	Environments Environments
	Events       Events
	Feed         Feed
	Blueprints   Blueprints
	Targets      Targets
	Jobs         Jobs
	Access       Access
	Idempotency  Idempotency

	Version  string           // of the server
	Address  string           // where the reference page's examples point: "https://blueberry.example.com"; empty means http://127.0.0.1:7080
	Draining <-chan struct{}  // closed when the server begins to stop: event streams end then. Nil means never
	Now      func() time.Time // nil means time.Now
	Logger   *slog.Logger     // nil means slog.Default

	// Answered, if set, is told of every answer: the route is the pattern that gave it, empty for none.
	Answered func(route string, status int, took time.Duration)

	// Routes go through the gateway but not through sign-in: pattern of http.ServeMux to handler ("GET /healthz").
	Routes map[string]http.Handler
}

// API serves /v1, its document and its reference page.
type API struct {
	handler http.Handler
	doc     *huma.OpenAPI
}

// New builds the routes. It fails when something it stands on is missing. Routes that collide are a mistake in the code, and panic as in
// http.ServeMux.
func New(d Deps) (*API, error) {
	for name, missing := range map[string]bool{
		"Environments": d.Environments == nil, "Events": d.Events == nil, "Feed": d.Feed == nil, "Blueprints": d.Blueprints == nil,
		"Targets": d.Targets == nil, "Jobs": d.Jobs == nil, "Access": d.Access == nil, "Idempotency": d.Idempotency == nil,
	} {
		if missing {
			return nil, fmt.Errorf("httpapi.Deps lacks %s", name)
		}
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	if d.Address == "" {
		d.Address = "http://127.0.0.1:7080"
	}
	mux := http.NewServeMux()
	r := &router{api: humago.New(mux, config(d.Version)), logger: d.Logger}
	r.api.UseMiddleware(r.follow)

	environments{d.Environments, d.Now}.mount(r)
	events{d.Events}.mount(r)
	stream{d.Events, d.Feed, d.Draining, d.Logger}.mount(r)
	jobs{d.Jobs}.mount(r)
	blueprints{d.Blueprints}.mount(r)
	targets{d.Targets}.mount(r)
	version{d.Version}.mount(r)

	doc := r.document()
	reference{doc: doc, address: d.Address}.mount(mux)
	for pattern, h := range d.Routes {
		mux.Handle(pattern, h)
	}
	g := &gateway{access: d.Access, idempotency: d.Idempotency, now: d.Now, logger: d.Logger, answered: d.Answered, mux: mux}
	return &API{handler: g.handler(), doc: doc}, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Document is the OpenAPI document as JSON, as it is served and kept in docs.
func (a *API) Document() ([]byte, error) { return documentJSON(a.doc) }
