package source_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestPullRequestBringsItsEnvironment: opened, pushed, closed, opened again.
func TestPullRequestBringsItsEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		r := h.add(t, "acme/shop", blueberry.PullPolicy{})
		step := func(what string, d blueberry.Delivery, want map[string]string, outcome blueberry.PullOutcome) {
			t.Helper()
			h.work(t, 5)
			if diff := cmp.Diff(want, h.world.running()); diff != "" {
				t.Errorf("%s (%s: %s):\n%s", what, d.Verdict, d.Reason, diff)
			}
			if p := h.pull(t, r, 7); p.Outcome != outcome {
				t.Errorf("%s: %s: %s", what, p.Outcome, p.Message)
			}
		}
		step("opened", h.send(t, r, "1", opened(7, 1)), map[string]string{"pr-7": commit(1)}, blueberry.PullBuilt)
		step("pushed", h.send(t, r, "2", opened(7, 2)), map[string]string{"pr-7": commit(2)}, blueberry.PullBuilt)
		step("the push once more", h.send(t, r, "2", opened(7, 2)), map[string]string{"pr-7": commit(2)}, blueberry.PullBuilt)
		step("the opening, late", h.send(t, r, "3", opened(7, 1, titled("late"))), map[string]string{"pr-7": commit(2)}, blueberry.PullBuilt)
		step("the push under another id", h.send(t, r, "2b", opened(7, 2)), map[string]string{"pr-7": commit(2)}, blueberry.PullBuilt)
		step("closed", h.send(t, r, "4", opened(7, 3, is(blueberry.PullMerged))), map[string]string{}, blueberry.PullEnded)
		step("a push of before, late", h.send(t, r, "5", opened(7, 2, titled("late"))), map[string]string{}, blueberry.PullEnded)
		again := opened(7, 3)
		again.Reopened = true
		step("opened again in the same second", h.send(t, r, "6", again), map[string]string{"pr-7": commit(3)}, blueberry.PullBuilt)
		if h.world.creates != 2 || h.world.moves != 1 || h.world.ends != 1 {
			t.Errorf("%d were made, %d moved, %d ended", h.world.creates, h.world.moves, h.world.ends)
		}
		list, err := h.Deliveries(t.Context(), viewer, "", blueberry.DeliveryQuery{})
		if !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("a viewer reads deliveries: %d, %v", len(list), err)
		}
		if list, err = h.Deliveries(t.Context(), owner, "", blueberry.DeliveryQuery{RepositoryID: r.ID}); err != nil || len(list) != 8 {
			t.Fatalf("%d deliveries are kept: %v", len(list), err)
		}
		var verdicts []string
		for _, d := range slices.Backward(list) {
			verdicts = append(verdicts, d.HostID+" "+string(d.Verdict))
		}
		want := []string{"1 accepted", "2 accepted", "2 duplicate", "2b duplicate", "3 ignored", "4 accepted", "5 ignored", "6 accepted"}
		slices.Sort(verdicts)
		if diff := cmp.Diff(want, verdicts); diff != "" {
			t.Errorf("verdicts:\n%s", diff)
		}
	})
}

func titled(title string) func(*blueberry.PullRequest) {
	return func(p *blueberry.PullRequest) { p.Title = title }
}

// TestPolicyOfPullRequests: who gets an environment, and who is told why not.
func TestPolicyOfPullRequests(t *testing.T) {
	t.Parallel()
	fork := func(relation blueberry.PullRelation) func(*blueberry.PullRequest) {
		return func(p *blueberry.PullRequest) {
			p.Author, p.HeadRepo, p.HeadURL, p.Relation = "eve", "eve/shop", "https://git.example.com/eve/shop.git", relation
		}
	}
	for name, c := range map[string]struct {
		policy  blueberry.PullPolicy
		change  func(*blueberry.PullRequest)
		outcome blueberry.PullOutcome
		says    string
	}{
		"off":                    {blueberry.PullPolicy{Off: true}, nil, blueberry.PullSkipped, "makes no environments"},
		"a draft":                {blueberry.PullPolicy{}, func(p *blueberry.PullRequest) { p.Draft = true }, blueberry.PullSkipped, "draft"},
		"drafts":                 {blueberry.PullPolicy{Drafts: true}, func(p *blueberry.PullRequest) { p.Draft = true }, blueberry.PullBuilt, ""},
		"a bot":                  {blueberry.PullPolicy{}, func(p *blueberry.PullRequest) { p.Bot = true }, blueberry.PullSkipped, "bot"},
		"bots":                   {blueberry.PullPolicy{Bots: true}, func(p *blueberry.PullRequest) { p.Bot = true }, blueberry.PullBuilt, ""},
		"another base":           {blueberry.PullPolicy{Bases: []string{"release/*"}}, nil, blueberry.PullSkipped, "branch"},
		"a base by its pattern":  {blueberry.PullPolicy{Bases: []string{"release/*", "ma*"}}, nil, blueberry.PullBuilt, ""},
		"without the label":      {blueberry.PullPolicy{Labels: []string{"preview"}}, nil, blueberry.PullSkipped, "preview"},
		"with the label":         {blueberry.PullPolicy{Labels: []string{"preview"}}, func(p *blueberry.PullRequest) { p.Labels = []string{"bug", "preview"} }, blueberry.PullBuilt, ""},
		"a fork":                 {blueberry.PullPolicy{}, fork(blueberry.RelationOwner), blueberry.PullSkipped, "fork"},
		"a member's fork":        {blueberry.PullPolicy{Forks: true}, fork(blueberry.RelationMember), blueberry.PullBuilt, ""},
		"a stranger's fork":      {blueberry.PullPolicy{Forks: true}, fork(blueberry.RelationOutsider), blueberry.PullSkipped, "member"},
		"a fork of nobody knows": {blueberry.PullPolicy{Forks: true}, fork(blueberry.RelationUnknown), blueberry.PullSkipped, "member"},
		"a fork that is gone": {
			blueberry.PullPolicy{Forks: true},
			func(p *blueberry.PullRequest) { p.HeadRepo, p.HeadURL, p.Relation = "", "", blueberry.RelationMember }, blueberry.PullRefused, "gone",
		},
		"opened and closed before anybody looked": {blueberry.PullPolicy{}, is(blueberry.PullClosed), blueberry.PullSkipped, "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.SQLite(t))
			r := h.add(t, "acme/shop", c.policy)
			if c.change == nil {
				c.change = func(*blueberry.PullRequest) {}
			}
			h.send(t, r, "1", opened(7, 1, c.change))
			h.work(t, 5)
			if p := h.pull(t, r, 7); p.Outcome != c.outcome || !strings.Contains(p.Message, c.says) {
				t.Errorf("%s: %q, want %s: …%s…", p.Outcome, p.Message, c.outcome, c.says)
			}
			if n := len(h.world.running()); n == 1 != (c.outcome == blueberry.PullBuilt) {
				t.Errorf("%d environments", n)
			}
		})
	}
}

// TestLabelComesAndGoes: an environment goes with what it was made for, and a new policy counts for what is open.
func TestLabelComesAndGoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{Labels: []string{"preview"}})
	labelled := func(p *blueberry.PullRequest) { p.Labels = []string{"preview"} }
	for i, c := range []struct {
		say  said
		want int
	}{{opened(7, 1), 0}, {opened(7, 2, labelled), 1}, {opened(7, 3), 0}, {opened(7, 4, labelled), 1}} {
		h.send(t, r, fmt.Sprint(i), c.say)
		h.work(t, 5)
		if n := len(h.world.running()); n != c.want {
			t.Errorf("after %d: %d environments, want %d", i, n, c.want)
		}
	}
	h.send(t, r, "other", opened(8, 1))
	h.work(t, 5)
	if _, err := h.Change(t.Context(), owner, r.ID, source.RepositoryChange{Policy: &blueberry.PullPolicy{}}, 0); err != nil {
		t.Fatal(err)
	}
	h.work(t, 5)
	if n := len(h.world.running()); n != 2 {
		t.Errorf("after the policy needs no label: %d environments", n)
	}
	if _, err := h.Change(t.Context(), owner, r.ID, source.RepositoryChange{Policy: &blueberry.PullPolicy{Off: true}}, 0); err != nil {
		t.Fatal(err)
	}
	h.work(t, 5)
	if n := len(h.world.running()); n != 2 {
		t.Errorf("after it was turned off: %d environments", n)
	}
	h.send(t, r, "closed", opened(8, 2, is(blueberry.PullClosed)))
	h.work(t, 5)
	if n := len(h.world.running()); n != 1 {
		t.Errorf("after one was closed: %d environments", n)
	}
}

// TestWaitingLine: no more than the policy allows, first come first served.
func TestWaitingLine(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{AtOnce: 2})
	for n := 1; n <= 4; n++ {
		h.send(t, r, fmt.Sprint(n), opened(n, 1))
		h.later(time.Second)
		h.work(t, 1)
	}
	h.work(t, 3)
	if got := slices.Sorted(maps.Keys(h.world.running())); !slices.Equal(got, []string{"pr-1", "pr-2"}) {
		t.Fatalf("running: %v", got)
	}
	if p := h.pull(t, r, 3); p.Outcome != blueberry.PullWaiting || !strings.Contains(p.Message, "2 environments at once") {
		t.Errorf("%s: %s", p.Outcome, p.Message)
	}
	h.send(t, r, "closed", opened(1, 2, is(blueberry.PullClosed)))
	h.work(t, 6)
	if got := slices.Sorted(maps.Keys(h.world.running())); !slices.Equal(got, []string{"pr-2", "pr-3"}) {
		t.Errorf("after one was closed: %v", got)
	}
}

// TestWhatIsHeldUpHoldsUpNobody: who waits for something else than room takes no place in the line.
func TestWhatIsHeldUpHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{AtOnce: 1})
	taken := source.EnvironmentWish{Project: blueberry.DefaultProject, Name: "pr-1", Commit: commit(9), Key: "by hand"}
	if _, _, err := h.world.Create(t.Context(), owner, taken); err != nil {
		t.Fatal(err)
	}
	h.send(t, r, "1", opened(1, 1))
	h.work(t, 3)
	if p := h.pull(t, r, 1); p.Outcome != blueberry.PullBlocked || !strings.Contains(p.Message, "for its name") {
		t.Errorf("1 is %s: %s", p.Outcome, p.Message)
	}
	h.later(time.Second)
	h.send(t, r, "2", opened(2, 1))
	h.work(t, 3)
	if p := h.pull(t, r, 2); p.Outcome != blueberry.PullBuilt {
		t.Errorf("2 is %s: %s", p.Outcome, p.Message)
	}
}

// TestEnvironmentEndedBeforeItsPullRequest: a lease that ends is not undone; the next push makes a new environment.
func TestEnvironmentEndedBeforeItsPullRequest(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	if err := h.world.Destroy(t.Context(), owner, h.pull(t, r, 7).EnvironmentID); err != nil {
		t.Fatal(err)
	}
	labelled := opened(7, 1, func(p *blueberry.PullRequest) { p.Labels, p.HostAt = []string{"x"}, p.HostAt.Add(time.Second) })
	h.send(t, r, "2", labelled)
	h.work(t, 5)
	if p := h.pull(t, r, 7); len(h.world.running()) != 0 || p.Outcome != blueberry.PullEnded || !strings.Contains(p.Message, "next push") {
		t.Errorf("%s: %s; %v run", p.Outcome, p.Message, h.world.running())
	}
	h.send(t, r, "3", opened(7, 5))
	h.work(t, 5)
	if diff := cmp.Diff(map[string]string{"pr-7": commit(5)}, h.world.running()); diff != "" {
		t.Error(diff)
	}
}

// TestAbbreviatedCommit: a host that tells the first digits of a commit has nothing built twice.
func TestAbbreviatedCommit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	for i := range 3 {
		n := 1 + i/2
		h.send(t, r, fmt.Sprint(i), opened(7, n, titled(fmt.Sprint(i)), func(p *blueberry.PullRequest) {
			p.HeadCommit, p.HostAt = fmt.Sprintf("%012x", n), p.HostAt.Add(time.Duration(i)*time.Second)
		}))
		h.work(t, 5)
	}
	if h.world.creates != 1 || h.world.moves != 1 || len(h.jobs) > 0 {
		t.Errorf("%d were made, %d moved, jobs %v", h.world.creates, h.world.moves, h.jobs)
	}
}

// TestWhatCannotBeBuilt is told with its faults, is not tried for ever, and the next push may be better.
func TestWhatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	bad := blueberry.Faults{{Field: "blueprint.components[0].image", Code: "required", Message: "is needed"}, {Field: "hours", Code: "range", Message: "is too long"}}.Err()
	h.world.fails = func(string) (error, error) { return bad, nil }
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	if p := h.pull(t, r, 7); p.Outcome != blueberry.PullRefused || p.Message != "blueprint.components[0].image: is needed; hours: is too long" || len(h.jobs) != 0 {
		t.Errorf("%s: %s (jobs %v)", p.Outcome, p.Message, h.jobs)
	}
	h.world.fails = func(string) (error, error) {
		return blueberry.Errorf(blueberry.Unavailable, "AWAY", "the repository does not answer"), nil
	}
	h.send(t, r, "2", opened(7, 2))
	h.work(t, 3)
	if p := h.pull(t, r, 7); p.Outcome != blueberry.PullBlocked || len(h.jobs) != 1 {
		t.Errorf("%s: %s (jobs %v)", p.Outcome, p.Message, h.jobs)
	}
	h.world.fails = func(string) (error, error) {
		return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDING", "pr-7 is terminating"), nil
	}
	h.work(t, 3)
	if p := h.pull(t, r, 7); p.Outcome != blueberry.PullBlocked || len(h.jobs) != 1 {
		t.Errorf("someone else acts on it: %s: %s (jobs %v)", p.Outcome, p.Message, h.jobs)
	}
	h.world.fails = nil
	h.work(t, 3)
	if p := h.pull(t, r, 7); p.Outcome != blueberry.PullBuilt {
		t.Errorf("%s: %s", p.Outcome, p.Message)
	}
}

// TestPullRequestsEqualAModel: very many deliveries, a tenth of them lost, a tenth doubled and a fifth out of order, answers of the platform and of the host that
// get lost, workers that die after they have acted, and three servers one after the other: what runs in the end is what the host says of each pull request, and
// nothing was made twice: no environment, no comment, no status, no deployment.
func TestPullRequestsEqualAModel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		const pulls = 100
		events := 10_000
		if (underRace || s.Dialect() == store.Postgres) && os.Getenv("BLUEBERRY_TEST_SOAK") == "" {
			events = 1000 // make test has all of them once, on SQLite without the race detector; make soak has them on both
		}
		dice := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // which deliveries a test doubles is no secret
		h, b, r := spoken(t, s, blueberry.PullPolicy{AtOnce: pulls})
		m := h.withRemote()
		m.branches["main"], m.blueprints[commit(mainAt)] = commit(mainAt), blueprintOf(blueberry.PullRules{AtOnce: pulls, PathsIgnore: []string{"docs"}})
		h.later(4 * time.Hour) // the host tells of the past
		var queue []said
		dropped, doubled, moved := 0, 0, 0
		for i := range events {
			n := 1 + dice.IntN(pulls)
			say := opened(n, i+1)
			if was, ok := b.pulls[n]; ok && dice.IntN(4) == 0 && was.State == blueberry.PullOpen {
				say = opened(n, i+1, is(blueberry.PullClosed))
				say.Pull.HeadCommit = was.HeadCommit
			}
			say.Reopened = b.pulls[n].State == blueberry.PullClosed
			b.pulls[n] = say.Pull // as its host knows it in the end
			if dice.IntN(10) == 0 {
				dropped++
				continue
			}
			queue = append(queue, say)
			if dice.IntN(10) == 0 {
				queue = append(queue, say)
				doubled++
			}
			if i := len(queue) - 1 - dice.IntN(min(len(queue), 8)); dice.IntN(5) == 0 {
				queue[i], queue[len(queue)-1] = queue[len(queue)-1], queue[i]
				moved++
			}
		}
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
		b.fails = func(what string) (before, after error) {
			switch dice.IntN(20) {
			case 0:
				return &source.HostError{Status: 502, Text: "the host answered 502"}, nil
			case 1:
				return nil, &source.HostError{Text: "the host does not answer"} // it was done nevertheless
			case 2:
				return nil, died
			}
			return nil, nil
		}
		for i, say := range queue {
			h.send(t, r, fmt.Sprintf("%d-%d", say.Pull.Number, say.Pull.HostAt.Unix()), say)
			if i%40 == 0 {
				h.later(10 * time.Second)
				h.work(t, 1)
			}
			if i%(len(queue)/4) == len(queue)/8 {
				h.restart()
			}
		}
		h.enqueue("repository.sweep " + r.ID)
		for range 200 {
			h.later(10 * time.Second)
			h.work(t, 1)
		}
		h.world.fails, b.fails = nil, nil
		h.enqueue("repository.sweep " + r.ID)
		for range 50 {
			h.later(10 * time.Second)
			h.work(t, 1)
		}
		want := map[string]string{}
		for n, p := range b.pulls {
			if p.State == blueberry.PullOpen {
				want[fmt.Sprintf("pr-%d", n)] = p.HeadCommit
			}
		}
		if diff := cmp.Diff(want, h.world.running()); diff != "" {
			t.Errorf("-model +running:\n%s", diff)
		}
		if h.world.creates != h.world.ends+len(want) {
			t.Errorf("%d were made and %d ended, of which %d should live", h.world.creates, h.world.ends, len(want))
		}
		b.check(t, want)
		t.Logf("of %d events %d were dropped, %d doubled and %d moved; %d calls of the host, %d edits, %d lost deliveries found", events, dropped, doubled, moved, b.calls, b.edits, h.repository(t, r.ID).Sweep.Found)
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.jobs) > 0 {
			t.Errorf("it never comes to rest: %v", h.jobs)
		}
	})
}
