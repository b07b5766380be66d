package source_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// spoken is a house with one repository whose host is spoken to.
func spoken(t *testing.T, s *storetest.Store, p blueberry.PullPolicy) (*house, *board, blueberry.Repository) {
	t.Helper()
	h, b := newHouse(t, s), newBoard()
	h.Hosts[blueberry.HostGitea], h.Speakers = simple{}, map[blueberry.HostKind]source.Speaker{blueberry.HostGitea: b}
	a, err := h.Add(t.Context(), owner, source.RepositoryWish{
		Name: "acme/shop", Host: blueberry.HostGitea, URL: "https://git.example.com/acme/shop.git", Secret: secret, Policy: p, Credential: "token-of-the-host",
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, b, a.Repository
}

// become sets what is known of the environment of a pull request, and has that followed as the server does.
func (h *house) become(t testing.TB, r blueberry.Repository, number int, change func(e *blueberry.Environment)) {
	t.Helper()
	id := h.pull(t, r, number).EnvironmentID
	h.world.mu.Lock()
	change(h.world.envs[id])
	h.world.mu.Unlock()
	err := (record{h.store, h}).Update(t.Context(), func(tx source.Tx) error {
		return h.Follow(t.Context(), tx, []blueberry.Event{{Type: "environment.phase", EnvironmentID: id}, {Type: "environment.phase", EnvironmentID: id}, {Type: "pull.built", EnvironmentID: "env_other"}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) repository(t testing.TB, id string) (r blueberry.Repository) {
	t.Helper()
	if err := h.store.View(t.Context(), func(tx *store.Tx) (err error) {
		r, err = tx.Repository(t.Context(), id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestHostIsTold: one comment that is edited, the status of each commit, and a deployment that is switched off in the end.
func TestHostIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := spoken(t, s, blueberry.PullPolicy{})
		h.send(t, r, "1", opened(7, 1))
		h.work(t, 5)
		h.become(t, r, 7, func(e *blueberry.Environment) {
			e.Phase, e.Message, e.Hosts = blueberry.Provisioning, "waits for <b>@all</b> | pods", []string{"web-pr-7.localhost"}
			e.Conditions = []blueberry.Condition{{Type: blueberry.Rendered, Status: blueberry.True}, {Type: blueberry.Synced, Status: blueberry.False, Message: "a `pod` is slow"}}
		})
		h.later(time.Minute)
		h.work(t, 5)
		pending := source.CommitStatus{
			State: source.StatusPending, Context: "blueberry/default", Description: "provisioning: waits for <b>@all</b> | pods", URL: "http://web-pr-7.localhost",
		}
		if got := b.statuses[commit(1)]; len(got) != 2 || got[1] != pending {
			t.Errorf("the commit bears %+v", got)
		}
		comment := b.comments[7][0]
		for _, want := range []string{"<http://web-pr-7.localhost>", "`pr-7`", commit(1), "Rendered ✓ → Synced ✗ a \\`pod\\` is slow", "provisioning:\u200b waits for \\<b\\>@\u200ball\\</b\\> \\| pods"} {
			if !strings.Contains(comment, want) {
				t.Errorf("the comment holds no %q:\n%s", want, comment)
			}
		}
		h.become(t, r, 7, func(e *blueberry.Environment) { e.Phase, e.Message, e.Conditions = blueberry.Ready, "", nil })
		h.later(time.Minute)
		h.work(t, 5)
		h.send(t, r, "2", opened(7, 2))
		h.work(t, 5)
		h.later(time.Minute)
		h.work(t, 5)
		if got := b.statuses[commit(2)]; len(got) != 1 || got[0].State != source.StatusSuccess {
			t.Errorf("the second commit bears %+v", got)
		}
		page := "https://blueberry.example.com/environments/" + h.pull(t, r, 7).EnvironmentID
		want := []source.Deployment{
			{ID: "1", Environment: "pr-7", Commit: commit(1), Branch: "topic", State: source.DeploymentInactive, URL: "http://web-pr-7.localhost", LogURL: page, Description: "another commit takes its place"},
			{ID: "2", Environment: "pr-7", Commit: commit(2), Branch: "topic", State: source.DeploymentSuccess, URL: "http://web-pr-7.localhost", LogURL: page, Description: "ready"},
		}
		if diff := cmp.Diff(want, b.deployments); diff != "" {
			t.Errorf("deployments:\n%s", diff)
		}
		h.send(t, r, "3", opened(7, 3, is(blueberry.PullMerged)))
		h.work(t, 5)
		if d := b.deployments[1]; d.State != source.DeploymentInactive || d.Description != "the environment is gone" {
			t.Errorf("in the end the deployment is %+v", d)
		}
		if got := b.comments[7]; len(got) != 1 || !strings.Contains(got[0], "removed") || !strings.Contains(got[0], "3 objects proven gone, 0 left over") {
			t.Errorf("in the end: %q", got)
		}
		was := b.calls
		h.enqueue("pull.report " + h.pull(t, r, 7).ID)
		h.work(t, 5)
		if b.calls != was || len(b.statuses[commit(2)]) != 1 || len(b.statuses[commit(3)]) != 0 {
			t.Errorf("%d calls to tell what was told; statuses %+v", b.calls-was, b.statuses)
		}
	})
}

// TestQuietAboutWhatNeverWas: a pull request that gets no environment is not commented on.
func TestQuietAboutWhatNeverWas(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	h.send(t, r, "1", opened(7, 1, func(p *blueberry.PullRequest) { p.Draft = true }))
	h.work(t, 5)
	if len(b.comments)+len(b.statuses)+len(b.deployments) > 0 {
		t.Errorf("said: %+v %+v %+v", b.comments, b.statuses, b.deployments)
	}
	if p := h.pull(t, r, 7); p.Outcome != blueberry.PullSkipped {
		t.Errorf("the pull request is %s", p.Outcome)
	}
}

// TestHostInTrouble: a host that fails is told later, less and less often, without a person; so much is said on the repository, and once as an event.
func TestHostInTrouble(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := spoken(t, s, blueberry.PullPolicy{})
		h.work(t, 3) // the first sweep
		var trouble error = &source.HostError{Status: 401, Text: "the host does not take the credential"}
		b.fails = func(string) (error, error) { return trouble, nil }
		h.send(t, r, "1", opened(7, 1))
		var waits []time.Duration
		run := func() time.Duration {
			t.Helper()
			out, err := h.Report(t.Context(), blueberry.Job{Subject: h.pull(t, r, 7).ID})
			if err != nil {
				t.Fatal(err)
			}
			return out.Again
		}
		h.run(t.Context(), "pull.reconcile "+h.pull(t, r, 7).ID)
		for range 12 {
			wait := run()
			waits = append(waits, wait)
			h.later(wait)
		}
		if waits[0] != 30*time.Second || waits[len(waits)-1] <= 5*time.Minute || waits[len(waits)-1] > time.Hour {
			t.Errorf("it waits %v", waits)
		}
		got := h.repository(t, r.ID)
		if got.Health.FailedAt.IsZero() || got.Health.Message != "the host does not take the credential" || got.Version != r.Version {
			t.Errorf("the repository says %+v (version %d, was %d)", got.Health, got.Version, r.Version)
		}
		if n := h.events(t)[blueberry.RepositoryHostFails]; n != 1 {
			t.Errorf("told %d times that the host fails", n)
		}
		b.fails = nil
		if wait := run(); wait != 0 || len(b.comments[7]) != 1 || len(b.statuses[commit(1)]) != 1 {
			t.Errorf("the host is back, and is told %+v, %+v (again in %v)", b.comments, b.statuses, wait)
		}
		if got := h.repository(t, r.ID).Health; !got.FailedAt.IsZero() || got.Message != "" || got.AnsweredAt.IsZero() {
			t.Errorf("healed, the repository says %+v", got)
		}
		if n := h.events(t)[blueberry.RepositoryHostBack]; n != 1 {
			t.Errorf("told %d times that the host is back", n)
		}
	})
}

// TestHostThatIsAskedTooOften is not spoken to before it wants to be, about no pull request of the repository; then all is told.
func TestHostThatIsAskedTooOften(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	h.work(t, 3)
	until := h.clock().Add(20 * time.Minute)
	b.fails = func(string) (error, error) {
		return &source.HostError{Status: 429, Until: until, Text: "too often"}, nil
	}
	for n := 1; n <= 3; n++ {
		h.send(t, r, fmt.Sprint(n), opened(n, n))
	}
	was := b.calls
	h.work(t, 10)
	if b.calls != was+1 {
		t.Errorf("%d calls, although the first said when to come back", b.calls-was)
	}
	if got := h.repository(t, r.ID).Health; !got.PausedUntil.Equal(until) || h.events(t)[blueberry.RepositoryHostFails] > 0 {
		t.Errorf("the repository says %+v", got)
	}
	b.fails = nil
	h.later(20 * time.Minute)
	h.work(t, 10)
	if len(b.comments) != 3 || len(b.statuses) != 3 {
		t.Errorf("told in the end: %d comments, %d statuses", len(b.comments), len(b.statuses))
	}
	if got := h.repository(t, r.ID).Health; !got.PausedUntil.IsZero() {
		t.Errorf("in the end the repository says %+v", got)
	}
}

// TestOnePartThatCannotBeTold: a conversation that is locked keeps no status from being set.
func TestOnePartThatCannotBeTold(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	b.fails = func(what string) (error, error) {
		if what == "comment" {
			return &source.HostError{Status: 403, Text: "the credential may not do this"}, nil
		}
		return nil, nil
	}
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	if len(b.statuses[commit(1)]) != 1 || len(b.deployments) != 1 || len(b.comments) != 0 {
		t.Errorf("told: %+v %+v %+v", b.statuses, b.deployments, b.comments)
	}
}

// TestSweepFindsWhatNeverArrived: and where nothing is new, it is one question that is answered by "nothing has changed".
func TestSweepFindsWhatNeverArrived(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, b, r := spoken(t, s, blueberry.PullPolicy{AtOnce: 100})
		for n := 1; n <= 60; n++ {
			b.pulls[n] = opened(n, n).Pull
		}
		b.pulls[61] = opened(61, 61, is(blueberry.PullClosed)).Pull
		h.work(t, 5)
		if got := len(h.world.running()); got != 60 {
			t.Errorf("%d environments of 60 open pull requests that were there before the repository was added", got)
		}
		b.pulls[1] = opened(1, 100, is(blueberry.PullClosed)).Pull
		b.pulls[2] = opened(2, 101).Pull
		h.enqueue("repository.sweep " + r.ID)
		h.work(t, 5)
		running := h.world.running()
		if _, there := running["pr-1"]; there || running["pr-2"] != commit(101) || len(running) != 59 {
			t.Errorf("after closing and pushing without a delivery: %d run, pr-2 with %s", len(running), running["pr-2"])
		}
		asked, unchanged := b.asked, b.unchanged
		for range 3 {
			if out, err := h.Sweep(t.Context(), blueberry.Job{Subject: r.ID}); err != nil || out.Again != source.SweepEvery {
				t.Errorf("again in %v: %v", out.Again, err)
			}
		}
		if b.asked-asked != 3 || b.unchanged-unchanged != 3 {
			t.Errorf("three idle sweeps asked %d times, %d of which for nothing", b.asked-asked, b.unchanged-unchanged)
		}
		if got := h.repository(t, r.ID).Sweep; got.Found != 63 || !got.Mark.Equal(b.pulls[2].HostAt) {
			t.Errorf("the sweep says %+v", got)
		}
	})
}

// TestCredentialGoesToItsHostOnly: whoever may change a repository cannot have the credential sent elsewhere, nor read it.
func TestCredentialGoesToItsHostOnly(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	tests := map[string]struct {
		change source.RepositoryChange
		field  string // of the fault; empty for none
	}{
		"another host":               {source.RepositoryChange{HostAPI: &blueberry.HostAPI{URL: "https://evil.example/api/v1"}}, "host_api.url"},
		"no TLS":                     {source.RepositoryChange{HostAPI: &blueberry.HostAPI{URL: "http://git.example.com/api/v1"}}, "host_api.url"},
		"a user in it":               {source.RepositoryChange{HostAPI: &blueberry.HostAPI{URL: "https://u:p@git.example.com/api/v1"}}, "host_api.url"},
		"another host to clone":      {source.RepositoryChange{URL: text("https://evil.example/acme/shop.git")}, "host_api.credential"},
		"another repository there":   {source.RepositoryChange{URL: text("https://git.example.com/acme/payroll.git")}, "host_api.credential"},
		"another port":               {source.RepositoryChange{HostAPI: &blueberry.HostAPI{URL: "https://git.example.com:8443/api/v1"}}, "host_api.credential"},
		"moved, with one of its own": {source.RepositoryChange{URL: text("https://other.example/acme/shop.git"), Credential: text("another")}, ""},
		"an App elsewhere":           {source.RepositoryChange{HostAPI: &blueberry.HostAPI{App: 1}}, "host_api.app"},
		"a line end":                 {source.RepositoryChange{Credential: text("tok\r\nX-Evil: 1")}, "host_api.credential"},
	}
	for name, test := range tests {
		h, _, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
		_, err := h.Change(t.Context(), owner, r.ID, test.change, 0)
		var e *blueberry.Error
		switch {
		case test.field == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.field != "" && (!errors.As(err, &e) || len(e.Fields) == 0 || e.Fields[0].Field != test.field):
			t.Errorf("%s: %v", name, err)
		}
	}
	h, _, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	got, err := h.Repository(t.Context(), owner, r.ID)
	if err != nil || got.Credential == nil || len(got.Credential) > 0 {
		t.Errorf("the credential is told: %q, %v", got.Credential, err)
	}
}

// TestSweepOfWhatClosedBefore: the first look at a host tells of what is open; what was thought to be open is asked for.
func TestSweepOfWhatClosedBefore(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	h.jobs = nil // the first sweep is late
	h.send(t, r, "1", opened(1, 1))
	h.work(t, 5)
	b.pulls[1] = opened(1, 2, is(blueberry.PullClosed)).Pull // and its delivery is lost
	out, err := h.Sweep(t.Context(), blueberry.Job{Subject: r.ID})
	if err != nil || out.Again >= source.SweepEvery {
		t.Errorf("again in %v: %v", out.Again, err)
	}
	if out, err = h.Sweep(t.Context(), blueberry.Job{Subject: r.ID}); err != nil || out.Again != source.SweepEvery {
		t.Errorf("again in %v: %v", out.Again, err)
	}
	h.work(t, 5)
	if got := h.world.running(); len(got) > 0 {
		t.Errorf("it runs: %v", got)
	}
	h.send(t, r, "2", opened(2, 3)) // nothing was open at the first look
	h.work(t, 5)
	b.pulls[2] = opened(2, 4, is(blueberry.PullClosed)).Pull
	if _, err = h.Sweep(t.Context(), blueberry.Job{Subject: r.ID}); err != nil {
		t.Error(err)
	}
	h.work(t, 5)
	if got := h.world.running(); len(got) > 0 {
		t.Errorf("it runs: %v", got)
	}
}

// TestRefusedCommitBearsAStatus: also the first one, and the second of two that are refused for the same reason; what runs stays on at the host.
func TestRefusedCommitBearsAStatus(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	wrong := blueberry.Faults{{Field: "components", Code: "required", Message: "is needed"}}.Err()
	bad := func(string) (error, error) { return wrong, nil }
	h.world.fails = bad
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	h.later(time.Minute)
	h.send(t, r, "2", opened(7, 2))
	h.work(t, 5)
	h.world.fails = nil
	h.later(time.Minute)
	h.send(t, r, "3", opened(7, 3))
	h.work(t, 5)
	h.world.fails = bad
	for i, at := range []int{4, 5} {
		h.later(time.Minute)
		h.send(t, r, fmt.Sprint(at), opened(7, at))
		h.work(t, 5)
		if d := b.deployments; len(d) != 1 || d[0].State != source.DeploymentSuccess || d[0].Commit != commit(3) {
			t.Errorf("refused for the %dth time; deployments: %+v", i+1, d)
		}
	}
	for at, want := range map[int]source.StatusState{1: source.StatusFailure, 2: source.StatusFailure, 3: source.StatusSuccess, 4: source.StatusFailure, 5: source.StatusFailure} {
		if got := b.statuses[commit(at)]; len(got) == 0 || got[len(got)-1].State != want {
			t.Errorf("commit %d bears %+v, want %s", at, got, want)
		}
	}
	// The lease ends: nothing runs, and the host says so.
	h.become(t, r, 7, func(e *blueberry.Environment) { e.Phase = blueberry.Terminated })
	h.work(t, 5)
	if d := b.deployments[0]; d.State != source.DeploymentInactive {
		t.Errorf("its environment is gone; the deployment is %+v", d)
	}
}

// TestOnePartIsNoTroubleOfTheHost: what the credential may not do is told on the pull request, and tried less and less often; the host is well.
func TestOnePartIsNoTroubleOfTheHost(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	h.work(t, 3)
	b.fails = func(what string) (error, error) {
		if what == "deployment" {
			return &source.HostError{Status: 403, Text: "the credential may not do this"}, nil
		}
		return nil, nil
	}
	h.send(t, r, "1", opened(7, 1))
	h.run(t.Context(), "pull.reconcile "+h.pull(t, r, 7).ID)
	var wait time.Duration
	for range 20 {
		out, err := h.Report(t.Context(), blueberry.Job{Subject: h.pull(t, r, 7).ID})
		if err != nil || out.Again < wait {
			t.Fatalf("again in %v after %v: %v", out.Again, wait, err)
		}
		wait = out.Again
		h.later(wait)
		if _, err := h.Sweep(t.Context(), blueberry.Job{Subject: r.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if told := h.events(t); wait != time.Hour || told[blueberry.RepositoryHostFails]+told[blueberry.RepositoryHostBack] > 0 || !h.repository(t, r.ID).Health.FailedAt.IsZero() {
		t.Errorf("tried again in %v; the repository says %+v", wait, h.repository(t, r.ID).Health)
	}
	b.fails = nil
	if out, err := h.Report(t.Context(), blueberry.Job{Subject: h.pull(t, r, 7).ID}); err != nil || out.Again != 0 || len(b.deployments) != 1 {
		t.Errorf("again in %v: %v", out.Again, err)
	}
}

// TestRepositoryThatIsAwayForAMoment: what could not be read is tried again, without a push.
func TestRepositoryThatIsAwayForAMoment(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"source.repository", "blueprint.repositories[0].url"} {
		h, _, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
		away := blueberry.Faults{{Field: field, Code: "repository_unreachable", Message: "waited too long for its turn"}}.Err()
		h.world.fails = func(string) (error, error) { return away, nil }
		h.send(t, r, "1", opened(7, 1))
		h.work(t, 3)
		if p := h.pull(t, r, 7); p.Outcome != blueberry.PullBlocked {
			t.Errorf("%s: the pull request is %s: %s", field, p.Outcome, p.Message)
		}
		h.world.fails = nil
		h.work(t, 3)
		if p := h.pull(t, r, 7); p.Outcome != blueberry.PullBuilt {
			t.Errorf("%s: the pull request is %s: %s", field, p.Outcome, p.Message)
		}
	}
}

// TestClockOfAHostThatIsAhead: a time far in the future does not keep sweeps from what happens until then.
func TestClockOfAHostThatIsAhead(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	b.pulls[1] = opened(1, 1).Pull
	b.pulls[2] = opened(2, 2, func(p *blueberry.PullRequest) { p.HostAt = p.HostAt.AddDate(1, 0, 0) }).Pull
	h.work(t, 5)
	if got := h.repository(t, r.ID).Sweep.Mark; !got.Equal(b.pulls[1].HostAt) {
		t.Errorf("the mark is %v", got)
	}
}

// TestSweepsGoOnAtAStart: a server that starts has each repository swept that has a credential.
func TestSweepsGoOnAtAStart(t *testing.T) {
	t.Parallel()
	h, _, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	h.add(t, "acme/listens", blueberry.PullPolicy{})
	h.jobs = nil
	if err := h.SweepAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"repository.sweep " + r.ID}, h.jobs); diff != "" {
		t.Error(diff)
	}
}

// TestHostAwayIsNoRefusal: while the host gives no token, a private repository is not read as anybody, which would look as if it were gone.
func TestHostAwayIsNoRefusal(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		says error
		want error
	}{
		"away":       {&source.HostError{Text: "the host does not answer"}, blueberry.Unavailable},
		"broken":     {&source.HostError{Status: 502, Text: "the host answered 502"}, blueberry.Unavailable},
		"too often":  {&source.HostError{Status: 403, Until: time.Unix(1<<40, 0), Text: "later"}, blueberry.Unavailable},
		"says no":    {&source.HostError{Status: 401, Text: "the host does not take the credential"}, blueberry.Invalid},
		"not theirs": {nil, blueberry.Invalid},
	} {
		h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
		h.Trees = open(t, source.Config{})
		b.fails = func(string) (error, error) { return test.says, nil }
		project := r.Project
		if test.says == nil {
			project = "other"
		}
		// Nobody listens there: whoever reads as anybody is told that it cannot be reached, which is Invalid.
		if _, err := h.Tree(t.Context(), project, "https://git.example.com/acme/shop", "-"); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
