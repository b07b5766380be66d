package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// remote is the Git side of the house: where branches are, what stands in commits, and what commits change. A blueprint of it is JSON.
type remote struct {
	mu         sync.Mutex
	branches   map[string]string
	blueprints map[string]string // by commit
	named      map[string]string // what a ref is, where that is another commit
	changed    map[string]source.Changed
	trees      int // that were read
	compared   []string
	fails      func() error // nil for never
}

// withRemote gives a house such a side.
func (h *house) withRemote() *remote {
	m := &remote{branches: map[string]string{}, blueprints: map[string]string{}, changed: map[string]source.Changed{}}
	h.Trees, h.Histories, h.Blueprints = m, m, readJSON
	return m
}

// readJSON reads blueprints as the house writes them.
func readJSON(content []byte) (b blueberry.Blueprint, err error) {
	if err := json.Unmarshal(content, &b); err != nil {
		return b, blueberry.Faults{{Field: "name", Code: "required", Message: "must be set"}}.Err()
	}
	return b, b.Check()
}

func (m *remote) fail() error {
	if m.fails == nil {
		return nil
	}
	return m.fails()
}

func (m *remote) FetchAs(_ context.Context, _ source.Login, _, ref string) (*source.Tree, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trees++
	if err := m.fail(); err != nil {
		return nil, err
	}
	at := ref
	if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		if at = m.branches[name]; at == "" {
			return nil, blueberry.Faults{{Field: "source.ref", Code: "ref_not_found", Message: "there is no branch " + name}}.Err()
		}
	}
	if commit, ok := m.named[ref]; ok {
		at = commit
	}
	files := fstest.MapFS{}
	if content, ok := m.blueprints[at]; ok {
		files["blueberry.yaml"] = &fstest.MapFile{Data: []byte(content)}
	}
	return source.NewTree(at, fs.FS(files)), nil
}

func (m *remote) Changed(_ context.Context, base, head source.CommitOf) (source.Changed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(); err != nil {
		return source.Changed{}, err
	}
	m.compared = append(m.compared, base.Commit+" "+head.Commit+" "+head.Repository)
	if known, ok := m.changed[head.Commit]; ok {
		return known, nil
	}
	return source.Changed{Files: []string{"src/main.go"}}, nil
}

func (m *remote) Branches(context.Context, source.Login, string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.branches), m.fail()
}

// push has a branch be at a commit, and gives what the host says of that; an empty commit ends it.
func (m *remote) push(branch, commit string, at time.Time) said {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.branches[branch] = commit; commit == "" {
		delete(m.branches, branch)
	}
	return said{Action: "push", Pushes: []blueberry.BranchPush{{Branch: branch, Commit: commit, At: at}}}
}

func unreachable() error {
	return blueberry.Faults{{Field: "source.repository", Code: "repository_unreachable", Message: "its host cannot be reached"}}.Err()
}

func (h *house) rules(t *testing.T, r blueberry.Repository, rules ...blueberry.BranchRule) {
	t.Helper()
	if _, err := h.Change(t.Context(), owner, r.ID, source.RepositoryChange{Rules: &rules}, 0); err != nil {
		t.Fatal(err)
	}
}

func (h *house) branchOf(t testing.TB, r blueberry.Repository, name string) (b blueberry.Branch) {
	t.Helper()
	if err := h.store.View(t.Context(), func(tx *store.Tx) (err error) {
		b, err = tx.FindBranch(t.Context(), r.ID, name)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBranchHasItsEnvironment: pushed, pushed on, pushed by force, gone, and there again.
func TestBranchHasItsEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		m := h.withRemote()
		r := h.add(t, "acme/shop", blueberry.PullPolicy{})
		h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
		h.work(t, 5)
		step := func(what string, d blueberry.Delivery, want map[string]string, outcome blueberry.PullOutcome) {
			t.Helper()
			h.later(time.Minute)
			h.work(t, 8)
			if diff := cmp.Diff(want, h.world.running()); diff != "" {
				t.Errorf("%s (%s: %s):\n%s", what, d.Verdict, d.Reason, diff)
			}
			if b := h.branchOf(t, r, "main"); b.Outcome != outcome {
				t.Errorf("%s: %s: %s", what, b.Outcome, b.Message)
			}
		}
		push := func(branch string, n int) said {
			h.later(time.Second)
			return m.push(branch, commit(n), h.clock())
		}
		first := push("main", 1)
		step("pushed", h.send(t, r, "1", first), map[string]string{"staging": commit(1)}, blueberry.PullBuilt)
		step("another branch", h.send(t, r, "x", push("other", 9)), map[string]string{"staging": commit(1)}, blueberry.PullBuilt)
		step("pushed on", h.send(t, r, "2", push("main", 2)), map[string]string{"staging": commit(2)}, blueberry.PullBuilt)
		step("the first push, late", h.send(t, r, "1b", first), map[string]string{"staging": commit(2)}, blueberry.PullBuilt)
		step("by force, back", h.send(t, r, "3", push("main", 1)), map[string]string{"staging": commit(1)}, blueberry.PullBuilt)
		h.later(time.Second)
		step("gone", h.send(t, r, "4", m.push("main", "", h.clock())), map[string]string{}, blueberry.PullEnded)
		step("there again", h.send(t, r, "5", push("main", 1)), map[string]string{"staging": commit(1)}, blueberry.PullBuilt)
		if h.world.creates != 2 || h.world.moves != 2 || h.world.ends != 1 || len(h.jobs) > 0 {
			t.Errorf("%d were made, %d moved, %d ended; jobs %v", h.world.creates, h.world.moves, h.world.ends, h.jobs)
		}
		list, err := h.Deliveries(t.Context(), owner, "", blueberry.DeliveryQuery{RepositoryID: r.ID, Verdict: blueberry.DeliveryAccepted})
		if err != nil || len(list) != 5 {
			t.Errorf("%d deliveries were accepted: %v", len(list), err)
		}
		if e := h.events(t); e[blueberry.BranchBuilt] == 0 || e[blueberry.BranchEnded] != 1 {
			t.Errorf("events: %v", e)
		}
	})
}

// TestBranchThatWaitsForApproval: its environment moves when somebody deploys the commit that it has, and not another.
func TestBranchThatWaitsForApproval(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	m.push("trunk", commit(99), h.clock()) // no repository is without any branch
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.rules(t, r, blueberry.BranchRule{Branch: "release/*", Environment: "rel-{branch}", Mode: blueberry.BranchApproval})
	rule := blueberry.BranchRule{Environment: "rel-{branch}"}
	name := rule.EnvironmentName("release/1")
	push := func(n int) {
		h.later(time.Minute)
		h.send(t, r, fmt.Sprint(n), m.push("release/1", commit(n), h.clock()))
		h.work(t, 8)
	}
	push(1)
	b := h.branchOf(t, r, "release/1")
	if b.Outcome != blueberry.PullWaiting || len(h.world.running()) != 0 {
		t.Fatalf("%s: %s", b.Outcome, b.Message)
	}
	maintainer := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_5", Name: "mia", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleMaintainer.Grants()}}
	for _, c := range []struct {
		actor  blueberry.Actor
		commit string
		want   error
		code   string
	}{
		{viewer, "", blueberry.Forbidden, ""},
		{stranger, "", blueberry.NotFound, "BRANCH_NOT_FOUND"},
		{blueberry.Actor{Kind: blueberry.ActorJob, Name: "repository", Grants: []blueberry.Grant{blueberry.GrantAll}}, "", blueberry.Forbidden, ""},
		{maintainer, commit(9), blueberry.Conflict, "BRANCH_MOVED"},
		{maintainer, "main", blueberry.Invalid, ""},
	} {
		var e *blueberry.Error
		if _, err := h.Deploy(t.Context(), c.actor, b.ID, c.commit, nil); !errors.Is(err, c.want) || c.code != "" && (!errors.As(err, &e) || e.Code != c.code) {
			t.Errorf("%s deploys %q: %v", c.actor.Name, c.commit, err)
		}
	}
	if b, err := h.Deploy(t.Context(), maintainer, b.ID, commit(1), nil); err != nil || b.ApprovedCommit != commit(1) || b.ApprovedBy != "mia" {
		t.Errorf("%+v, %v", b, err)
	}
	h.work(t, 8)
	if diff := cmp.Diff(map[string]string{name: commit(1)}, h.world.running()); diff != "" {
		t.Error(diff)
	}
	push(2)
	if b = h.branchOf(t, r, "release/1"); b.Outcome != blueberry.PullWaiting || h.world.running()[name] != commit(1) || !strings.Contains(b.Message, "its environment runs") {
		t.Errorf("%s: %s", b.Outcome, b.Message)
	}
	if _, err := h.Deploy(t.Context(), maintainer, b.ID, "", nil); err != nil {
		t.Fatal(err)
	}
	h.work(t, 8)
	if b = h.branchOf(t, r, "release/1"); b.Outcome != blueberry.PullBuilt || h.world.running()[name] != commit(2) {
		t.Errorf("%s: %s", b.Outcome, b.Message)
	}
	// An environment that ended is not made again by itself, but by who deploys.
	if err := h.world.Destroy(t.Context(), owner, b.EnvironmentID); err != nil {
		t.Fatal(err)
	}
	h.enqueue("branch.reconcile " + b.ID)
	h.work(t, 8)
	if b = h.branchOf(t, r, "release/1"); b.Outcome != blueberry.PullEnded || len(h.world.running()) != 0 {
		t.Errorf("%s: %s", b.Outcome, b.Message)
	}
	if _, err := h.Deploy(t.Context(), maintainer, b.ID, "", nil); err != nil {
		t.Fatal(err)
	}
	h.work(t, 8)
	if h.world.running()[name] != commit(2) {
		t.Error("who deploys what ended gets nothing")
	}
	// Gone and back, what was deployed before counts no more.
	h.later(time.Minute)
	h.send(t, r, "gone", m.push("release/1", "", h.clock()))
	h.work(t, 8)
	push(3)
	if b = h.branchOf(t, r, "release/1"); b.Outcome != blueberry.PullWaiting || len(h.world.running()) != 0 {
		t.Errorf("%s: %s", b.Outcome, b.Message)
	}
	e := h.events(t)
	if e[blueberry.BranchDeployed] != 3 || e[blueberry.BranchDeployRefused] != 1 {
		t.Errorf("events: %v", e)
	}
}

// TestWhatEndsWithABranch: what a rule, a pin or nobody keeps.
func TestWhatEndsWithABranch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule    blueberry.BranchRule
		pinned  bool
		unruled bool
		stays   bool
		says    string
	}{
		"the rule keeps it":  {rule: blueberry.BranchRule{Keep: true}, stays: true, says: "as the rule says"},
		"it is pinned":       {pinned: true, stays: true, says: "pinned"},
		"nothing keeps it":   {says: "gone"},
		"no rule is of it":   {unruled: true, stays: true, says: "no rule"},
		"it has a long life": {rule: blueberry.BranchRule{Hours: 100}, says: "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.SQLite(t))
			m := h.withRemote()
			r := h.add(t, "acme/shop", blueberry.PullPolicy{})
			c.rule.Branch, c.rule.Environment = "main", "staging"
			m.push("trunk", commit(99), h.clock())
			m.push("main", commit(1), h.clock())
			h.rules(t, r, c.rule) // without any delivery: Git is asked
			h.work(t, 8)
			b := h.branchOf(t, r, "main")
			if len(h.world.running()) != 1 || b.EnvironmentID == "" {
				t.Fatalf("%s: %s", b.Outcome, b.Message)
			}
			if c.pinned {
				h.world.envs[b.EnvironmentID].Lease.PinnedBy = "ada"
			}
			if c.unruled {
				h.rules(t, r)
				h.work(t, 8)
				if b := h.branchOf(t, r, "main"); b.Outcome != blueberry.PullSkipped || len(h.world.running()) != 1 {
					t.Errorf("without a rule: %s: %s", b.Outcome, b.Message)
				}
			}
			h.later(time.Minute)
			m.push("main", "", h.clock())
			h.enqueue("branches.sweep " + r.ID)
			h.work(t, 8)
			if b := h.branchOf(t, r, "main"); (len(h.world.running()) == 1) != c.stays || !strings.Contains(b.Message, c.says) || b.Outcome != blueberry.PullEnded {
				t.Errorf("%s: %s; %v run", b.Outcome, b.Message, h.world.running())
			}
			h.later(blueberry.KeepGoneBranch + time.Hour)
			h.enqueue("branches.sweep " + r.ID)
			h.work(t, 8)
			if list, err := h.Branches(t.Context(), owner, "", blueberry.BranchQuery{}); err != nil || len(list) != 0 {
				t.Errorf("a month later %v is known, %v", list, err)
			}
		})
	}
}

// TestNobodyIsBelievedThatABranchIsGone: Git is asked before an environment ends, and an answer without any branch is no answer. What is read again tells of
// what was once.
func TestNobodyIsBelievedThatABranchIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
	h.work(t, 8)
	send := func(id string, say said) blueberry.Delivery {
		t.Helper()
		h.later(time.Minute)
		if len(say.Pushes) > 0 && say.Pushes[0].At.IsZero() {
			say.Pushes[0].At = h.clock()
		}
		return h.send(t, r, id, say)
	}
	untimed := said{Action: "push", Pushes: []blueberry.BranchPush{{Branch: "main", Commit: commit(1)}}}
	m.push("main", commit(1), h.clock())
	h.later(time.Minute)
	first := h.send(t, r, "1", untimed)
	h.work(t, 8)
	send("2", m.push("main", commit(2), h.clock().Add(time.Minute)))
	h.work(t, 8)
	runs := func(what string, want map[string]string) {
		t.Helper()
		h.work(t, 8)
		if diff := cmp.Diff(want, h.world.running()); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
	two := map[string]string{"staging": commit(2)}
	if d := send("forged", said{Action: "push", Pushes: []blueberry.BranchPush{{Branch: "main"}}}); !strings.Contains(d.Reason, "Git is asked") {
		t.Errorf("%s: %s", d.Verdict, d.Reason)
	}
	runs("a deletion that was none", two)
	before := h.branchOf(t, r, "main")
	if again, err := h.Replay(t.Context(), owner, first.ID, true); err != nil || h.branchOf(t, r, "main").Version != before.Version || len(h.jobs) > 0 {
		t.Errorf("a dry run gives %+v, %v; jobs %v", again, err, h.jobs)
	}
	if _, err := h.Replay(t.Context(), owner, first.ID, false); err != nil || h.branchOf(t, r, "main").HeadCommit != commit(2) {
		t.Errorf("read again it is at %s, %v", h.branchOf(t, r, "main").HeadCommit, err)
	}
	runs("read again", two)
	m.push("main", "", h.clock())
	send("gone", said{Action: "push", Pushes: []blueberry.BranchPush{{Branch: "main"}}})
	runs("a repository without branches", two)
	if say := h.repository(t, r.ID).Branches.Message; !strings.Contains(say, "not believed") {
		t.Errorf("it says %q", say)
	}
	m.push("trunk", commit(99), h.clock())
	h.enqueue("branches.sweep " + r.ID)
	runs("it is gone", map[string]string{})
	if h.world.moves != 1 || h.world.creates != 1 {
		t.Errorf("%d were made, %d moved", h.world.creates, h.world.moves)
	}
}

// TestDryRunOfAPush: that of one which would move a branch writes nothing.
func TestDryRunOfAPush(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	d := h.send(t, r, "1", said{Action: "push", Pushes: []blueberry.BranchPush{{Branch: "main", Commit: commit(1)}}})
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
	h.later(time.Minute)
	for range 2 {
		again, err := h.Replay(t.Context(), owner, d.ID, true)
		if err != nil || again.Delivery.Verdict != blueberry.DeliveryAccepted {
			t.Errorf("%+v, %v", again, err)
		}
		h.send(t, r, "2", said{Action: "push", Pushes: []blueberry.BranchPush{{Branch: "main", Commit: commit(2)}}})
		h.later(time.Minute)
	}
	if b := h.branchOf(t, r, "main"); b.HeadCommit != commit(2) {
		t.Errorf("it is at %s", b.HeadCommit)
	}
}

// TestWhatWasDeployedBeforeTheRuleWaited counts no more: what runs stays when a rule begins to wait for somebody.
func TestWhatWasDeployedBeforeTheRuleWaited(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	automatic := blueberry.BranchRule{Branch: "main", Environment: "staging"}
	waits := automatic
	waits.Mode = blueberry.BranchApproval
	m.push("main", commit(1), h.clock())
	h.rules(t, r, waits)
	h.work(t, 8)
	deploy := func() {
		t.Helper()
		if _, err := h.Deploy(t.Context(), owner, h.branchOf(t, r, "main").ID, "", nil); err != nil {
			t.Fatal(err)
		}
		h.work(t, 8)
	}
	deploy()
	h.rules(t, r, automatic)
	h.later(time.Minute)
	h.send(t, r, "2", m.push("main", commit(2), h.clock()))
	h.work(t, 8)
	h.rules(t, r, waits)
	h.work(t, 8)
	if b := h.branchOf(t, r, "main"); h.world.running()["staging"] != commit(2) || h.world.moves != 1 {
		t.Errorf("%v runs, after %d moves: %s: %s", h.world.running(), h.world.moves, b.Outcome, b.Message)
	}
	// An environment that has ended, which nobody has noted yet, is made again by who deploys.
	if err := h.world.Destroy(t.Context(), owner, h.branchOf(t, r, "main").EnvironmentID); err != nil {
		t.Fatal(err)
	}
	deploy()
	if b := h.branchOf(t, r, "main"); h.world.running()["staging"] != commit(2) || b.Outcome != blueberry.PullBuilt {
		t.Errorf("%v runs: %s: %s", h.world.running(), b.Outcome, b.Message)
	}
}

// TestDeployedWhileItIsLookedAt: what a job has found before does not undo that somebody deployed it.
func TestDeployedWhileItIsLookedAt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	m.push("main", commit(1), h.clock())
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
	h.work(t, 8)
	b := h.branchOf(t, r, "main")
	if err := h.world.Destroy(t.Context(), owner, b.EnvironmentID); err != nil {
		t.Fatal(err)
	}
	h.Environments = looksLate{h.world, func() {
		if _, err := h.Deploy(t.Context(), owner, b.ID, "", nil); err != nil {
			t.Error(err)
		}
	}}
	h.run(t.Context(), "branch.reconcile "+b.ID)
	h.Environments = h.world
	h.work(t, 8)
	if got := h.world.running()["staging"]; got != commit(1) {
		t.Errorf("%q runs", got)
	}
}

// looksLate does something while an environment is looked at.
type looksLate struct {
	*world
	meanwhile func()
}

func (l looksLate) Environment(ctx context.Context, id string) (blueberry.Environment, error) {
	e, err := l.world.Environment(ctx, id)
	l.meanwhile()
	return e, err
}

// TestNameThatIsTaken: an environment of somebody else is never moved, and its name asked for less and less often.
func TestNameThatIsTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	if _, _, err := h.world.Create(t.Context(), owner, source.EnvironmentWish{Project: blueberry.DefaultProject, Name: "staging", Commit: commit(7), Key: "of somebody"}); err != nil {
		t.Fatal(err)
	}
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	m.push("main", commit(1), h.clock())
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
	h.work(t, 5)
	var waits []time.Duration
	for range 3 {
		out, err := h.ReconcileBranch(t.Context(), blueberry.Job{Subject: h.branchOf(t, r, "main").ID})
		if err != nil {
			t.Fatal(err)
		}
		waits = append(waits, out.Again)
		h.later(time.Hour)
	}
	if diff := cmp.Diff([]time.Duration{5 * time.Second, 30 * time.Minute, time.Hour}, waits); diff != "" {
		t.Error(diff)
	}
	if b := h.branchOf(t, r, "main"); b.Outcome != blueberry.PullBlocked || h.world.running()["staging"] != commit(7) {
		t.Errorf("%s: %s", b.Outcome, b.Message)
	}
}

// TestAnotherEnvironmentByTheRule: the one before goes, and another is made.
func TestAnotherEnvironmentByTheRule(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	m.push("main", commit(1), h.clock())
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
	h.work(t, 8)
	pinned := h.branchOf(t, r, "main").EnvironmentID
	h.world.envs[pinned].Lease.PinnedBy = "ada"
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "testing"})
	h.work(t, 8)
	if b := h.branchOf(t, r, "main"); b.Outcome != blueberry.PullBlocked || !strings.Contains(b.Message, "staging is pinned") || h.world.running()["staging"] != commit(1) {
		t.Errorf("pinned: %s: %s", b.Outcome, b.Message)
	}
	h.world.envs[pinned].Lease.PinnedBy = ""
	h.enqueue("branches.sweep " + r.ID)
	h.work(t, 8)
	if diff := cmp.Diff(map[string]string{"testing": commit(1)}, h.world.running()); diff != "" {
		t.Error(diff)
	}
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "testing", Off: true})
	h.later(time.Minute)
	h.send(t, r, "2", m.push("main", commit(2), h.clock()))
	h.work(t, 8)
	if b := h.branchOf(t, r, "main"); b.Outcome != blueberry.PullSkipped || h.world.running()["testing"] != commit(1) {
		t.Errorf("off: %s: %s", b.Outcome, b.Message)
	}
	if _, err := h.Deploy(t.Context(), owner, h.branchOf(t, r, "main").ID, "", nil); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("deployed where the rule is off: %v", err)
	}
}

// TestHostileNamesOfBranches: each has an environment with a name of its own, and what cannot be a name of a branch has none.
func TestHostileNamesOfBranches(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.withRemote().fails = unreachable
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.rules(t, r, blueberry.BranchRule{Branch: "**", Environment: "b-{branch}"})
	good := []string{"$(reboot)", "`id`", "a;b", "a|b", "'", `"`, "{{.Secret}}", "${commit}", "&anchor", "!tag", "#x", "ä/ö", "日本", "UPPER", "a--b", "feature/a", "feature-a"}
	bad := []string{"", "-rf", "--upload-pack=x", "../../etc/passwd", "..", "a b", "a\nb", "a\x00b", "a: b", "x.lock", "a/.b", "@{", "refs~1", "a\\b", strings.Repeat("x", 256)}
	h.later(time.Minute)
	for i, name := range slices.Concat(good, bad) {
		h.send(t, r, fmt.Sprint(i), said{Pushes: []blueberry.BranchPush{{Branch: name, Commit: commit(i + 1), At: h.clock()}}})
		h.work(t, 1)
	}
	h.work(t, 8)
	if n := len(h.world.running()); n != len(good) {
		t.Errorf("%d environments of %d branches: %v", n, len(good), slices.Sorted(maps.Keys(h.world.running())))
	}
	for _, w := range h.world.wishes {
		if w.Repository != r.URL || len(w.Commit) != 40 || strings.ContainsAny(w.Name, "$`;|'\"{}&!# /") {
			t.Errorf("wished for %+v", w)
		}
	}
}

// TestNoMoreBranchesThanTheBound: a host with a thousand branches does not make a thousand environments.
func TestNoMoreBranchesThanTheBound(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	for i := range 120 {
		m.push(fmt.Sprintf("b%03d", i), commit(i+1), h.clock())
	}
	h.rules(t, r, blueberry.BranchRule{Branch: "**", Environment: "{branch}"})
	h.work(t, 8)
	if n, say := len(h.world.running()), h.repository(t, r.ID).Branches.Message; n != blueberry.MaxBranches || !strings.Contains(say, "20 branches") {
		t.Errorf("%d environments; %q", n, say)
	}
	h.later(time.Minute)
	if d := h.send(t, r, "1", m.push("c", commit(500), h.clock())); !strings.Contains(d.Reason, "gets no environment") {
		t.Errorf("one more: %s: %s", d.Verdict, d.Reason)
	}
}

// TestGitDoesNotAnswer: that is told, and asked again less and less often.
func TestGitDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	m.push("main", commit(1), h.clock())
	m.fails = unreachable
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
	h.work(t, 3)
	if w := h.repository(t, r.ID).Branches; !w.At.IsZero() || w.Failed.IsZero() || !strings.Contains(w.Message, "cannot be reached") || len(h.jobs) != 1 {
		t.Errorf("%+v; jobs %v", w, h.jobs)
	}
	m.fails = nil
	h.work(t, 8)
	if w := h.repository(t, r.ID).Branches; w.At.IsZero() || !w.Failed.IsZero() || w.Message != "" || w.Found != 1 || h.world.running()["staging"] != commit(1) {
		t.Errorf("%+v; %v run", w, h.world.running())
	}
}

// TestLeaseAsLongAsTheBranch: it is extended before it ends, unless the rule says how long it is.
func TestLeaseAsLongAsTheBranch(t *testing.T) {
	t.Parallel()
	for hours, want := range map[int]int{0: 1, 30: 0} {
		h := newHouse(t, storetest.SQLite(t))
		m := h.withRemote()
		r := h.add(t, "acme/shop", blueberry.PullPolicy{})
		m.push("main", commit(1), h.clock())
		h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging", Hours: hours})
		h.work(t, 8)
		b := h.branchOf(t, r, "main")
		h.world.envs[b.EnvironmentID].Lease = blueberry.Lease{ExpiresAt: h.clock().Add(24 * time.Hour)}
		before := h.world.envs[b.EnvironmentID].Lease.ExpiresAt
		for range 2 {
			h.later(6*time.Hour + time.Minute)
			h.enqueue("branches.sweep " + r.ID)
			h.work(t, 8)
		}
		if after := h.world.envs[b.EnvironmentID].Lease.ExpiresAt; after.After(before) != (want == 1) {
			t.Errorf("with %d hours: from %s to %s", hours, before, after)
		}
	}
}

// TestBranchesEqualAModel: a thousand pushes, of which a tenth is lost, a tenth doubled and a fifth out of order, in the same second or later, by force, with
// branches that go and come again; answers that are lost, and servers that die. What runs in the end is what Git says, and nothing was made twice.
func TestBranchesEqualAModel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		const branches, events = 12, 1000
		dice := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // which deliveries a test doubles is no secret
		h := newHouse(t, s)
		m := h.withRemote()
		r := h.add(t, "acme/shop", blueberry.PullPolicy{})
		rules := []blueberry.BranchRule{{Branch: "b1", Environment: "one"}, {Branch: "b*", Environment: "e-{branch}"}}
		h.rules(t, r, rules...)
		lost := blueberry.Errorf(blueberry.Unavailable, "LOST", "the answer is lost")
		died := errors.New("the server died")
		h.world.fails = func(string) (before, after error) {
			switch dice.IntN(20) {
			case 0:
				return lost, nil
			case 1:
				return nil, lost // it was done nevertheless
			case 2:
				return nil, died
			}
			return nil, nil
		}
		m.fails = func() error {
			switch dice.IntN(10) {
			case 0:
				return unreachable()
			case 1:
				return died
			}
			return nil
		}
		var late []said
		dropped, doubled, moved := 0, 0, 0
		send := func(i int, say said) { h.send(t, r, fmt.Sprintf("%d-%d", i, dice.IntN(1000)), say) }
		for i := range events {
			branch := fmt.Sprintf("b%d", dice.IntN(branches))
			to := commit(1 + dice.IntN(events)) // often one that it had before
			if _, ok := m.branches[branch]; ok && dice.IntN(4) == 0 {
				to = ""
			}
			say := m.push(branch, to, h.clock().Truncate(time.Second).Add(-2*time.Second)) // the clock of the host is behind
			switch dice.IntN(10) {
			case 0:
				dropped++
			case 1:
				send(i, say)
				send(i, say)
				doubled++
			case 2, 3:
				late = append(late, say)
				moved++
			default:
				send(i, say)
			}
			if len(late) > 5 {
				k := dice.IntN(len(late))
				send(i, late[k])
				late = slices.Delete(late, k, k+1)
			}
			if dice.IntN(3) == 0 {
				h.later(time.Duration(dice.IntN(3000)) * time.Millisecond)
			}
			if dice.IntN(5) == 0 {
				h.work(t, 1)
			}
			if i%100 == 50 {
				h.enqueue("branches.sweep " + r.ID)
			}
			if i%300 == 299 {
				h.restart()
			}
		}
		for i, say := range late {
			send(events+i, say)
		}
		settle := func() {
			h.later(time.Minute)
			h.enqueue("branches.sweep " + r.ID)
			for range 60 {
				h.later(10 * time.Second)
				h.work(t, 1)
			}
		}
		settle()
		h.world.fails, m.fails = nil, nil
		settle()
		want := map[string]string{}
		for name, at := range m.branches {
			rule, _ := blueberry.Repository{Rules: rules}.RuleOf(name)
			want[rule.EnvironmentName(name)] = at
		}
		if diff := cmp.Diff(want, h.world.running()); diff != "" {
			t.Errorf("-model +running:\n%s", diff)
		}
		if h.world.creates != h.world.ends+len(want) {
			t.Errorf("%d were made and %d ended, of which %d should live", h.world.creates, h.world.ends, len(want))
		}
		t.Logf("of %d pushes %d were dropped, %d doubled and %d late; %d found by Git", events, dropped, doubled, moved, h.repository(t, r.ID).Branches.Found)
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.jobs) > 0 {
			t.Errorf("it never comes to rest: %v", h.jobs)
		}
	})
}

// TestPushesOutOfOrder: what was pushed before counts no more, whether it comes late or Git said it a moment ago; and what a server asked for which died ends.
func TestPushesOutOfOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
	h.work(t, 8)
	at := h.clock()
	h.later(time.Minute)
	push := func(id string, n int, after time.Duration) {
		h.send(t, r, id, said{Action: "push", Pushes: []blueberry.BranchPush{{Branch: "main", Commit: commit(n), At: at.Add(after)}}})
	}
	push("2", 2, 2*time.Second)
	push("1", 1, time.Second)
	if b := h.branchOf(t, r, "main"); b.HeadCommit != commit(2) {
		t.Errorf("after a push that came late it is at %s", b.HeadCommit)
	}
	m.push("main", commit(2), h.clock())
	m.fails = func() error { // while Git answers
		h.later(time.Second)
		push("3", 3, time.Hour)
		return nil
	}
	h.run(t.Context(), "branches.sweep "+r.ID)
	if m.fails = nil; h.branchOf(t, r, "main").HeadCommit != commit(3) {
		t.Errorf("Git, which was asked before, put it to %s", h.branchOf(t, r, "main").HeadCommit)
	}
	died := errors.New("the server died")
	h.world.fails = func(string) (before, after error) { return nil, died }
	h.work(t, 2)
	h.world.fails = nil
	m.push("main", "", h.clock())
	m.push("trunk", commit(99), h.clock())
	h.later(time.Minute)
	h.run(t.Context(), "branches.sweep "+r.ID)
	h.work(t, 8)
	if len(h.world.running()) > 0 || h.world.creates != 1 || h.world.ends != 1 {
		t.Errorf("%v run, of %d", h.world.running(), h.world.creates)
	}
}
