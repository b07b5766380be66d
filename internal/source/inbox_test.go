package source_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestForgedDeliveries are kept without what they say, and act on nothing.
func TestForgedDeliveries(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	body := []byte(`{"repository": "acme/shop", "action": "opened", "pull": {"Number": 7}}`)
	for name, c := range map[string]source.Call{
		"without a signature":         {Header: http.Header{}, Body: body, Size: int64(len(body))},
		"signed with another secret":  {Header: signed("x", "another-secret-of-someone", body), Body: body, Size: int64(len(body))},
		"signed with no secret":       {Header: signed("x", "", body), Body: body, Size: int64(len(body))},
		"another body than is signed": {Header: signed("x", secret, body), Body: append([]byte(" "), body...), Size: int64(len(body)) + 1},
		"too large":                   {Header: signed("x", secret, nil), Size: blueberry.MaxDelivery + 1},
	} {
		c.Repository, c.From = r.ID, "192.0.2.9"
		d, err := h.Receive(t.Context(), c)
		if err != nil || d.Verdict != blueberry.DeliveryRefused {
			t.Fatalf("%s: %s, %v", name, d.Verdict, err)
		}
		kept, err := h.Delivery(t.Context(), owner, d.ID)
		if err != nil || len(kept.Body) > 0 || kept.From != "192.0.2.9" || kept.PullID != "" || strings.Contains(fmt.Sprint(kept.Headers), "Signature") {
			t.Errorf("%s: kept %+v, %v", name, kept, err)
		}
		if _, err := h.Replay(t.Context(), owner, d.ID, false); !isCode(err, "DELIVERY_EMPTY") {
			t.Errorf("%s: is read again: %v", name, err)
		}
	}
	if len(h.jobs) > 0 {
		t.Errorf("jobs: %v", h.jobs)
	}
	if _, err := h.Receive(t.Context(), source.Call{Repository: "rep_none", Header: http.Header{}}); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("of no repository: %v", err)
	}
	events := h.events(t)
	if n := events[blueberry.DeliveryRejected]; n != 1 {
		t.Errorf("told %d times within an hour", n)
	}
}

// TestWhatIsNotActedOn is kept with the reason.
func TestWhatIsNotActedOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	other := opened(7, 1)
	other.Repository = "acme/other"
	for name, c := range map[string]struct {
		say     said
		verdict blueberry.DeliveryVerdict
	}{
		"a ping":             {said{Action: "ping"}, blueberry.DeliveryIgnored},
		"a push":             {said{Action: "push"}, blueberry.DeliveryIgnored},
		"another repository": {other, blueberry.DeliveryIgnored},
	} {
		if d := h.send(t, r, name, c.say); d.Verdict != c.verdict || d.Reason == "" || d.PullID != "" {
			t.Errorf("%s: %s: %s", name, d.Verdict, d.Reason)
		}
	}
	body := []byte(`{"repository": `)
	d, err := h.Receive(t.Context(), source.Call{Repository: r.ID, Header: signed("cut", secret, body), Body: body, Size: int64(len(body))})
	if err != nil || d.Verdict != blueberry.DeliveryUnread {
		t.Errorf("a body that is cut off: %s, %v", d.Verdict, err)
	}
	if len(h.jobs) > 0 {
		t.Errorf("jobs: %v", h.jobs)
	}
}

// TestClockOfTheHostIsWrong: a time far ahead does not keep out what comes later.
func TestClockOfTheHostIsWrong(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.send(t, r, "1", opened(7, 1, func(p *blueberry.PullRequest) { p.HostAt = h.clock().Add(1000 * time.Hour) }))
	h.later(time.Minute)
	h.send(t, r, "2", opened(7, 2, is(blueberry.PullClosed), func(p *blueberry.PullRequest) { p.HostAt = h.clock() }))
	if p := h.pull(t, r, 7); p.State != blueberry.PullClosed {
		t.Errorf("it is %s as of %s", p.State, p.HostAt)
	}
}

// TestSecretsRotate: two live while one takes the other's place; never three.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	say := func(secret string) blueberry.DeliveryVerdict {
		t.Helper()
		body := []byte(fmt.Sprintf(`{"action": "ping", "repository": %q}`, secret))
		d, err := h.Receive(t.Context(), source.Call{Repository: r.ID, Header: signed("", secret, body), Body: body, Size: int64(len(body))})
		if err != nil {
			t.Fatal(err)
		}
		return d.Verdict
	}
	second, err := h.Rotate(t.Context(), owner, r.ID, "")
	if err != nil || len(second.Secret.Value) < 32 || len(second.Repository.Secrets) > 0 {
		t.Fatalf("rotated to %+v: %v", second, err)
	}
	if a, b := say(secret), say(second.Secret.Value); a != blueberry.DeliveryIgnored || b != blueberry.DeliveryIgnored {
		t.Errorf("while both live: %s, %s", a, b)
	}
	third, err := h.Rotate(t.Context(), owner, r.ID, "a-third-secret-of-mine")
	if err != nil {
		t.Fatal(err)
	}
	h.later(time.Second)
	if a, b, c := say(secret), say(second.Secret.Value+""), say(third.Secret.Value); a != blueberry.DeliveryRefused || b != blueberry.DeliveryDuplicate || c != blueberry.DeliveryIgnored {
		t.Errorf("after the second time: %s, %s, %s", a, b, c)
	}
	h.later(blueberry.WebhookOverlap)
	if b, c := say(second.Secret.Value), say(third.Secret.Value); b != blueberry.DeliveryRefused || c != blueberry.DeliveryDuplicate {
		t.Errorf("after a week: %s, %s", b, c)
	}
	for _, short := range []string{"short", strings.Repeat("x", 256), "with a \x00 in it, long enough"} {
		if _, err := h.Rotate(t.Context(), owner, r.ID, short); !errors.Is(err, blueberry.Invalid) {
			t.Errorf("%q: %v", short, err)
		}
	}
}

// TestReplay: a dry run keeps nothing, a replay has the pull request looked at though it says no news.
func TestReplay(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	first := h.send(t, r, "1", opened(7, 1))
	second := h.send(t, r, "2", opened(7, 2))
	h.work(t, 5)
	dry, err := h.Replay(t.Context(), owner, second.ID, true)
	if err != nil || dry.Delivery.ID != "" || dry.Delivery.Verdict != blueberry.DeliveryIgnored || dry.Pull == nil || dry.Pull.HeadCommit != commit(2) {
		t.Errorf("a dry run: %+v, %v", dry, err)
	}
	if list, err := h.Deliveries(t.Context(), owner, "", blueberry.DeliveryQuery{}); err != nil || len(list) != 2 || len(h.jobs) > 0 {
		t.Errorf("a dry run left %d deliveries and jobs %v: %v", len(list), h.jobs, err)
	}
	again, err := h.Replay(t.Context(), owner, first.ID, false)
	if err != nil || again.Delivery.ReplayOf != first.ID || again.Delivery.ID == "" || len(h.jobs) != 1 {
		t.Errorf("a replay: %+v, jobs %v, %v", again, h.jobs, err)
	}
	h.work(t, 5)
	if p := h.pull(t, r, 7); p.BuiltCommit != commit(2) {
		t.Errorf("an old delivery, read again, turned it back to %s", p.BuiltCommit)
	}
	for _, a := range []blueberry.Actor{viewer, stranger} {
		if _, err := h.Replay(t.Context(), a, first.ID, true); err == nil {
			t.Errorf("%s replays", a.Name)
		}
	}
}

// TestSameDeliveryAtTheSameTime: of many that come at once one counts.
func TestSameDeliveryAtTheSameTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		r := h.add(t, "acme/shop", blueberry.PullPolicy{})
		verdicts := make([]blueberry.DeliveryVerdict, 8)
		var wg sync.WaitGroup
		for i := range verdicts {
			wg.Go(func() {
				d, err := h.Receive(t.Context(), h.call(r, "1", opened(7, 1)))
				if err != nil {
					t.Errorf("receive: %v", err)
				}
				verdicts[i] = d.Verdict
			})
		}
		wg.Wait()
		count := map[blueberry.DeliveryVerdict]int{}
		for _, v := range verdicts {
			count[v]++
		}
		if count[blueberry.DeliveryAccepted] != 1 || count[blueberry.DeliveryDuplicate] != 7 {
			t.Errorf("verdicts: %v", count)
		}
	})
}

// TestRepositoriesTellEveryFault at once, by field.
func TestRepositoriesTellEveryFault(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	_, err := h.Add(t.Context(), owner, source.RepositoryWish{
		Name: "not a name", Host: "svn", URL: "https://me:hunter2@example.com/x", Secret: "short",
		Policy: blueberry.PullPolicy{Bases: []string{"["}, Labels: []string{""}, AtOnce: -1, Hours: 1000, Prefix: "-X", ConfigSet: []string{"@"}},
	})
	got := fields(err)
	for _, want := range []string{"name", "host", "url", "secret", "policy.bases[0]", "policy.labels[0]", "policy.at_once", "policy.hours", "policy.prefix", "policy.config_set[0]"} {
		if !strings.Contains(got, want+" ") {
			t.Errorf("no fault of %s in %q", want, got)
		}
	}
	if strings.Contains(fmt.Sprint(err), "hunter2") {
		t.Error("the error tells a password")
	}
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	if _, err := h.Add(t.Context(), owner, source.RepositoryWish{Name: "acme/shop", Host: blueberry.HostGitHub, URL: r.URL}); !isCode(err, "REPOSITORY_EXISTS") {
		t.Errorf("a second one of the name: %v", err)
	}
	if _, err := h.Repository(t.Context(), stranger, r.ID); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("a stranger reads it: %v", err)
	}
	if _, err := h.Change(t.Context(), viewer, r.ID, source.RepositoryChange{}, 0); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("a viewer changes it: %v", err)
	}
	if _, err := h.Change(t.Context(), owner, r.ID, source.RepositoryChange{}, 9); !errors.Is(err, blueberry.PreconditionFailed) {
		t.Errorf("another version: %v", err)
	}
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	if err := h.Remove(t.Context(), owner, r.ID, 0); err != nil {
		t.Fatal(err)
	}
	h.enqueue(string(blueberry.JobPullReconcile) + " pul_none")
	h.work(t, 5)
	if len(h.world.running()) != 1 || len(h.jobs) > 0 {
		t.Errorf("after the repository was removed: %v run, jobs %v", h.world.running(), h.jobs)
	}
}

func isCode(err error, code string) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Code == code
}

func fields(err error) string {
	var e *blueberry.Error
	out := ""
	if errors.As(err, &e) {
		for _, f := range e.Fields {
			out += f.Field + " "
		}
	}
	return out
}
