package source_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/generic"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// environment adds one to the record.
func (h *house) environment(t *testing.T, project, name, target string) blueberry.Environment {
	t.Helper()
	e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: project, Name: name, Target: target, Owner: "ada", Hours: 24}, h.clock())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Project(t.Context(), project); errors.Is(err, blueberry.NotFound) {
			if err := tx.InsertProject(t.Context(), blueberry.Project{Name: project}); err != nil {
				return err
			}
		}
		return tx.InsertEnvironment(t.Context(), e)
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

func sign(s blueberry.EnvironmentSign) said { return said{Sign: &s} }

func TestSigns(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	e := h.environment(t, blueberry.DefaultProject, "pr-7", "local")
	theirs := h.environment(t, "other", "pr-8", "local")
	for name, c := range map[string]struct {
		sign blueberry.EnvironmentSign
		want blueberry.DeliveryVerdict
	}{
		"by its name":              {blueberry.EnvironmentSign{Environment: "pr-7", Event: "a"}, blueberry.DeliveryAccepted},
		"by its application":       {blueberry.EnvironmentSign{Application: "blueberry-local-" + e.Namespace, Event: "b"}, blueberry.DeliveryAccepted},
		"by its namespace":         {blueberry.EnvironmentSign{Application: "shop", Namespace: e.Namespace, Event: "c"}, blueberry.DeliveryAccepted},
		"of no environment":        {blueberry.EnvironmentSign{Environment: "pr-9", Event: "d"}, blueberry.DeliveryIgnored},
		"of another target":        {blueberry.EnvironmentSign{Application: "blueberry-eu-" + e.Namespace, Event: "e"}, blueberry.DeliveryIgnored},
		"of another project":       {blueberry.EnvironmentSign{Environment: "pr-8", Event: "f"}, blueberry.DeliveryIgnored},
		"of another's namespace":   {blueberry.EnvironmentSign{Namespace: theirs.Namespace, Event: "g"}, blueberry.DeliveryIgnored},
		"of another, by its app":   {blueberry.EnvironmentSign{Application: "blueberry-local-" + theirs.Namespace, Event: "h"}, blueberry.DeliveryIgnored},
		"the name says what it is": {blueberry.EnvironmentSign{Environment: "pr-9", Namespace: e.Namespace, Event: "i"}, blueberry.DeliveryIgnored},
	} {
		before := h.events(t)[blueberry.EnvironmentSigned]
		h.jobs = nil
		d := h.send(t, r, name, sign(c.sign))
		acted := 0
		if c.want == blueberry.DeliveryAccepted {
			acted = 1
		}
		if told := h.events(t)[blueberry.EnvironmentSigned] - before; d.Verdict != c.want || d.Reason == "" || d.PullID != "" || told != acted || len(h.jobs) != acted {
			t.Errorf("%s: %s (%s), told %d times, jobs %v", name, d.Verdict, d.Reason, told, h.jobs)
		}
		if acted == 1 && !slices.Equal(h.jobs, []string{string(blueberry.JobEnvironmentReconcile) + " " + e.ID}) {
			t.Errorf("%s: jobs %v", name, h.jobs)
		}
	}
}

// TestASignThatComesAgain: it counts once; read again by somebody it counts again; forged it does not.
func TestASignThatComesAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	e := h.environment(t, blueberry.DefaultProject, "pr-7", "local")
	s := sign(blueberry.EnvironmentSign{Environment: "pr-7", Event: "sync-failed", Message: "it \x1b[31mfailed " + strings.Repeat("x", 1000)})
	first := h.send(t, r, "", s)
	if again := h.send(t, r, "", s); first.Verdict != blueberry.DeliveryAccepted || again.Verdict != blueberry.DeliveryDuplicate {
		t.Errorf("%s, then %s", first.Verdict, again.Verdict)
	}
	if n := h.events(t)[blueberry.EnvironmentSigned]; n != 1 {
		t.Errorf("told %d times", n)
	}
	forged := h.call(r, "", s)
	forged.Header = signed("", "another-secret-of-someone", forged.Body)
	if d, err := h.Receive(t.Context(), forged); err != nil || d.Verdict != blueberry.DeliveryRefused || h.events(t)[blueberry.EnvironmentSigned] != 1 {
		t.Errorf("forged: %+v, %v", d, err)
	}
	h.jobs = nil
	dry, err := h.Replay(t.Context(), owner, first.ID, true)
	if err != nil || dry.Delivery.Verdict != blueberry.DeliveryAccepted || len(h.jobs) != 0 || h.events(t)[blueberry.EnvironmentSigned] != 1 {
		t.Errorf("a dry run: %+v, jobs %v, %v", dry, h.jobs, err)
	}
	if again, err := h.Replay(t.Context(), owner, first.ID, false); err != nil || again.Delivery.Verdict != blueberry.DeliveryAccepted || len(h.jobs) != 1 || h.events(t)[blueberry.EnvironmentSigned] != 2 {
		t.Errorf("a replay: %+v, jobs %v, %v", again, h.jobs, err)
	}
	var message string
	if err := h.store.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.Events(t.Context(), blueberry.EventQuery{EnvironmentID: e.ID, Limit: 50})
		for _, x := range list {
			message = x.Message
		}
		return err
	}); err != nil || !strings.HasPrefix(message, "acme/shop says sync-failed of default/pr-7: it ") || len([]rune(message)) > 600 {
		t.Errorf("it says %q, %v", message, err)
	}
}

// TestAHostWithoutGit has no URL and no policy.
func TestAHostWithoutGit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	added, err := h.Add(t.Context(), owner, source.RepositoryWish{Name: "deployer", Host: blueberry.HostArgoCD})
	if err != nil || added.Secret.Value == "" || added.Repository.URL != "" {
		t.Fatalf("%+v, %v", added, err)
	}
	_, err = h.Add(t.Context(), owner, source.RepositoryWish{
		Name: "another", Host: blueberry.HostArgoCD, URL: "https://git.example.com/x.git", Policy: blueberry.PullPolicy{Drafts: true}, Credential: "a-token",
	})
	var e *blueberry.Error
	if !errors.As(err, &e) || len(e.Fields) != 3 {
		t.Fatalf("%v", err)
	}
	for i, want := range []string{"host_api", "policy", "url"} {
		var fields []string
		for _, f := range e.Fields {
			fields = append(fields, f.Field)
		}
		if slices.Sort(fields); fields[i] != want {
			t.Errorf("faults are of %v", fields)
		}
	}
	policy := blueberry.PullPolicy{Drafts: true}
	if _, err := h.Change(t.Context(), owner, added.Repository.ID, source.RepositoryChange{Policy: &policy}, 0); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("a policy later: %v", err)
	}
}

// TestTheSameMayHappenAgain: a sign has no number. Said at another time it is another one, and heard twice of the same time it is the same.
func TestTheSameMayHappenAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.Hosts[blueberry.HostGeneric] = generic.Host{}
	added, err := h.Add(t.Context(), owner, source.RepositoryWish{Name: "nightly", Host: blueberry.HostGeneric, URL: "https://git.example.com/nightly.git", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	e := h.environment(t, blueberry.DefaultProject, "pr-7", "local")
	body := []byte(`{"event": "environment", "data": {"environment": "pr-7", "event": "smoke-test-failed", "message": "3 of 40 pages answer 500"}}`)
	for i, c := range []struct {
		later time.Duration
		id    string
		want  blueberry.DeliveryVerdict
	}{
		{0, "1", blueberry.DeliveryAccepted},
		{0, "2", blueberry.DeliveryDuplicate}, // of somebody who recorded it: the id is not signed
		{time.Minute, "1", blueberry.DeliveryDuplicate},
		{24 * time.Hour, "3", blueberry.DeliveryAccepted},
		{24 * time.Hour, "", blueberry.DeliveryAccepted},
	} {
		h.later(c.later)
		header := signedCI(secret, h.clock(), body)
		header.Set("X-Blueberry-Delivery", c.id)
		header.Set("X-Blueberry-Event", "environment-"+c.id) // nor is this: the event of the body counts
		d, err := h.Receive(t.Context(), source.Call{Repository: added.Repository.ID, Header: header, Body: body, Size: int64(len(body)), From: "192.0.2.1"})
		if err != nil || d.Verdict != c.want {
			t.Errorf("%d: %s (%s), %v", i, d.Verdict, d.Reason, err)
		}
	}
	if n := h.events(t)[blueberry.EnvironmentSigned]; n != 3 {
		t.Errorf("environment %s has %d signs", e.Name, n)
	}
}
