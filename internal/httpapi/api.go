package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/provision"
)

// Environments are the operations on environments.
type Environments interface {
	Create(ctx context.Context, actor blueberry.Actor, r provision.CreateRequest) (blueberry.Environment, error)
	Get(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, error)
	// Detail is Get with the inputs of the desired revision.
	Detail(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, blueberry.Revision, error)
	// Cost tells what one costs; nil where no prices are set.
	Cost(ctx context.Context, actor blueberry.Actor, id string) (*blueberry.EnvironmentCost, error)
	List(ctx context.Context, actor blueberry.Actor, q blueberry.EnvironmentQuery) (blueberry.EnvironmentPage, error)
	Objects(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.LedgerEntry, error)
	Extend(ctx context.Context, actor blueberry.Actor, id string, hours int, ifVersion int64) (blueberry.Environment, error)
	// Destroy begins the removal; planID, if set, is the plan that is applied.
	Destroy(ctx context.Context, actor blueberry.Actor, id, planID string, ifVersion int64) (blueberry.Environment, error)
}

// Changes are the operations that give an environment a new revision.
type Changes interface {
	Change(ctx context.Context, actor blueberry.Actor, id string, r provision.ChangeRequest) (provision.Changed, error)
	Rollback(ctx context.Context, actor blueberry.Actor, id string, r provision.RollbackRequest) (provision.Changed, error)
	Refresh(ctx context.Context, actor blueberry.Actor, id string) (provision.Changed, error)
}

// Plans are the operations on plans.
type Plans interface {
	PlanCreate(ctx context.Context, actor blueberry.Actor, r provision.CreateRequest) (blueberry.Plan, error)
	Plan(ctx context.Context, actor blueberry.Actor, id string, r provision.PlanRequest) (blueberry.Plan, error)
	PlanByID(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Plan, error)
	// PlanRendering gives the manifests that applying the plan commits; of a plan that makes no revision it is empty.
	PlanRendering(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Plan, blueberry.Rendering, error)
	Plans(ctx context.Context, actor blueberry.Actor, q blueberry.PlanQuery) ([]blueberry.Plan, error)
}

// Revisions are the desired states of environments. Number 0 means the desired one.
type Revisions interface {
	Revision(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error)
	Revisions(ctx context.Context, actor blueberry.Actor, q blueberry.RevisionQuery) ([]blueberry.Revision, error)
	RevisionInputs(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error)
	DiffRevisions(ctx context.Context, actor blueberry.Actor, id string, from, to int) (provision.RevisionDiff, error)
	Settings(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, []blueberry.Setting, error)
}

// Drift is what others altered on the target, and what is kept away from it.
type Drift interface {
	Drift(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Drift, error)
	SetDriftPolicy(ctx context.Context, actor blueberry.Actor, id string, p blueberry.DriftPolicy, ifVersion int64) (blueberry.Environment, error)
	Holds(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.Hold, error)
	ReleaseHolds(ctx context.Context, actor blueberry.Actor, id string, r provision.HoldRelease) (int, error)
}

// Projects are the operations on projects.
type Projects interface {
	Projects(ctx context.Context, actor blueberry.Actor) ([]provision.ProjectState, error)
	ProjectNames(ctx context.Context, actor blueberry.Actor) ([]string, error)
	ProjectState(ctx context.Context, actor blueberry.Actor, name string) (provision.ProjectState, error)
	SetQuota(ctx context.Context, actor blueberry.Actor, name string, q blueberry.Quota, ifVersion int64) (provision.ProjectState, error)
}

// ConfigSets are the operations that write config sets.
type ConfigSets interface {
	ConfigReads
	CreateConfigSet(ctx context.Context, actor blueberry.Actor, r catalog.NewConfig) (catalog.ConfigEdited, error)
	CheckConfigSet(ctx context.Context, actor blueberry.Actor, r catalog.NewConfig) error
	EditConfigSet(ctx context.Context, actor blueberry.Actor, id string, r catalog.Edit) (catalog.ConfigEdited, error)
	RestoreConfigSet(ctx context.Context, actor blueberry.Actor, id string, number int, message string, ifVersion int64) (catalog.ConfigEdited, error)
	DeleteConfigSet(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
}

// ConfigReads are the operations that read config sets.
type ConfigReads interface {
	ConfigSets(ctx context.Context, actor blueberry.Actor, q blueberry.CatalogueQuery) (blueberry.ConfigSetPage, error)
	ConfigSet(ctx context.Context, actor blueberry.Actor, id string) (blueberry.ConfigSet, error)
	ConfigVersion(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.ConfigVersion, error)
	ConfigVersions(ctx context.Context, actor blueberry.Actor, id string, before, limit int) ([]blueberry.ConfigVersion, error)
	DiffConfig(ctx context.Context, actor blueberry.Actor, id string, from, to int) (catalog.ConfigDiff, error)
	ConfigUsers(ctx context.Context, actor blueberry.Actor, id string) (catalog.Users, error)
	Impact(ctx context.Context, actor blueberry.Actor, id string, r catalog.ImpactRequest) (catalog.Impact, error)
}

// Catalogue is the operations on blueprints that are kept.
type Catalogue interface {
	PublishBlueprint(ctx context.Context, actor blueberry.Actor, r catalog.NewBlueprint) (catalog.BlueprintPublished, error)
	Blueprints(ctx context.Context, actor blueberry.Actor, q blueberry.CatalogueQuery) (blueberry.CataloguePage, error)
	BlueprintEntry(ctx context.Context, actor blueberry.Actor, id string) (blueberry.CatalogueEntry, error)
	BlueprintVersion(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.CatalogueVersion, error)
	BlueprintVersions(ctx context.Context, actor blueberry.Actor, id string, before, limit int) ([]blueberry.CatalogueVersion, error)
	BlueprintUsers(ctx context.Context, actor blueberry.Actor, id string) (catalog.Users, error)
	DeleteBlueprint(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
}

// Policies are the operations on policies.
type Policies interface {
	CreatePolicy(ctx context.Context, actor blueberry.Actor, r catalog.NewPolicy) (blueberry.Policy, error)
	UpdatePolicy(ctx context.Context, actor blueberry.Actor, id string, r catalog.NewPolicy) (blueberry.Policy, error)
	DeletePolicy(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
	Policy(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Policy, error)
	Policies(ctx context.Context, actor blueberry.Actor, project string) ([]blueberry.Policy, error)
	CheckPolicy(ctx context.Context, actor blueberry.Actor, r catalog.NewPolicy) error
}

// Events are the facts that happened.
type Events interface {
	Events(ctx context.Context, actor blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, error)
	// EventsUntil is Events, and tells the Seq up to which there is nothing more to read.
	EventsUntil(ctx context.Context, actor blueberry.Actor, q blueberry.EventQuery) (found []blueberry.Event, until int64, err error)
}

// Feed tells when there may be new events.
type Feed interface {
	// Wait returns nil when events with a Seq above after may exist, and ctx's error when ctx ends.
	Wait(ctx context.Context, after int64) error
}

// Blueprints are the operations on blueprints that are not kept.
type Blueprints interface {
	Preview(ctx context.Context, actor blueberry.Actor, r provision.PreviewRequest) (provision.Preview, error)
}

// Targets are the operations that read targets.
type Targets interface {
	Targets(ctx context.Context, actor blueberry.Actor) ([]fleet.TargetState, error)
	// TargetNames reads all by name from the record alone.
	TargetNames(ctx context.Context, actor blueberry.Actor) ([]blueberry.Target, error)
	Target(ctx context.Context, actor blueberry.Actor, name string) (fleet.TargetState, error)
	// Check looks at everything that a target needs.
	Check(ctx context.Context, actor blueberry.Actor, name string) ([]blueberry.TargetCheck, error)
}

// Fleet are the operations that write targets.
type Fleet interface {
	Register(ctx context.Context, actor blueberry.Actor, r fleet.TargetWish) (blueberry.Target, []blueberry.TargetCheck, error)
	Update(ctx context.Context, actor blueberry.Actor, name string, r fleet.TargetChange, ifVersion int64) (blueberry.Target, error)
	Cordon(ctx context.Context, actor blueberry.Actor, name, reason string) (blueberry.Target, error)
	Uncordon(ctx context.Context, actor blueberry.Actor, name string) (blueberry.Target, error)
	// Drain removes the environments with a lease from a target; with plan it only tells which these are.
	Drain(ctx context.Context, actor blueberry.Actor, name, reason string, plan bool) (fleet.DrainPlan, error)
	Remove(ctx context.Context, actor blueberry.Actor, name string, ifVersion int64) error

	// Prices reads all that ever were set, the oldest first, and those that hold now.
	Prices(ctx context.Context, actor blueberry.Actor) (history blueberry.PriceSheet, current []blueberry.Prices, err error)
	SetPrices(ctx context.Context, actor blueberry.Actor, w fleet.PricesWish) (blueberry.Prices, error)
	RemovePrices(ctx context.Context, actor blueberry.Actor, target string) error
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
	Changes      Changes
	Plans        Plans
	Revisions    Revisions
	Drift        Drift
	Events       Events
	Feed         Feed
	ConfigSets   ConfigSets
	Blueprints   Blueprints
	Catalogue    Catalogue
	Policies     Policies
	Projects     Projects
	Targets      Targets
	Fleet        Fleet
	Jobs         Jobs
	Access       Access
	Idempotency  Idempotency

	// Rights is the operations on who may do what.
	Rights Rights

	// Life is the operations on how environments live and end.
	Life Life

	// Repositories is the operations on repositories and what their hosts send.
	Repositories Repositories

	// Subscriptions is the operations on who is told of events, and on what was told.
	Subscriptions Subscriptions

	// System tells how the server is.
	System System

	// Edge is the gateway's own: who counts, whom it trusts, where refusals are noted.
	Edge Edge

	Version  string           // of the server
	Address  string           // of this server, as others reach it: "https://blueberry.example.com"; empty means http://127.0.0.1:7080
	Draining <-chan struct{}  // closed when the server begins to stop: event streams end then. Nil means never
	Now      func() time.Time // nil means time.Now
	Logger   *slog.Logger     // nil means slog.Default

	// Answered, if set, is told of every answer: the route is the pattern that gave it, empty for none.
	Answered func(route string, status int, took time.Duration)

	// Routes go through the gateway but not through sign-in: pattern of http.ServeMux to handler ("GET /healthz").
	Routes map[string]http.Handler
}

// API serves /v1 and its document.
type API struct {
	handler   http.Handler
	gateway   *gateway
	reference reference
}

// New builds the routes. It fails when something it stands on is missing. Routes that collide are a mistake in the code, and panic as in
// http.ServeMux.
func New(d Deps) (*API, error) {
	for name, missing := range map[string]bool{
		"Environments": d.Environments == nil, "Changes": d.Changes == nil, "Plans": d.Plans == nil, "Revisions": d.Revisions == nil, "Drift": d.Drift == nil,
		"Events": d.Events == nil, "Feed": d.Feed == nil, "ConfigSets": d.ConfigSets == nil, "Blueprints": d.Blueprints == nil,
		"Catalogue": d.Catalogue == nil, "Policies": d.Policies == nil, "Projects": d.Projects == nil, "Repositories": d.Repositories == nil,
		"Subscriptions": d.Subscriptions == nil, "System": d.System == nil,
		"Targets": d.Targets == nil, "Fleet": d.Fleet == nil, "Jobs": d.Jobs == nil, "Access": d.Access == nil, "Idempotency": d.Idempotency == nil,
	} {
		if missing {
			return nil, fmt.Errorf("httpapi.Deps lacks %s", name)
		}
	}
	if lacks := d.Rights.lacks(); lacks != "" {
		return nil, fmt.Errorf("httpapi.Deps lacks Rights.%s", lacks)
	}
	if lacks := d.Life.lacks(); lacks != "" {
		return nil, fmt.Errorf("httpapi.Deps lacks Life.%s", lacks)
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

	environments{d.Environments, d.Revisions}.mount(r)
	changes{d.Changes, d.Environments, d.Now}.mount(r)
	plans{d.Plans, d.Now}.mount(r)
	revisions{d.Revisions}.mount(r)
	drift{d.Drift, d.Environments}.mount(r)
	events{d.Events}.mount(r)
	stream{d.Events, d.Feed, d.Draining, d.Logger}.mount(r)
	jobs{d.Jobs}.mount(r)
	configSets{d.ConfigSets}.mount(r)
	blueprints{d.Blueprints}.mount(r)
	catalogue{d.Catalogue}.mount(r)
	policies{d.Policies}.mount(r)
	projects{d.Projects}.mount(r)
	targets{d.Targets, d.Fleet}.mount(r)
	names{d.Projects, d.Targets}.mount(r)
	d.Life.mount(r, d)
	repositories{d.Repositories}.mount(r)
	pulls{d.Repositories}.mount(r)
	pullCommands{d.Repositories}.mount(r)
	branches{d.Repositories}.mount(r)
	deliveries{d.Repositories}.mount(r)
	ciReports{d.Repositories}.mount(r)
	scanExceptions{d.Repositories, d.Now}.mount(r)
	subscriptions{d.Subscriptions}.mount(r)
	notices{d.Subscriptions}.mount(r)
	preferences{d.Subscriptions}.mount(r)
	version{d.Version}.mount(r)
	systems{d.System}.mount(r)
	d.Rights.mount(r, d.Projects, d.Now)

	ref := newReference(r.document())
	ref.mount(mux)
	within := d.Edge.Timeouts.orDefaults().Body
	hooks{inbox{d.Repositories, blueberry.MaxDelivery, within, make(chan struct{}, maxReading), d.Logger}}.mount(mux)
	ciHooks{inbox{d.Repositories, blueberry.MaxCIBody, within, make(chan struct{}, maxReadingCI), d.Logger}}.mount(mux)
	for pattern, h := range d.Routes {
		mux.Handle(pattern, h)
	}
	g := &gateway{access: d.Access, idempotency: d.Idempotency, now: d.Now, logger: d.Logger, answered: d.Answered, mux: mux, large: make(chan struct{}, maxLarge)}
	if err := g.edge(d.Edge, d.Address); err != nil {
		return nil, err
	}
	return &API{handler: g.handler(), gateway: g, reference: ref}, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }
