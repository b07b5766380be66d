package httpapitest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Token is the one that the house lets in; Poor holds a token without any grant. Guest is a member of the default project who may see little of it, and
// Viewer one who may read all of it.
const (
	Token  = "blb_test"
	Poor   = "blb_poor"
	Guest  = "blb_guest"
	Viewer = "blb_viewer"
)

// Domain of the house's target.
const Domain = "apps.test"

// House is the operations behind the door.
type House struct {
	revoked atomic.Bool

	revisions // those that are not below are away
	targets

	Logger   *slog.Logger  // nil discards
	Draining chan struct{} // close it to end event streams
	Fail     error         // what every operation on environments fails with, if set before the first call

	mu      sync.Mutex
	envs    []*blueberry.Environment
	events  []blueberry.Event
	jobs    []*blueberry.Job
	answers map[string]*blueberry.IdempotentAnswer
	creates int
	notes   []blueberry.AuditEntry
	moved   chan struct{} // closed and replaced with each event
}

// New gives an empty house.
func New() *House {
	return &House{Draining: make(chan struct{}), answers: map[string]*blueberry.IdempotentAnswer{}, moved: make(chan struct{})}
}

// Deps is the house as the door sees it.
func (h *House) Deps() httpapi.Deps {
	logger := h.Logger
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return httpapi.Deps{
		Environments: h, Revisions: h, Events: h, Feed: h, Blueprints: h, Targets: h, Jobs: jobs{h}, Access: h, Idempotency: h,
		Changes: away{}, Plans: away{}, Drift: away{}, ConfigSets: away{}, Catalogue: away{}, Policies: away{}, Projects: away{}, Fleet: away{}, Life: lifeAway(),
		Repositories: struct{ repositories }{}, Subscriptions: struct{ subscriptions }{}, System: struct{ system }{},
		Version: "0.0.0-test", Draining: h.Draining, Logger: logger,
		Edge:   httpapi.Edge{Audit: h},
		Rights: rightsAway(),
	}
}

// away is the operations that the house has not: roomstest.Rooms has them. A call of one panics.
type away struct {
	changes
	plans
	drift
	configSets
	catalogue
	policies
	projects
	fleets
}

// ProjectNames gives the one that there always is: names are read together with those of targets, which the house has.
func (away) ProjectNames(context.Context, blueberry.Actor) ([]string, error) {
	return []string{blueberry.DefaultProject}, nil
}

// Aliases, so that no field has the name of a method.
type (
	changes    = httpapi.Changes
	plans      = httpapi.Plans
	revisions  = httpapi.Revisions
	drift      = httpapi.Drift
	configSets = httpapi.ConfigSets
	catalogue  = httpapi.Catalogue
	policies   = httpapi.Policies
	projects   = httpapi.Projects
	targets    = httpapi.Targets
	fleets     = httpapi.Fleet
)

// API builds the door.
func (h *House) API(t testing.TB) *httpapi.API {
	t.Helper()
	api, err := httpapi.New(h.Deps())
	if err != nil {
		t.Fatalf("httpapi.New: %v", err)
	}
	return api
}

// Serve starts a server with the door and gives a client that is let in.
func (h *House) Serve(t testing.TB) (*httptest.Server, *sdk.Client) {
	t.Helper()
	srv := httptest.NewServer(h.API(t))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return srv, &sdk.Client{BaseURL: srv.URL, Token: Token, HTTPClient: srv.Client(), Waits: []time.Duration{}}
}

// Tell adds n events of an environment that is not in the list.
func (h *House) Tell(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for range n {
		h.tell(&blueberry.Environment{ID: "env_other", Project: "default", Name: "other"}, blueberry.EnvironmentDriftRepaired, "blueberry", "repaired")
	}
}

// AddJob adds a job.
func (h *House) AddJob(j blueberry.Job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.jobs = append(h.jobs, &j)
}

func (h *House) tell(e *blueberry.Environment, t blueberry.EventType, actor, message string) {
	now := time.Now()
	h.events = append(h.events, blueberry.Event{
		Seq: int64(len(h.events))*3 + 3, ID: blueberry.NewID(blueberry.EventID, now), Type: t, EnvironmentID: e.ID, Project: e.Project,
		Environment: e.Name, Actor: actor, Message: message, At: now,
	})
	close(h.moved)
	h.moved = make(chan struct{})
}

func (h *House) find(id string) (*blueberry.Environment, error) {
	for _, e := range h.envs {
		if e.ID == id {
			return e, nil
		}
	}
	return nil, blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "there is no environment %s", id)
}

func (h *House) enter(actor blueberry.Actor, g blueberry.Grant) error {
	if h.Fail != nil {
		return h.Fail
	}
	return actor.Can(g)
}

// Create accepts an environment. It knows two repositories: one that holds a blueprint, and every other, which does not exist.
func (h *House) Create(_ context.Context, actor blueberry.Actor, r provision.CreateRequest) (blueberry.Environment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.creates++
	if err := h.enter(actor, blueberry.GrantEnvironmentsCreate); err != nil {
		return blueberry.Environment{}, err
	}
	if r.Project == "" {
		r.Project = blueberry.DefaultProject
	}
	if r.Target == "" {
		r.Target = "local"
	}
	f := slices.Clone(r.Found)
	now := time.Now()
	hours := r.Hours
	if hours == 0 {
		hours = blueberry.DefaultLeaseHours
	}
	env, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: r.Project, Name: r.Name, Target: r.Target, Owner: actor.Name, Labels: r.Labels, Hours: hours}, now)
	_ = f.Merge("", err)
	for _, e := range h.envs {
		if e.Name == r.Name && e.Project == r.Project && e.Phase.Alive() {
			f.Add("name", "taken", "%q is the name of an environment that exists", r.Name)
		}
	}
	if r.Blueprint != nil {
		_ = f.Merge("blueprint", r.Blueprint.Check())
	} else {
		repository(r.Wish, &f)
	}
	if err := f.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	env.Source = sourceOf(r.Wish)
	env.Version = 1
	env.Hosts = []string{blueberry.Host("web", env.Name, Domain)}
	h.envs = append(h.envs, &env)
	h.tell(&env, blueberry.EnvironmentRequested, actor.Name, actor.Name+" asked for "+env.Name)
	return snapshot(&env), nil
}

// Repository is the one that exists.
const Repository = "https://git.test/shop.git"

func repository(w provision.Wish, f *blueberry.Faults) {
	switch url := sourceOf(w).Repository; url {
	case "":
		f.Add("source.repository", "required", "a repository or a blueprint must be given")
	case Repository:
	default:
		f.Add("source.repository", "repository_not_found", "%s does not exist", url)
	}
}

func sourceOf(w provision.Wish) (s blueberry.Source) {
	for to, from := range map[*string]*string{&s.Repository: w.Repository, &s.Ref: w.Ref, &s.Path: w.Path} {
		if from != nil {
			*to = *from
		}
	}
	return s
}

func snapshot(e *blueberry.Environment) blueberry.Environment {
	out := *e
	out.Conditions = slices.Clone(e.Conditions)
	return out
}

// Get reads one.
func (h *House) Get(_ context.Context, actor blueberry.Actor, id string) (blueberry.Environment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantEnvironmentsRead); err != nil {
		return blueberry.Environment{}, err
	}
	e, err := h.find(id)
	if err != nil {
		return blueberry.Environment{}, err
	}
	return snapshot(e), nil
}

// List reads a page; its cursor is the number of those before.
func (h *House) List(_ context.Context, actor blueberry.Actor, q blueberry.EnvironmentQuery) (blueberry.EnvironmentPage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantEnvironmentsRead); err != nil {
		return blueberry.EnvironmentPage{}, err
	}
	skip := 0
	if q.Cursor != "" {
		if _, err := fmt.Sscanf(q.Cursor, "after-%d", &skip); err != nil {
			return blueberry.EnvironmentPage{}, blueberry.Faults{{Field: "cursor", Code: "cursor", Message: "is not a cursor of this list"}}.Err()
		}
	}
	var all []blueberry.Environment
	for _, e := range h.envs {
		alive := len(q.Phases) == 0 && e.Phase.Alive() || slices.Contains(q.Phases, e.Phase)
		if alive && (q.Name == "" || q.Name == e.Name) && (q.Project == "" || q.Project == e.Project) && (q.Owner == "" || q.Owner == e.Owner) &&
			strings.Contains(e.Name, q.Search) && !slices.ContainsFunc(q.Labels, func(s blueberry.LabelSelector) bool { return !s.Holds(e.Labels) }) {
			all = append(all, snapshot(e))
		}
	}
	if q.Sort == blueberry.SortByName {
		slices.SortFunc(all, func(a, b blueberry.Environment) int { return strings.Compare(a.Name, b.Name) })
	}
	if q.Desc {
		slices.Reverse(all)
	}
	page := blueberry.EnvironmentPage{Items: all[min(skip, len(all)):]}
	if len(page.Items) > q.Limit {
		page.Items, page.Next = page.Items[:q.Limit], fmt.Sprintf("after-%d", skip+q.Limit)
	}
	return page, nil
}

// Revision gives one file.
func (h *House) Revision(_ context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantEnvironmentsRead); err != nil {
		return blueberry.Revision{}, err
	}
	e, err := h.find(id)
	if err != nil {
		return blueberry.Revision{}, err
	}
	if number > e.Revision {
		return blueberry.Revision{}, blueberry.Errorf(blueberry.NotFound, "REVISION_NOT_FOUND", "%s has no revision %d", e.Name, number)
	}
	return blueberry.Revision{Number: e.Revision, Commit: e.Commit, Rendering: rendering()}, nil
}

// RevisionInputs gives nothing but the number.
func (h *House) RevisionInputs(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error) {
	r, err := h.Revision(ctx, actor, id, number)
	return blueberry.Revision{Number: r.Number, Commit: r.Commit}, err
}

func rendering() blueberry.Rendering {
	files := []blueberry.RenderedFile{{
		Name: blueberry.FileName(0, "web"), Component: "web", Content: []byte("apiVersion: v1\nkind: Service\nmetadata:\n  name: web # <&>\n"),
		Objects: []blueberry.ObjectRef{{APIVersion: "v1", Kind: "Service", Namespace: "default-pr-1", Name: "web"}},
	}}
	return blueberry.Rendering{Digest: blueberry.DigestOf(files), Files: files}
}

// Objects gives one.
func (h *House) Objects(_ context.Context, actor blueberry.Actor, id string) ([]blueberry.LedgerEntry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantEnvironmentsRead); err != nil {
		return nil, err
	}
	e, err := h.find(id)
	if err != nil {
		return nil, err
	}
	return []blueberry.LedgerEntry{{
		ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}, Component: "web", Revision: 1, GoneAt: e.TerminatedAt,
	}}, nil
}

// Extend extends.
func (h *House) Extend(_ context.Context, actor blueberry.Actor, id string, hours int, ifVersion int64) (blueberry.Environment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantEnvironmentsExtend); err != nil {
		return blueberry.Environment{}, err
	}
	e, err := h.find(id)
	if err != nil {
		return blueberry.Environment{}, err
	}
	var f blueberry.Faults
	f.CheckHours("hours", hours)
	if err := f.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	if ifVersion != 0 && ifVersion != e.Version {
		return blueberry.Environment{}, blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED", "%s is at version %d", e.Name, e.Version)
	}
	e.Lease = e.Lease.Extend(time.Now(), hours)
	e.Version++
	h.tell(e, blueberry.EnvironmentLeaseExtended, actor.Name, fmt.Sprintf("lease extended by %d h", hours))
	return snapshot(e), nil
}

// Destroy begins the removal.
func (h *House) Destroy(_ context.Context, actor blueberry.Actor, id, _ string, ifVersion int64) (blueberry.Environment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantEnvironmentsDelete); err != nil {
		return blueberry.Environment{}, err
	}
	e, err := h.find(id)
	if err != nil {
		return blueberry.Environment{}, err
	}
	if e.Phase == blueberry.Terminating || e.Phase == blueberry.Terminated {
		return snapshot(e), nil
	}
	if ifVersion != 0 && ifVersion != e.Version {
		return blueberry.Environment{}, blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED", "%s is at version %d", e.Name, e.Version)
	}
	if err := e.Move(blueberry.Terminating, "DestroyRequested", "is being removed", time.Now()); err != nil {
		return blueberry.Environment{}, err
	}
	e.Version++
	h.tell(e, blueberry.EnvironmentDestroyAsked, actor.Name, actor.Name+" asked to destroy "+e.Name)
	return snapshot(e), nil
}
