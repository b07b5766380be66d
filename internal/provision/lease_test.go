package provision_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// warnings are the messages of the warnings of an environment, in their order.
func (h *house) warnings(t *testing.T, id string) (out []string) {
	t.Helper()
	events, err := h.Events(t.Context(), admin, blueberry.EventQuery{EnvironmentID: id, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == blueberry.EnvironmentLeaseEnding {
			_, rest, _ := strings.Cut(e.Message, "ends in ")
			left, _, _ := strings.Cut(rest, ",")
			out = append(out, left)
		}
	}
	return out
}

func (h *house) lasting(t *testing.T, name string, hours int) blueberry.Environment {
	t.Helper()
	e, err := h.Create(t.Context(), admin, provision.CreateRequest{Name: name, Hours: hours, Wish: wish(fixed("web", 1))})
	if err != nil {
		t.Fatal(err)
	}
	return h.until(t, e.ID, phase(blueberry.Ready))
}

// TestWarnings: once each, also across restarts, and none that is longer than what was asked for.
func TestWarnings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ends := map[string]time.Time{}
		ids := map[string]string{}
		for name, hours := range map[string]int{"short": 1, "middle": 2, "day": 24, "long": 30} {
			e := h.lasting(t, name, hours)
			ids[name], ends[name] = e.ID, e.Lease.ExpiresAt
		}
		began := h.clock.now()
		for h.clock.now().Before(began.Add(31 * time.Hour)) {
			h.tick(t, 7*time.Minute)
			if h.clock.now().Minute()%2 == 0 {
				h.Provisioner = h.again()
				h.tick(t, 0)
			}
			for name, id := range ids {
				e := h.get(t, id)
				if over := !h.clock.now().Before(ends[name]); over == (e.Phase == blueberry.Ready) {
					t.Fatalf("%s at %s is %s; its lease ends at %s", name, h.clock.now(), e.Phase, ends[name])
				}
				if e.Phase == blueberry.Ready {
					h.until(t, id, phase(blueberry.Ready))
				}
			}
		}
		for name, want := range map[string][]string{
			"short": {"27 minutes"}, "middle": {"29 minutes"}, "day": {"119 minutes", "25 minutes"}, "long": {"24 hours", "115 minutes", "28 minutes"},
		} {
			got := h.warnings(t, ids[name])
			if len(got) != len(want) {
				t.Errorf("%s: %v, want as %v", name, got, want)
			}
		}
	})
}

// TestMissedWarnings are not made up one by one, and one that is extended away is given again.
func TestMissedWarnings(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.lasting(t, "pr-1", 30)
	h.takeEnqueued()
	h.tick(t, 29*time.Hour) // nobody looked for a day
	if diff := cmp.Diff([]string{"60 minutes"}, h.warnings(t, e.ID)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !slices.Contains(h.takeEnqueued(), string(blueberry.JobLeaseTell)+" "+e.ID) {
		t.Error("no mail was asked for")
	}
	if _, err := h.Extend(t.Context(), admin, e.ID, 4, 0); err != nil {
		t.Fatal(err)
	}
	h.tick(t, time.Hour)
	h.tick(t, 2*time.Hour)
	if diff := cmp.Diff([]string{"60 minutes", "2 hours"}, h.warnings(t, e.ID)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestLeaseOfATargetThatIsDown ends on time: what cannot be reached does not live longer, and is warned of as any.
func TestLeaseOfATargetThatIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.lasting(t, "pr-1", 1)
	h.place.SetFaults(sim.Faults{Unreachable: true})
	for h.clock.now().Before(e.Lease.ExpiresAt.Add(-8 * time.Second)) {
		h.tick(t, 7*time.Second)
		if h.clock.now().Second()%2 == 0 {
			h.until(t, e.ID, func(blueberry.Environment) bool { return true })
		}
	}
	h.tick(t, e.Lease.ExpiresAt.Sub(h.clock.now())-time.Microsecond)
	if e = h.get(t, e.ID); e.Phase == blueberry.Terminating {
		t.Fatal("ended early")
	}
	h.tick(t, e.Lease.ExpiresAt.Sub(h.clock.now()))
	if e = h.get(t, e.ID); e.Phase != blueberry.Terminating || len(h.warnings(t, e.ID)) != 1 {
		t.Errorf("at its time it is %s, warned %v", e.Phase, h.warnings(t, e.ID))
	}
}

// TestClockThatJumps: nobody is ended before its time as the clock tells it, nothing is told twice, and what a jump has put off comes in time.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	for _, down := range []bool{false, true} { // the target: then no look corrects a deadline on its way
		t.Run(fmt.Sprintf("target down %v", down), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.SQLite(t))
			e := h.lasting(t, "pr-1", 4)
			h.place.SetFaults(sim.Faults{Unreachable: down})
			look := func(jump time.Duration, want blueberry.Phase, warned int) {
				t.Helper()
				h.clock.add(jump)
				for range 3 {
					h.tick(t, time.Second)
					h.until(t, e.ID, func(blueberry.Environment) bool { return true })
				}
				if got := h.get(t, e.ID); got.Phase != want || len(h.warnings(t, e.ID)) != warned {
					t.Fatalf("at %s it is %s, warned %v; the lease ends at %s", h.clock.now(), got.Phase, h.warnings(t, e.ID), got.Lease.ExpiresAt)
				}
			}
			look(time.Hour, blueberry.Ready, 0)
			look(time.Hour, blueberry.Ready, 1) // two hours before its end
			look(-time.Hour, blueberry.Ready, 1)
			look(time.Hour, blueberry.Ready, 1)
			look(time.Hour+30*time.Minute, blueberry.Ready, 2)
			look(-time.Hour, blueberry.Ready, 2)
			look(time.Hour, blueberry.Ready, 2)
			look(-time.Hour, blueberry.Ready, 2)
			left := h.get(t, e.ID).Lease.ExpiresAt.Sub(h.clock.now())
			h.clock.add(left - time.Millisecond)
			h.tick(t, 0)
			if got := h.get(t, e.ID); got.Phase != blueberry.Ready {
				t.Fatalf("a millisecond early it is %s", got.Phase)
			}
			h.tick(t, time.Second)
			if got := h.get(t, e.ID); got.Phase != blueberry.Terminating {
				t.Fatalf("at its time it is %s; looks again at %s", got.Phase, got.DeadlineAt)
			}
			h.clock.add(-time.Hour)
			h.tick(t, 0)
			if got := h.get(t, e.ID); got.Phase != blueberry.Terminating || h.told(t, e.ID)[blueberry.EnvironmentExpired] != 1 {
				t.Errorf("after a jump back it is %s, told %v", got.Phase, h.told(t, e.ID))
			}
		})
	}
}

// fill records living environments beside the way of a request, all ready.
func (h *house) fill(t testing.TB, n int, alter func(i int, e *blueberry.Environment)) (ids []string) {
	t.Helper()
	now := h.clock.now()
	for at := 0; at < n; at += 500 {
		err := h.store.Update(t.Context(), func(tx *store.Tx) error {
			for i := at; i < min(n, at+500); i++ {
				e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: "default", Name: fmt.Sprintf("pr-%d", i), Target: "local", Owner: "ada", Hours: 24}, now)
				if err != nil {
					return err
				}
				e.Phase, e.Synced, e.Sleep.ActiveAt = blueberry.Ready, 1, now
				alter(i, &e)
				e.DeadlineAt = e.NextDeadline()
				if err := tx.InsertEnvironment(t.Context(), e); err != nil {
					return err
				}
				rev := blueberry.Revision{ID: blueberry.NewID(blueberry.RevisionID, now), EnvironmentID: e.ID, Number: 1, CreatedAt: now, Rendering: blueberry.Rendering{Digest: blueberry.DigestOf(nil)}}
				if err := tx.InsertRevision(t.Context(), rev); err != nil {
					return err
				}
				ids = append(ids, e.ID)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// TestAThousandLeasesInOneSecond end in one look each, whatever the queue does, and with two servers that look at once each one ends once. What is extended
// at that moment lives, or is told that it is too late.
func TestAThousandLeasesInOneSecond(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		end := h.clock.now().Add(time.Hour)
		ids := h.fill(t, 1000, func(i int, e *blueberry.Environment) {
			e.Lease = blueberry.Lease{ExpiresAt: end.Add(time.Duration(i) * time.Millisecond), Warned: 30 * time.Minute}
		})
		h.clock.add(time.Hour - time.Microsecond)
		if err := h.KeepTime(t.Context()); err != nil {
			t.Fatal(err)
		}
		count := func() (ending int) {
			page := blueberry.EnvironmentQuery{Phases: []blueberry.Phase{blueberry.Terminating}, Limit: 200, Sort: blueberry.SortByName}
			for {
				got, err := h.List(t.Context(), admin, page)
				if err != nil {
					t.Fatal(err)
				}
				ending += len(got.Items)
				if page.Cursor = got.Next; got.Next == "" {
					return ending
				}
			}
		}
		if n := count(); n != 0 {
			t.Fatalf("%d ended early", n)
		}
		h.clock.add(time.Second)
		began := time.Now()
		var wg sync.WaitGroup
		extended := make([]error, len(ids))
		for _, server := range []*provision.Provisioner{h.Provisioner, h.again()} {
			wg.Go(func() {
				if err := server.KeepTime(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		// Ten that end at the very last moment of the second are extended meanwhile.
		for i := 990; i < 1000; i++ {
			wg.Go(func() { _, extended[i] = h.again().Extend(t.Context(), admin, ids[i], 1, 0) })
		}
		wg.Wait()
		t.Logf("1,000 leases ended within %s", time.Since(began).Round(time.Millisecond))
		if err := h.KeepTime(t.Context()); err != nil { // what the two hid from one another
			t.Fatal(err)
		}
		ended := map[string]int{}
		q := blueberry.EventQuery{Limit: 500}
		for {
			events, err := h.Events(t.Context(), admin, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				q.After = e.Seq
				if e.Type == blueberry.EnvironmentExpired {
					ended[e.EnvironmentID]++
				}
			}
			if len(events) == 0 {
				break
			}
		}
		want := 1000
		for i, err := range extended {
			if i < 990 {
				continue
			}
			switch {
			case err == nil:
				want--
				if ended[ids[i]] != 0 {
					t.Errorf("%s was extended, and ended", ids[i])
				}
			case !errors.Is(err, blueberry.Conflict):
				t.Error(err)
			}
		}
		for id, n := range ended {
			if n != 1 {
				t.Errorf("%s ended %d times", id, n)
			}
		}
		if n := count(); n != want || len(ended) != want {
			t.Errorf("%d are ending, %d were told, want %d", n, len(ended), want)
		}
	})
}

func TestPin(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	user := func(name string, grants ...blueberry.Grant) blueberry.Actor {
		return blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_" + name, Name: name, Projects: map[string][]blueberry.Grant{"default": append(grants, blueberry.GrantEnvironmentsRead)}}
	}
	ada := user("ada", blueberry.GrantEnvironmentsCreate, blueberry.GrantEnvironmentsExtend)
	ben := user("ben", blueberry.GrantEnvironmentsExtend)
	lead := user("lead", blueberry.GrantEnvironmentsExtend, blueberry.GrantProjectsUpdate)
	e, err := h.Create(ctx, ada, provision.CreateRequest{Name: "pr-1", Hours: 24, Wish: wish(fixed("web", 1))})
	if err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, phase(blueberry.Ready))
	for reason, c := range map[string]struct {
		who    blueberry.Actor
		hours  int
		reason string
		want   error
	}{
		"another's":            {ben, 200, "", blueberry.Forbidden},
		"without the grant":    {user("ada"), 200, "", blueberry.Forbidden},
		"longer than it may":   {ada, blueberry.DefaultMaxPinHours + 1, "", blueberry.Invalid},
		"no time at all":       {ada, 0, "", blueberry.Invalid},
		"a reason that is not": {ada, 200, strings.Repeat("x", 5000), blueberry.Invalid},
	} {
		if _, err := h.Pin(ctx, c.who, e.ID, c.hours, c.reason, 0); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", reason, err)
		}
	}
	now := h.clock.now()
	if e, err = h.Pin(ctx, ada, e.ID, 500, "the customer looks at it", 0); err != nil || e.Lease.PinnedBy != "ada" || !e.Lease.ExpiresAt.Equal(now.Add(500*time.Hour)) {
		t.Fatalf("%+v: %v", e.Lease, err)
	}
	if got, err := h.Extend(ctx, ada, e.ID, 24, 0); err != nil || got.Lease != e.Lease {
		t.Errorf("extending took away from a pin: %+v (%v)", got.Lease, err)
	}
	h.tick(t, 499*time.Hour)
	if e = h.get(t, e.ID); e.Phase == blueberry.Terminating || len(h.warnings(t, e.ID)) != 1 {
		t.Errorf("pinned, it is %s, warned %v", e.Phase, h.warnings(t, e.ID))
	}
	if e, err = h.Pin(ctx, lead, e.ID, 300, "", e.Version); err != nil || e.Lease.PinnedBy != "lead" {
		t.Fatalf("%+v: %v", e.Lease, err)
	}
	for range 2 {
		if e, err = h.Unpin(ctx, ada, e.ID, 0); err != nil || e.Lease.PinnedBy != "" || !e.Lease.ExpiresAt.Equal(h.clock.now().Add(blueberry.MaxLeaseHours*time.Hour)) {
			t.Fatalf("%+v: %v", e.Lease, err)
		}
	}
	if n := h.told(t, e.ID); n[blueberry.EnvironmentPinned] != 2 || n[blueberry.EnvironmentUnpinned] != 1 {
		t.Errorf("told %v", n)
	}
	if _, err := h.SetProjectLife(ctx, admin, "default", ptr(-1), nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Pin(ctx, ada, e.ID, 1, "", 0); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("where nothing may be pinned: %v", err)
	}
	h.rule(t, "leases", `forbid(principal, action, resource is Environment) when { resource.lease_hours > 200 };`)
	if _, err := h.SetProjectLife(ctx, admin, "default", ptr(0), nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Pin(ctx, ada, e.ID, 201, "", 0); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("against a policy: %v", err)
	}
	h.clock.add(169 * time.Hour)
	if _, err := h.Pin(ctx, ada, e.ID, 20, "", 0); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("a lease that is over was pinned: %v", err)
	}
}

func (h *house) link(t *testing.T, id string, hours int) (token string) {
	t.Helper()
	h.PublicURL = "https://blueberry.example.com"
	l, err := h.ExtendLink(t.Context(), admin, id, hours)
	if err != nil {
		t.Fatal(err)
	}
	token, ok := strings.CutPrefix(l.URL, "https://blueberry.example.com/extend?link=")
	if !ok || l.Hours != hours {
		t.Fatalf("link %+v", l)
	}
	return token
}

func TestExtendLink(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.lasting(t, "pr-1", 24)
	other := h.lasting(t, "pr-2", 24)
	token := h.link(t, e.ID, 5)
	offer, err := h.ExtendLinkInfo(ctx, token)
	if err != nil || offer.Environment.ID != e.ID || offer.Hours != 5 || !offer.Ends.Equal(e.Lease.ExpiresAt.Add(5*time.Hour)) {
		t.Fatalf("offer %+v: %v", offer, err)
	}
	if got := h.get(t, e.ID); got.Version != h.get(t, e.ID).Version || got.Lease != e.Lease {
		t.Error("looking at a link changed something")
	}
	body, signature, _ := strings.Cut(token, ".")
	plain, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	foreignID, foreign := "", []byte(nil)
	for _, f := range []string{"", "x"} { // a signature of our key over other words is none
		foreignID, foreign = h.Signer.Sign([]byte(f + string(plain)))
	}
	for reason, forged := range map[string]string{
		"nothing":                   "",
		"no signature":              body + ".",
		"no body":                   "." + signature,
		"another environment":       encode([]byte(strings.ReplaceAll(string(plain), e.ID, other.ID))) + "." + signature,
		"more hours":                encode([]byte(strings.Replace(string(plain), `"h":5`, `"h":9`, 1))) + "." + signature,
		"another actor":             encode([]byte(strings.Replace(string(plain), `"n":"admin"`, `"n":"other"`, 1))) + "." + signature,
		"another key":               encode([]byte(strings.Replace(string(plain), foreignID, "key_none", 1))) + "." + signature,
		"signed as something else":  body + "." + encode(foreign),
		"a signature with a tail":   token + "AA",
		"another spelling of it":    token + "=",
		"a word more":               token + ".x",
		"as long as a book":         strings.Repeat(body, 1000) + "." + signature,
		"JSON that is none":         encode([]byte("{")) + "." + signature,
		"a signature of other bits": body + "." + strings.ToUpper(signature),
	} {
		if _, err := h.ExtendLinkInfo(ctx, forged); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("%s: %v", reason, err)
		}
		if _, err := h.ExtendByLink(ctx, forged); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("%s: %v", reason, err)
		} else if strings.Contains(err.Error(), body) {
			t.Errorf("%s: the error tells the token", reason)
		}
	}
	if got := h.get(t, e.ID); got.Lease != e.Lease {
		t.Fatal("a forged link extended the lease")
	}

	var wg sync.WaitGroup // used by many at once, it works once
	worked := make([]error, 8)
	for i := range worked {
		wg.Go(func() { _, worked[i] = h.ExtendByLink(ctx, token) })
	}
	wg.Wait()
	n := 0
	for _, err := range worked {
		if err == nil {
			n++
		} else if !errors.Is(err, blueberry.Conflict) {
			t.Error(err)
		}
	}
	if got := h.get(t, e.ID); n != 1 || !got.Lease.ExpiresAt.Equal(e.Lease.ExpiresAt.Add(5*time.Hour)) {
		t.Errorf("worked %d times, the lease ends at %s", n, got.Lease.ExpiresAt)
	}
	if _, err := h.ExtendLinkInfo(ctx, token); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("a link that was used: %v", err)
	}

	moved := h.link(t, e.ID, 5)
	if _, err := h.Extend(ctx, admin, e.ID, 1, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ExtendByLink(ctx, moved); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("the lease moved: %v", err)
	}
	late := h.link(t, e.ID, 5)
	h.clock.add(31 * time.Hour)
	if _, err := h.ExtendByLink(ctx, late); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("the lease is over: %v", err)
	}
	if _, err := h.ExtendLink(ctx, admin, e.ID, 5); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("a link for a lease that is over: %v", err)
	}
	h.until(t, e.ID, phase(blueberry.Terminated))
	if _, err := h.ExtendByLink(ctx, late); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("it is gone: %v", err)
	}
	h.silent(t, e.ID, token, moved, late)
}

// silent makes sure that no event, audit entry or environment holds a token.
func (h *house) silent(t *testing.T, id string, tokens ...string) {
	t.Helper()
	events, err := h.Events(t.Context(), admin, blueberry.EventQuery{EnvironmentID: id, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := fmt.Sprintf("%+v %+v %v", events, h.audit, h.enqueued)
	for _, token := range tokens {
		body, signature, _ := strings.Cut(token, ".")
		if strings.Contains(all, body) || strings.Contains(all, signature) {
			t.Error("a token is in an event, an audit entry or a job")
		}
	}
	by := 0
	for _, a := range h.audit {
		if strings.Contains(a.Detail, "by a link") {
			by++
			if a.Actor.ID != admin.ID || a.Actor.Name != admin.Name || a.Action != string(blueberry.GrantEnvironmentsExtend) {
				t.Errorf("audited as %+v", a)
			}
		}
	}
	if by != 1 {
		t.Errorf("audited %d times", by)
	}
}

// TestExtendLinkAndPolicies: a rule that the maker of a link has to keep is not got around by it.
func TestExtendLinkAndPolicies(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.lasting(t, "pr-1", 4)
	h.rule(t, "leases", `forbid(principal, action, resource is Environment) when { resource.lease_hours > 8 };`)
	if _, err := h.ExtendLink(t.Context(), admin, e.ID, 5); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("a link to 9 hours: %v", err)
	}
	if _, err := h.ExtendByLink(t.Context(), h.link(t, e.ID, 4)); err != nil {
		t.Errorf("a link to 8 hours: %v", err)
	}
	for reason, hours := range map[string]int{"none": 0, "too many": 169} {
		if _, err := h.ExtendLink(t.Context(), admin, e.ID, hours); !slices.Equal(faultsOf(err), []string{"hours range"}) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// TestExtendLinkOfOneWhoLeft: a link is worth what its maker may do when it is used.
func TestExtendLinkOfOneWhoLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.lasting(t, "pr-1", 4)
	token := h.link(t, e.ID, 4)
	for reason, standing := range map[string]func(context.Context, blueberry.Actor) (blueberry.Actor, error){
		"the account ended": func(_ context.Context, a blueberry.Actor) (blueberry.Actor, error) {
			return a, blueberry.Errorf(blueberry.Forbidden, "ACTOR_ENDED", "no access")
		},
		"without the grant": func(_ context.Context, a blueberry.Actor) (blueberry.Actor, error) {
			a.Projects = map[string][]blueberry.Grant{e.Project: {blueberry.GrantEnvironmentsRead}}
			return a, nil
		},
		"not in the project": func(_ context.Context, a blueberry.Actor) (blueberry.Actor, error) { return a, nil },
	} {
		h.Standing = standing
		if _, err := h.ExtendByLink(t.Context(), token); refusedWith(err) != "LINK_WITHDRAWN" {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if got := h.get(t, e.ID); got.Lease != e.Lease {
		t.Fatalf("the lease moved to %v", got.Lease)
	}
	h.Standing = func(_ context.Context, a blueberry.Actor) (blueberry.Actor, error) {
		a.Grants = []blueberry.Grant{blueberry.GrantAll}
		return a, nil
	}
	if got, err := h.ExtendByLink(t.Context(), token); err != nil || !got.Lease.ExpiresAt.After(e.Lease.ExpiresAt) {
		t.Errorf("with the grant again: %v, %v", got.Lease, err)
	}
	token = h.link(t, e.ID, 4)
	h.rule(t, "leases", `forbid(principal, action, resource is Environment) when { resource.lease_hours > 8 };`)
	if _, err := h.ExtendByLink(t.Context(), token); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("a rule made since: %v", err)
	}
}

// post is a mail server.
type post struct {
	sent []provision.Mail
	err  error
}

func (p *post) Send(_ context.Context, m provision.Mail) error {
	if p.err == nil {
		p.sent = append(p.sent, m)
	}
	return p.err
}

func TestLeaseMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	mails := &post{}
	h.PublicURL = "https://blueberry.example.com"
	make := func(name, owner string) blueberry.Environment {
		who := admin
		who.Name = owner
		e, err := h.Create(ctx, who, provision.CreateRequest{Name: name, Hours: 4, Wish: wish(fixed("web", 1))})
		if err != nil {
			t.Fatal(err)
		}
		return h.until(t, e.ID, phase(blueberry.Ready))
	}
	ada := make("pr-1", "ada@example.com")
	others := []blueberry.Environment{make("pr-2", "shop/ci"), make("pr-3", "Ada <ada@example.com>"), make("pr-4", "ada@example.com, ben@example.com")}
	send := func(id string) error {
		_, err := h.SendLeaseWarning(ctx, blueberry.Job{Kind: blueberry.JobLeaseTell, Subject: id})
		return err
	}
	if err := send(ada.ID); err != nil || len(mails.sent) != 0 {
		t.Errorf("without a mail server: %v", err)
	}
	h.Mail = mails
	h.tick(t, 2*time.Hour)
	for _, e := range append(others, blueberry.Environment{ID: "env_unknown"}) {
		if err := send(e.ID); err != nil || len(mails.sent) != 0 {
			t.Errorf("to %q: %v, %v", e.Owner, mails.sent, err)
		}
	}
	if err := send(ada.ID); err != nil || len(mails.sent) != 1 {
		t.Fatalf("sent %v: %v", mails.sent, err)
	}
	m := mails.sent[0]
	_, token, ok := strings.Cut(m.Text, "https://blueberry.example.com/extend?link=")
	token, _, _ = strings.Cut(token, "\n")
	if !slices.Equal(m.To, []string{"ada@example.com"}) || m.Subject != "Environment pr-1 ends in 2 hours" || !ok {
		t.Fatalf("sent %+v", m)
	}
	got, err := h.ExtendByLink(ctx, token)
	if err != nil || !got.Lease.ExpiresAt.Equal(ada.Lease.ExpiresAt.Add(24*time.Hour)) {
		t.Errorf("the link of the mail gives %s (%v)", got.Lease.ExpiresAt, err)
	}
	if err := send(ada.ID); err != nil || len(mails.sent) != 1 {
		t.Errorf("told of a lease that was extended meanwhile (%v)", err)
	}
	h.tick(t, 3*time.Hour)
	if err := send(ada.ID); err != nil || len(mails.sent) != 2 {
		t.Errorf("sent %d (%v)", len(mails.sent), err)
	}
	mails.err = errors.New("the mail server does not answer")
	if err := send(ada.ID); err == nil {
		t.Error("what was not sent is not tried again")
	}
	mails.err = nil
	h.rule(t, "leases", `forbid(principal, action, resource is Environment) when { resource.lease_hours > 8 } unless { principal.grants.contains("*:*") };`)
	if err := send(ada.ID); err != nil || len(mails.sent) != 3 || strings.Contains(mails.sent[2].Text, "link=") {
		t.Errorf("a link that the owner may not use was sent (%v)", err)
	}
	h.clock.add(30 * time.Hour)
	if err := send(ada.ID); err != nil || len(mails.sent) != 3 {
		t.Errorf("told of what is over (%v)", err)
	}
}
