package source_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// blueprintOf is one as the house writes them.
func blueprintOf(rules blueberry.PullRules, components ...blueberry.Component) string {
	if len(components) == 0 {
		components = []blueberry.Component{{Name: "web", Image: "nginx:1"}}
	}
	js, _ := json.Marshal(blueberry.Blueprint{Name: "shop", Components: components, PullRequests: rules})
	return string(js)
}

func component(name string, paths ...string) blueberry.Component {
	return blueberry.Component{Name: name, Image: "nginx:1", Paths: paths}
}

// mainCommit is where the branch is that pull requests of these tests go to.
const mainAt = 900

// governed is a house with a repository whose main has a blueprint.
func governed(t *testing.T, policy blueberry.PullPolicy, content string) (*house, *remote, blueberry.Repository) {
	t.Helper()
	h := newHouse(t, storetest.SQLite(t))
	m := h.withRemote()
	m.branches["main"] = commit(mainAt)
	if content != "" {
		m.blueprints[commit(mainAt)] = content
	}
	return h, m, h.add(t, "acme/shop", policy)
}

// TestPolicyInTheRepository: what the branch that a pull request goes to says of it fills what the policy leaves open, and opens nothing that it keeps shut.
func TestPolicyInTheRepository(t *testing.T) {
	t.Parallel()
	draft := func(p *blueberry.PullRequest) { p.Draft = true }
	for name, c := range map[string]struct {
		policy  blueberry.PullPolicy
		file    string
		change  func(*blueberry.PullRequest)
		outcome blueberry.PullOutcome
		says    string
	}{
		"nothing in it":               {file: blueprintOf(blueberry.PullRules{}), outcome: blueberry.PullBuilt},
		"no file":                     {outcome: blueberry.PullBuilt},
		"off":                         {file: blueprintOf(blueberry.PullRules{Off: true}), outcome: blueberry.PullSkipped, says: "makes no environments, says blueberry.yaml of main"},
		"a label":                     {file: blueprintOf(blueberry.PullRules{Labels: []string{"preview"}}), outcome: blueberry.PullSkipped, says: "no label of preview, says blueberry.yaml of main"},
		"another label by the policy": {policy: blueberry.PullPolicy{Labels: []string{"x"}}, file: blueprintOf(blueberry.PullRules{Labels: []string{"preview"}}), outcome: blueberry.PullSkipped, says: "no label of x"},
		"another base":                {file: blueprintOf(blueberry.PullRules{Bases: []string{"release/*"}}), outcome: blueberry.PullSkipped, says: "a branch that the policy does not name"},
		"drafts":                      {file: blueprintOf(blueberry.PullRules{Drafts: true}), change: draft, outcome: blueberry.PullBuilt},
		"drafts of nobody":            {file: blueprintOf(blueberry.PullRules{}), change: draft, outcome: blueberry.PullSkipped, says: "draft"},
		"what cannot be read":         {file: "{", outcome: blueberry.PullBuilt, says: "what blueberry.yaml of main says of pull requests is not used: name: must be set"},
		"a fault of the section":      {file: blueprintOf(blueberry.PullRules{Off: true, Hours: 999}), outcome: blueberry.PullBuilt, says: "is not used: pullRequests.hours"},
		"no such branch":              {change: func(p *blueberry.PullRequest) { p.BaseRef = "none" }, outcome: blueberry.PullBuilt, says: "there is no branch none"},
		"a fork, which it cannot open": {file: blueprintOf(blueberry.PullRules{Drafts: true}), change: func(p *blueberry.PullRequest) {
			p.HeadRepo, p.HeadURL = "ada/shop", "https://git.example.com/ada/shop.git"
		}, outcome: blueberry.PullSkipped, says: "fork"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _, r := governed(t, c.policy, c.file)
			if c.change == nil {
				c.change = func(*blueberry.PullRequest) {}
			}
			h.send(t, r, "1", opened(7, 1, c.change))
			h.work(t, 5)
			p := h.pull(t, r, 7)
			if p.Outcome != c.outcome || !strings.Contains(p.Message, c.says) || c.says == "" && strings.Contains(p.Message, "blueberry.yaml") {
				t.Errorf("%s: %q, want %s: …%s…", p.Outcome, p.Message, c.outcome, c.says)
			}
			h.enqueue("pull.reconcile " + p.ID)
			h.work(t, 5)
			if again := h.pull(t, r, 7); again.Version != p.Version {
				t.Errorf("looked at again it became %s: %q", again.Outcome, again.Message)
			}
		})
	}
}

// TestPullRequestChangesNoPolicy: what its own commit says of pull requests counts for nothing, until it is in the branch that it goes to; then it counts at
// once for all that go there.
func TestPullRequestChangesNoPolicy(t *testing.T) {
	t.Parallel()
	h, m, r := governed(t, blueberry.PullPolicy{Hours: 12}, blueprintOf(blueberry.PullRules{Labels: []string{"preview"}, Hours: 100, AtOnce: 1}))
	m.blueprints[commit(1)] = blueprintOf(blueberry.PullRules{})
	h.send(t, r, "1", opened(7, 1))
	h.later(time.Second) // who came first goes first
	h.send(t, r, "2", opened(8, 2))
	h.work(t, 5)
	if p := h.pull(t, r, 7); p.Outcome != blueberry.PullSkipped || len(h.world.running()) != 0 {
		t.Fatalf("%s: %s", p.Outcome, p.Message)
	}
	h.later(time.Minute)
	m.blueprints[commit(mainAt+1)] = blueprintOf(blueberry.PullRules{AtOnce: 1})
	if d := h.send(t, r, "3", m.push("main", commit(mainAt+1), h.clock())); d.Verdict != blueberry.DeliveryAccepted || !strings.Contains(d.Reason, "pull requests that go to main") {
		t.Errorf("%s: %s", d.Verdict, d.Reason)
	}
	h.work(t, 5)
	if diff := cmp.Diff(map[string]string{"pr-7": commit(1)}, h.world.running()); diff != "" {
		t.Error(diff)
	}
	if p := h.pull(t, r, 8); p.Outcome != blueberry.PullWaiting || !strings.Contains(p.Message, "allows 1 environments at once") {
		t.Errorf("beyond the bound in the file: %s: %s", p.Outcome, p.Message)
	}
	if got := h.world.wishes[0].Hours; got != 12 {
		t.Errorf("a lease of %d hours", got)
	}
	if d := h.send(t, r, "4", m.push("topic", commit(5), h.clock())); d.Verdict != blueberry.DeliveryIgnored {
		t.Errorf("a push that is about nothing: %s: %s", d.Verdict, d.Reason)
	}
}

// TestManyPullRequestsToOneBranch: a push there has all of them looked at, by one job.
func TestManyPullRequestsToOneBranch(t *testing.T) {
	t.Parallel()
	h, m, r := governed(t, blueberry.PullPolicy{Off: true}, "")
	for n := range 60 {
		h.send(t, r, fmt.Sprint(n), opened(n+1, n+1))
	}
	h.work(t, 5)
	h.later(time.Minute)
	h.send(t, r, "push", m.push("main", commit(mainAt+1), h.clock()))
	if !slices.Equal(h.jobs, []string{"pulls.review " + r.ID}) {
		t.Errorf("jobs: %d, the first %s", len(h.jobs), h.jobs[0])
	}
}

// TestBranchThatDoesNotAnswer: what waits is tried again, and what runs stays as it is.
func TestBranchThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h, m, r := governed(t, blueberry.PullPolicy{}, "")
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	for i, err := range []error{unreachable(), blueberry.Errorf(blueberry.Unavailable, "AWAY", "it is away"), errors.New("something else")} {
		m.fails = func() error { return err }
		h.send(t, r, fmt.Sprint("new", i), opened(8+i, 2))
		h.enqueue("pull.reconcile " + h.pull(t, r, 7).ID)
		h.work(t, 3)
		if p := h.pull(t, r, 7); p.Outcome != blueberry.PullBuilt {
			t.Errorf("%v: what ran is %s: %s", err, p.Outcome, p.Message)
		}
		if p := h.pull(t, r, 8+i); p.Outcome == blueberry.PullBuilt || p.Outcome == blueberry.PullRefused || len(h.jobs) == 0 {
			t.Errorf("%v: the new one is %s: %s", err, p.Outcome, p.Message)
		}
	}
	m.fails = nil
	h.work(t, 5)
	if len(h.world.running()) != 4 || len(h.jobs) != 0 {
		t.Errorf("in the end %v run, jobs %v", h.world.running(), h.jobs)
	}
}

// TestOnlyWhereItMatters: a pull request that gets nothing anyway, or is closed, has no branch read.
func TestOnlyWhereItMatters(t *testing.T) {
	t.Parallel()
	h, m, r := governed(t, blueberry.PullPolicy{Labels: []string{"x"}}, blueprintOf(blueberry.PullRules{}))
	h.send(t, r, "1", opened(7, 1))
	h.send(t, r, "2", opened(8, 2, is(blueberry.PullClosed)))
	h.work(t, 5)
	if m.trees != 0 {
		t.Errorf("%d trees were read", m.trees)
	}
}

// TestPathsOfPullRequests: who changes nothing that the policy, or a component, names gets no environment.
func TestPathsOfPullRequests(t *testing.T) {
	t.Parallel()
	api, web := component("api", "api/**"), component("web", "web", "shared/**")
	for name, c := range map[string]struct {
		policy  blueberry.PullPolicy
		file    string
		changed source.Changed
		change  func(*blueberry.PullRequest)
		outcome blueberry.PullOutcome
		says    string
		commits map[string]string
		looks   int
	}{
		"the policy names one": {policy: blueberry.PullPolicy{Paths: []string{"src/**"}}, changed: source.Changed{Files: []string{"docs/x", "src/a/b"}}, outcome: blueberry.PullBuilt, looks: 1},
		"the policy names none": {
			policy: blueberry.PullPolicy{PathsIgnore: []string{"docs/**", "**/*.md"}}, changed: source.Changed{Files: []string{"docs/a", "README.md", "x/y.md"}},
			outcome: blueberry.PullSkipped, says: "it changes nothing that the policy names: docs/a and 2 more", looks: 1,
		},
		"no file is changed":  {policy: blueberry.PullPolicy{Paths: []string{"src"}}, outcome: blueberry.PullSkipped, says: "no file is another one", looks: 1},
		"the file names none": {file: blueprintOf(blueberry.PullRules{Paths: []string{"src"}}), changed: source.Changed{Files: []string{"a"}}, outcome: blueberry.PullSkipped, says: "policy names: a", looks: 1},
		"the policy wins": {
			policy: blueberry.PullPolicy{Paths: []string{"a"}}, file: blueprintOf(blueberry.PullRules{Paths: []string{"src"}, PathsIgnore: []string{"a"}}), changed: source.Changed{Files: []string{"a"}},
			outcome: blueberry.PullBuilt, looks: 1,
		},
		"too much":              {policy: blueberry.PullPolicy{Paths: []string{"src"}}, changed: source.Changed{All: "it changes more than 10000 files"}, outcome: blueberry.PullBuilt, says: "every file counts as changed: it changes more", looks: 1},
		"one component":         {file: blueprintOf(blueberry.PullRules{}, api, web), changed: source.Changed{Files: []string{"api/main.go"}}, outcome: blueberry.PullBuilt, commits: map[string]string{"web": commit(mainAt)}, looks: 1},
		"both components":       {file: blueprintOf(blueberry.PullRules{}, api, web), changed: source.Changed{Files: []string{"api/main.go", "shared/x"}}, outcome: blueberry.PullBuilt, looks: 1},
		"no component":          {file: blueprintOf(blueberry.PullRules{}, api, web), changed: source.Changed{Files: []string{"docs/x"}}, outcome: blueberry.PullSkipped, says: "nothing that a component is built from: docs/x", looks: 1},
		"one without paths":     {file: blueprintOf(blueberry.PullRules{}, api, component("rest")), changed: source.Changed{Files: []string{"docs/x"}}, outcome: blueberry.PullBuilt, commits: map[string]string{"api": commit(mainAt)}, looks: 1},
		"none with paths":       {file: blueprintOf(blueberry.PullRules{}, component("rest")), changed: source.Changed{Files: []string{"docs/x"}}, outcome: blueberry.PullBuilt},
		"the blueprint changes": {file: blueprintOf(blueberry.PullRules{}, api, web), changed: source.Changed{Files: []string{"blueberry.yaml"}}, outcome: blueberry.PullBuilt, looks: 1},
		"a component of another repository": {
			file: blueprintOf(blueberry.PullRules{}, api, blueberry.Component{Name: "side", Image: "nginx:1", Repository: "side", Paths: []string{"x"}}), changed: source.Changed{Files: []string{"x"}},
			outcome: blueberry.PullBuilt, // its blueprint is not valid, since it names no such repository, so nothing of it counts
			says:    "is not used",
		},
		"a fork of a member": {
			policy: blueberry.PullPolicy{Forks: true}, file: blueprintOf(blueberry.PullRules{}, api, web), changed: source.Changed{Files: []string{"api/main.go"}},
			change: func(p *blueberry.PullRequest) {
				p.Author, p.HeadRepo, p.HeadURL = "ada", "ada/shop", "https://git.example.com/ada/shop.git"
			},
			outcome: blueberry.PullBuilt, looks: 1,
		},
		"an outsider": {
			policy: blueberry.PullPolicy{Forks: true, Outsiders: true}, file: blueprintOf(blueberry.PullRules{}, api, web), changed: source.Changed{Files: []string{"api/main.go"}},
			change: func(p *blueberry.PullRequest) {
				p.Author, p.Relation, p.HeadRepo, p.HeadURL = "eve", blueberry.RelationOutsider, "eve/shop", "https://git.example.com/eve/shop.git"
			},
			outcome: blueberry.PullBuilt, commits: map[string]string{"web": commit(mainAt)}, looks: 1,
		},
		"an outsider who changes nothing": {
			policy: blueberry.PullPolicy{Forks: true, Outsiders: true}, file: blueprintOf(blueberry.PullRules{}, api, web), changed: source.Changed{Files: []string{"x"}},
			change: func(p *blueberry.PullRequest) {
				p.Author, p.Relation, p.HeadRepo, p.HeadURL = "eve", blueberry.RelationOutsider, "eve/shop", "https://git.example.com/eve/shop.git"
			},
			outcome: blueberry.PullSkipped, says: "nothing that a component", looks: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, m, r := governed(t, c.policy, c.file)
			m.changed[commit(1)] = c.changed
			if c.file != "" {
				m.blueprints[commit(1)] = c.file
			}
			if c.change == nil {
				c.change = func(*blueberry.PullRequest) {}
			}
			h.send(t, r, "1", opened(7, 1, c.change))
			h.work(t, 5)
			p := h.pull(t, r, 7)
			if p.Outcome != c.outcome || !strings.Contains(p.Message, c.says) {
				t.Errorf("%s: %q, want %s: …%s…", p.Outcome, p.Message, c.outcome, c.says)
			}
			if len(m.compared) != c.looks {
				t.Errorf("compared: %q", m.compared)
			}
			if c.outcome != blueberry.PullBuilt {
				return
			}
			if c.commits == nil {
				c.commits = map[string]string{}
			}
			if diff := cmp.Diff(c.commits, h.world.wishes[0].Commits); diff != "" {
				t.Errorf("commits:\n%s", diff)
			}
		})
	}
}

// TestComponentsThatTheCommitLacks: a component that main got since is none of the pull request's, and what main became since moves nothing.
func TestComponentsThatTheCommitLacks(t *testing.T) {
	t.Parallel()
	api, web := component("api", "api/**"), component("web", "web/**")
	h, m, r := governed(t, blueberry.PullPolicy{}, blueprintOf(blueberry.PullRules{}, api, web, component("new", "new/**")))
	m.blueprints[commit(1)] = blueprintOf(blueberry.PullRules{}, api, web)
	m.changed[commit(1)] = source.Changed{Files: []string{"api/x"}}
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	if diff := cmp.Diff(map[string]string{"web": commit(mainAt)}, h.world.wishes[0].Commits); diff != "" {
		t.Error(diff)
	}
	m.blueprints[commit(mainAt+1)] = m.blueprints[commit(mainAt)]
	h.later(time.Minute)
	h.send(t, r, "2", m.push("main", commit(mainAt+1), h.clock()))
	h.work(t, 5)
	if n := len(h.world.wishes); n != 1 {
		t.Errorf("%d wishes", n)
	}
	m.blueprints[commit(2)], m.changed[commit(2)] = m.blueprints[commit(1)], source.Changed{Files: []string{"api/x", "web/x"}}
	h.send(t, r, "3", opened(7, 2))
	h.work(t, 5)
	if got := h.world.wishes[len(h.world.wishes)-1]; got.Commit != commit(2) || len(got.Commits) != 0 || got.Commits == nil {
		t.Errorf("the next push: %+v", got)
	}
	// A push that takes back all that it changed has nothing to show.
	m.blueprints[commit(3)], m.changed[commit(3)] = m.blueprints[commit(1)], source.Changed{}
	h.send(t, r, "4", opened(7, 3))
	h.work(t, 5)
	if p := h.pull(t, r, 7); p.Outcome != blueberry.PullEnded || len(h.world.running()) != 0 {
		t.Errorf("%s: %s", p.Outcome, p.Message)
	}
}

// TestManyPushesToTheBase: what a commit changes is not asked again for each push to the branch that it goes to.
func TestManyPushesToTheBase(t *testing.T) {
	t.Parallel()
	h, m, r := governed(t, blueberry.PullPolicy{Paths: []string{"src/**"}}, "")
	m.changed[commit(2)] = source.Changed{Files: []string{"docs/x"}}
	h.send(t, r, "1", opened(7, 1))
	h.send(t, r, "2", opened(8, 2))
	for n := range 10 {
		h.later(time.Second)
		h.send(t, r, fmt.Sprint("push", n), m.push("main", commit(mainAt+n+1), h.clock()))
		h.work(t, 5)
	}
	if len(m.compared) != 2 {
		t.Errorf("compared %d times: %q", len(m.compared), m.compared)
	}
	h.later(2 * time.Hour)
	m.changed[commit(2)] = source.Changed{Files: []string{"src/x"}} // the branch was put back to before it parted
	h.send(t, r, "back", m.push("main", commit(mainAt), h.clock()))
	h.work(t, 5)
	if p := h.pull(t, r, 8); p.Outcome != blueberry.PullBuilt {
		t.Errorf("%s: %s", p.Outcome, p.Message)
	}
}

// TestBranchNamedAsACommit: where a host abbreviates commits, a branch with the digits as its name is not what is compared.
func TestBranchNamedAsACommit(t *testing.T) {
	t.Parallel()
	h, m, r := governed(t, blueberry.PullPolicy{Paths: []string{"src/**"}}, "")
	short := strings.Repeat("a", 12)
	m.named = map[string]string{short: commit(5)}
	h.send(t, r, "1", opened(7, 1, func(p *blueberry.PullRequest) { p.HeadCommit = short }))
	h.work(t, 5)
	if p := h.pull(t, r, 7); len(m.compared) > 0 || !strings.Contains(p.Message, "is the name of something else than the commit") {
		t.Errorf("%s: %s; compared %q", p.Outcome, p.Message, m.compared)
	}
}
