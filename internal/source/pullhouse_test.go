package source_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

var (
	owner    = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "ada", Grants: []blueberry.Grant{blueberry.GrantAll}}
	viewer   = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "rob", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleViewer.Grants()}}
	stranger = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_3", Name: "eve", Projects: map[string][]blueberry.Grant{"other": blueberry.RoleAdmin.Grants()}}
)

const secret = "a-secret-of-the-webhook"

// house is the operations on a real record, with a host that is easy to sign for and a place for environments.
type house struct {
	*source.Repositories
	store *storetest.Store
	world *world

	mu       sync.Mutex
	now      time.Time
	jobs     []string // "kind subject", each at most once
	comments int      // that were written
}

func newHouse(t *testing.T, s *storetest.Store) *house {
	t.Helper()
	h := &house{store: s, world: &world{envs: map[string]*blueberry.Environment{}, commits: map[string]string{}, keys: map[string]string{}}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	h.Repositories = &source.Repositories{
		Record: record{s, h}, Seal: plainSeal{}, Environments: h.world, Controls: h.world, Hosts: map[blueberry.HostKind]source.Host{blueberry.HostGeneric: simple{}},
		PublicURL: "https://blueberry.example.com", Now: h.clock,
	}
	h.world.now = h.clock
	if err := s.Update(t.Context(), func(tx *store.Tx) error {
		return tx.PutProject(t.Context(), blueberry.Project{Name: blueberry.DefaultProject, CreatedAt: h.now})
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *house) later(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

func (h *house) add(t *testing.T, name string, p blueberry.PullPolicy) blueberry.Repository {
	t.Helper()
	a, err := h.Add(t.Context(), owner, source.RepositoryWish{Name: name, Host: blueberry.HostGeneric, URL: "https://git.example.com/" + name + ".git", Secret: secret, Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	return a.Repository
}

// send delivers what a host says, signed.
func (h *house) send(t testing.TB, r blueberry.Repository, id string, s said) blueberry.Delivery {
	t.Helper()
	d, err := h.Receive(t.Context(), h.call(r, id, s))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (h *house) call(r blueberry.Repository, id string, s said) source.Call {
	if s.Repository == "" {
		s.Repository = r.Name
	}
	body, _ := json.Marshal(s)
	return source.Call{Repository: r.ID, Header: signed(id, secret, body), Body: body, Size: int64(len(body)), From: "192.0.2.1"}
}

func signed(id, secret string, body []byte) http.Header {
	return http.Header{"X-Request-Id": {id}, "X-Event-Key": {"pull"}, "X-Hub-Signature": {mac(secret, body)}}
}

// work runs the jobs that wait until none does, or as many rounds as given.
func (h *house) work(t testing.TB, rounds int) {
	t.Helper()
	for range rounds {
		h.mu.Lock()
		jobs := h.jobs
		h.jobs = nil
		h.mu.Unlock()
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			h.run(t.Context(), j)
		}
	}
}

// run does one run of a job. One that failed or wants to run again waits for the next round.
func (h *house) run(ctx context.Context, job string) {
	kind, subject, _ := strings.Cut(job, " ")
	worker := map[blueberry.JobKind]func(context.Context, blueberry.Job) (blueberry.JobOutcome, error){
		blueberry.JobPullReconcile: h.Reconcile, blueberry.JobPullsReview: h.Review, blueberry.JobPullReport: h.Report, blueberry.JobRepositorySweep: h.Sweep,
		blueberry.JobPullCommand: h.Command, blueberry.JobBranchReconcile: h.ReconcileBranch, blueberry.JobBranchReport: h.ReportBranch, blueberry.JobBranchesSweep: h.SweepBranches,
		blueberry.JobSourceMoved: h.SourceMoved,
	}[blueberry.JobKind(kind)]
	out, err := worker(ctx, blueberry.Job{Kind: blueberry.JobKind(kind), Subject: subject})
	swept := kind == string(blueberry.JobBranchesSweep) && out.Again == source.SweepEvery
	if err != nil || out.Again > 0 && !swept && kind != string(blueberry.JobRepositorySweep) { // sweeps without news are begun by the tests
		h.enqueue(job)
	}
}

// restart is another server on the same record: it knows nothing but what stands there.
func (h *house) restart() {
	was := h.Repositories
	h.Repositories = &source.Repositories{
		Record: was.Record, Seal: was.Seal, Environments: was.Environments, Controls: was.Controls, Hosts: was.Hosts, Speakers: was.Speakers, Trees: was.Trees, Histories: was.Histories, Blueprints: was.Blueprints, PublicURL: was.PublicURL, Now: was.Now,
	}
}

func (h *house) enqueue(job string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.jobs, job) {
		h.jobs = append(h.jobs, job)
	}
}

// pull reads what is known of a pull request.
func (h *house) pull(t testing.TB, r blueberry.Repository, number int) (p blueberry.PullRequest) {
	t.Helper()
	if err := h.store.View(t.Context(), func(tx *store.Tx) (err error) {
		p, err = tx.FindPull(t.Context(), r.ID, number)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

// record notes the jobs of the transactions that committed.
type record struct {
	s *storetest.Store
	h *house
}

func (r record) Update(ctx context.Context, f func(source.Tx) error) error {
	var jobs []string
	err := r.s.Update(ctx, func(tx *store.Tx) error {
		jobs = nil
		return f(noting{tx, &jobs})
	})
	if err == nil {
		for _, j := range jobs {
			r.h.enqueue(j)
		}
	}
	return err
}

func (r record) View(ctx context.Context, f func(source.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

type noting struct {
	source.Tx
	jobs *[]string
}

func (n noting) Enqueue(_ context.Context, kind blueberry.JobKind, subject string) error {
	*n.jobs = append(*n.jobs, string(kind)+" "+subject)
	return nil
}

// plainSeal seals nothing, but what it gives can be opened with the same words only.
type plainSeal struct{}

func (plainSeal) Seal(plain []byte, bound string) ([]byte, error) {
	return append([]byte(bound+"\n"), plain...), nil
}

func (plainSeal) Open(sealed []byte, bound string) ([]byte, error) {
	if len(sealed) <= len(bound) || string(sealed[:len(bound)]) != bound {
		return nil, errors.New("bound to something else")
	}
	return sealed[len(bound)+1:], nil
}

// simple is a host whose deliveries are JSON of said.
type simple struct{}

type said struct {
	Repository string                 `json:"repository"`
	Action     string                 `json:"action"`
	Reopened   bool                   `json:"reopened,omitempty"`
	Pull       blueberry.PullRequest  `json:"pull"`
	Comment    *blueberry.PullComment `json:"comment,omitempty"`
	Pushes     []blueberry.BranchPush `json:"pushes,omitempty"`

	Sign *blueberry.EnvironmentSign `json:"sign,omitempty"`
}

func mac(secret string, body []byte) string {
	sum := sha256.Sum256(append([]byte(secret+"\n"), body...))
	return hex.EncodeToString(sum[:])
}

func (simple) Named(h http.Header) (id, event string) {
	return h.Get("X-Request-Id"), h.Get("X-Event-Key")
}

func (simple) Signed(h http.Header, body []byte, secrets []string, _ time.Time) bool {
	return slices.ContainsFunc(secrets, func(s string) bool { return mac(s, body) == h.Get("X-Hub-Signature") })
}

func (simple) Read(_ http.Header, body []byte) (source.Incoming, error) {
	var s said
	if err := json.Unmarshal(body, &s); err != nil {
		return source.Incoming{}, errors.New("the body is no JSON")
	}
	in := source.Incoming{Repository: s.Repository, Action: s.Action, Reopened: s.Reopened, Ping: s.Action == "ping"}
	in.Comment, in.Sign, in.Pushes = s.Comment, s.Sign, s.Pushes
	if s.Pull.Number > 0 {
		in.Pull = &s.Pull
	}
	return in, nil
}

// world is where environments are.
type world struct {
	mu      sync.Mutex
	now     func() time.Time
	envs    map[string]*blueberry.Environment
	commits map[string]string // by id of the environment
	keys    map[string]string // of requests, to the id
	creates int
	moves   int
	ends    int
	cost    *blueberry.EnvironmentCost // of each
	wishes  []source.EnvironmentWish   // that were done
	did     []string                   // by commands
	lines   []source.LogLine
	fails   func(what string) (before, after error) // nil for never
}

func (w *world) fail(what string) (before, after error) {
	if w.fails == nil {
		return nil, nil
	}
	return w.fails(what)
}

func (w *world) Environment(_ context.Context, id string) (blueberry.Environment, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.envs[id]; e != nil {
		return *e, nil
	}
	return blueberry.Environment{}, blueberry.NotFound
}

func (w *world) Cost(_ context.Context, id string) (*blueberry.EnvironmentCost, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.envs[id] == nil {
		return nil, blueberry.NotFound
	}
	return w.cost, nil
}

func (w *world) Receipt(_ context.Context, id string) (blueberry.Receipt, error) {
	return blueberry.Receipt{EnvironmentID: id, EndedAt: w.now(), Cost: w.cost, Lines: make([]blueberry.ReceiptLine, 3)}, nil
}

func (w *world) Made(_ context.Context, _ blueberry.Actor, wish source.EnvironmentWish) (blueberry.Environment, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.envs[w.keys[wish.Key]]; e != nil {
		return *e, nil
	}
	return blueberry.Environment{}, blueberry.NotFound
}

func (w *world) Create(_ context.Context, actor blueberry.Actor, wish source.EnvironmentWish) (blueberry.Environment, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, after := w.fail("create")
	if before != nil {
		return blueberry.Environment{}, "", before
	}
	if err := actor.CanIn(wish.Project, blueberry.GrantEnvironmentsCreate); err != nil {
		return blueberry.Environment{}, "", err
	}
	id, made := w.keys[wish.Key]
	if !made {
		for _, e := range w.envs {
			if e.Name == wish.Name && e.Project == wish.Project && e.Phase != blueberry.Terminated {
				return blueberry.Environment{}, "", blueberry.Faults{{Field: "name", Code: "taken", Message: "is taken"}}.Err()
			}
		}
		id = blueberry.NewID(blueberry.EnvironmentID, w.now())
		w.envs[id] = &blueberry.Environment{
			ID: id, Project: wish.Project, Name: wish.Name, Phase: blueberry.Ready, Restricted: wish.Restricted,
			Source: blueberry.Source{Repository: wish.Repository, Ref: wish.Ref},
		}
		w.wishes = append(w.wishes, wish)
		w.commits[id], w.keys[wish.Key] = whole(wish.Commit), id
		w.creates++
	}
	return *w.envs[id], w.commits[id], after
}

func (w *world) Move(_ context.Context, _ blueberry.Actor, id string, wish source.EnvironmentWish) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, after := w.fail("move")
	if before != nil {
		return before
	}
	if w.commits[id] != whole(wish.Commit) || w.envs[id].Source.Ref != wish.Ref {
		w.envs[id].Source.Ref = wish.Ref
		w.commits[id] = whole(wish.Commit)
		w.moves++
		w.wishes = append(w.wishes, wish)
	}
	return after
}

func (w *world) Destroy(_ context.Context, _ blueberry.Actor, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, after := w.fail("destroy")
	if before != nil {
		return before
	}
	if e := w.envs[id]; e.Phase != blueberry.Terminated {
		e.Phase = blueberry.Terminated
		w.ends++
	}
	return after
}

// running is the commits of the environments that live, by name.
func (w *world) running() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]string{}
	for id, e := range w.envs {
		if e.Phase != blueberry.Terminated {
			out[e.Name] = w.commits[id]
		}
	}
	return out
}

// whole is the commit that an abbreviation means.
func whole(commit string) string { return commit + strings.Repeat("0", 40-len(commit)) }

func commit(n int) string { return fmt.Sprintf("%040x", n) }

// opened is an open pull request of the repository itself.
func opened(number, at int, change ...func(*blueberry.PullRequest)) said {
	p := blueberry.PullRequest{
		Number: number, Title: "change", Author: "ada", Relation: blueberry.RelationMember, State: blueberry.PullOpen, HeadRef: "topic", HeadCommit: commit(at),
		HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: time.Date(2026, 3, 1, 11, 0, at, 0, time.UTC),
	}
	for _, f := range change {
		f(&p)
	}
	return said{Action: "opened", Pull: p}
}

func is(state blueberry.PullState) func(*blueberry.PullRequest) {
	return func(p *blueberry.PullRequest) { p.State = state }
}

// events counts what was told.
func (h *house) events(t testing.TB) map[blueberry.EventType]int {
	t.Helper()
	out := map[blueberry.EventType]int{}
	if err := h.store.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Events(t.Context(), blueberry.EventQuery{Limit: 500})
		for _, e := range list {
			out[e.Type]++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
