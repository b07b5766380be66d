package notify_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestASubscriptionsLife(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	added, err := h.Add(t.Context(), maintainer, notify.SubscriptionWish{Name: "ci", Kind: "webhook", Address: blueberry.SubscriptionAddress{URL: hook}, Events: []string{"environment.*"}})
	if err != nil {
		t.Fatal(err)
	}
	sub := added.Subscription
	if sub.Project != "default" || sub.Endpoint != "https://hooks.example.com" || sub.Address != nil || sub.Secrets != nil || sub.Version != 1 {
		t.Errorf("added %+v", sub)
	}
	if key, ok := notify.SecretKey(added.Secret.Value); !ok || len(key) != 32 {
		t.Errorf("its secret is %q", added.Secret.Value)
	}
	list, err := h.List(t.Context(), maintainer, "", blueberry.SubscriptionQuery{})
	if err != nil || len(list) != 1 || list[0].Address != nil || list[0].Secrets != nil {
		t.Errorf("listed %+v, %v", list, err)
	}
	name, other, events, off := "release", "https://other.example.com/0ther", []string{"pull.*"}, true
	changed, err := h.Change(t.Context(), maintainer, sub.ID, notify.SubscriptionChange{Name: &name, URL: &other, Events: &events, Off: &off}, 1)
	if err != nil || changed.Name != name || changed.Endpoint != "https://other.example.com" || !changed.Off || changed.Version != 2 || !slices.Equal(changed.Events, events) {
		t.Errorf("changed %+v, %v", changed, err)
	}
	if again, err := h.Change(t.Context(), maintainer, sub.ID, notify.SubscriptionChange{Name: &name, URL: &other}, 0); err != nil || again.Version != 2 {
		t.Errorf("changed to what it is: %+v, %v", again, err)
	}
	same := "https://other.example.com/an0ther" // what is shown is the same
	if again, err := h.Change(t.Context(), maintainer, sub.ID, notify.SubscriptionChange{URL: &same}, 0); err != nil || again.Version != 3 {
		t.Errorf("another path: %+v, %v", again, err)
	}
	_, err = h.Change(t.Context(), maintainer, sub.ID, notify.SubscriptionChange{Name: &name}, 1)
	wantCode(t, "of an old version", err, blueberry.PreconditionFailed, "VERSION_MOVED")
	rotated, err := h.Rotate(t.Context(), maintainer, sub.ID, "")
	if err != nil || rotated.Secret.Value == added.Secret.Value || rotated.Subscription.Secrets != nil {
		t.Errorf("rotated %+v, %v", rotated, err)
	}
	wantCode(t, "removed at an old version", h.Remove(t.Context(), maintainer, sub.ID, 1), blueberry.PreconditionFailed, "VERSION_MOVED")
	if err := h.Remove(t.Context(), maintainer, sub.ID, 4); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "removed twice", h.Remove(t.Context(), maintainer, sub.ID, 0), blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND")
	told := h.log(t)
	want := []string{"subscription.added", "subscription.changed", "subscription.changed", "subscription.changed", "subscription.removed"}
	if d := cmp.Diff(want, typesOf(told)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	var audit []blueberry.AuditEntry
	if err := h.store.View(t.Context(), func(tx *store.Tx) (err error) {
		audit, err = tx.Audit(t.Context(), blueberry.AuditQuery{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(audit) != 5 {
		t.Errorf("%d audit entries", len(audit))
	}
	for _, text := range []string{js(t, told), js(t, audit)} {
		for _, secret := range []string{"t0ken", "0ther", "whsec_", "an0ther"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is told: %s", secret, text)
			}
		}
	}
}

func TestEveryFaultOfAWishIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	delete(h.Senders, blueberry.SubscriptionMail)
	h.add(t, notify.SubscriptionWish{})
	for name, c := range map[string]struct {
		w    notify.SubscriptionWish
		want []string
	}{
		"nothing":         {notify.SubscriptionWish{}, []string{"events required", "kind unknown", "name required", "url required"}},
		"of two":          {notify.SubscriptionWish{Installation: true, Project: "x", Name: "a", Kind: "mail", Address: blueberry.SubscriptionAddress{To: "a@b.c"}, Events: []string{"*"}, Secret: "whsec_x", Found: blueberry.Faults{{Field: "odd", Code: "unknown_field"}}}, []string{"kind unavailable", "odd unknown_field", "project exclusive", "secret forbidden"}},
		"a short secret":  {notify.SubscriptionWish{Name: "a", Kind: "webhook", Address: blueberry.SubscriptionAddress{URL: hook}, Events: []string{"*"}, Secret: "whsec_YWJj"}, []string{"secret pattern"}},
		"a foreign one":   {notify.SubscriptionWish{Name: "a", Kind: "webhook", Address: blueberry.SubscriptionAddress{URL: hook}, Events: []string{"*"}, Secret: strings.Repeat("a", 44)}, []string{"secret pattern"}},
		"the name taken":  {notify.SubscriptionWish{Name: "ci", Kind: "webhook", Address: blueberry.SubscriptionAddress{URL: hook}, Events: []string{"*"}}, []string{"name taken"}},
		"the metadata":    {notify.SubscriptionWish{Name: "a", Kind: "slack", Address: blueberry.SubscriptionAddress{URL: "https://169.254.169.254/"}, Events: []string{"*"}}, []string{"url local"}},
		"no such project": {notify.SubscriptionWish{Name: "a", Project: "none", Kind: "slack", Address: blueberry.SubscriptionAddress{URL: hook}, Events: []string{"*"}}, nil},
	} {
		_, err := h.Add(t.Context(), owner, c.w)
		if d := cmp.Diff(c.want, faultsOf(err)); d != "" || err == nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	empty := ""
	_, err := h.Change(t.Context(), owner, h.notYet(t), notify.SubscriptionChange{URL: &empty}, 0)
	if d := cmp.Diff([]string{"url required"}, faultsOf(err)); d != "" {
		t.Error(d)
	}
}

// notYet is the id of the one subscription that there is.
func (h *house) notYet(t *testing.T) string {
	t.Helper()
	list, err := h.List(t.Context(), owner, "", blueberry.SubscriptionQuery{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d, %v", len(list), err)
	}
	return list[0].ID
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	whole := h.add(t, notify.SubscriptionWish{Installation: true, Name: "all"})
	h.happen(t, ready())
	h.work(t)
	notices := h.notices(t, blueberry.NoticeQuery{SubscriptionID: sub.ID})
	ofAll := h.notices(t, blueberry.NoticeQuery{SubscriptionID: whole.ID})
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	name := "x"
	type call func(a blueberry.Actor, sub, notice string) error
	for what, do := range map[string]call{
		"get": func(a blueberry.Actor, sub, _ string) error { return second(h.Subscription(ctx, a, sub)) },
		"change": func(a blueberry.Actor, sub, _ string) error {
			return second(h.Change(ctx, a, sub, notify.SubscriptionChange{Name: &name}, 99))
		},
		"rotate":  func(a blueberry.Actor, sub, _ string) error { return second(h.Rotate(ctx, a, sub, "short")) },
		"remove":  func(a blueberry.Actor, sub, _ string) error { return h.Remove(ctx, a, sub, 99) },
		"test":    func(a blueberry.Actor, sub, _ string) error { return second(h.Test(ctx, a, sub)) },
		"notice":  func(a blueberry.Actor, _, notice string) error { return second(h.Notice(ctx, a, notice)) },
		"redrive": func(a blueberry.Actor, _, notice string) error { return second(h.Redrive(ctx, a, notice)) },
		"dead":    func(a blueberry.Actor, sub, _ string) error { return second(h.RedriveDead(ctx, a, sub)) },
	} {
		if err := do(stranger, sub.ID, notices[0].ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("%s of a stranger: %v", what, err)
		}
		if err := do(viewer, sub.ID, notices[0].ID); !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("%s of a viewer: %v", what, err)
		}
		for _, a := range []blueberry.Actor{stranger, viewer, maintainer} {
			if err := do(a, whole.ID, ofAll[0].ID); !errors.Is(err, blueberry.NotFound) {
				t.Errorf("%s of what is of the installation, of %s: %v", what, a.Name, err)
			}
		}
		if err := do(maintainer, sub.ID, notices[0].ID); errors.Is(err, blueberry.Forbidden) || errors.Is(err, blueberry.NotFound) {
			t.Errorf("%s of a maintainer: %v", what, err)
		}
	}
	_, err := h.Add(ctx, maintainer, notify.SubscriptionWish{Installation: true, Name: "all", Kind: "webhook"})
	if !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("a maintainer subscribes to all: %v", err)
	}
	if list, err := h.List(ctx, maintainer, "", blueberry.SubscriptionQuery{}); err != nil || len(list) != 1 || list[0].ID != sub.ID {
		t.Errorf("a maintainer sees %d, %v", len(list), err)
	}
	if list, err := h.Notices(ctx, maintainer, "", blueberry.NoticeQuery{}); err != nil || len(list) == 0 || slices.ContainsFunc(list, func(n blueberry.Notice) bool { return n.Project == "" }) {
		t.Errorf("a maintainer sees %+v, %v", list, err)
	}
	if _, err := h.List(ctx, viewer, "", blueberry.SubscriptionQuery{}); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("a viewer lists: %v", err)
	}
}

// For a week after a rotation both secrets sign; then the new one alone.
func TestTwoSecretsLiveForAWeek(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	added, err := h.Add(t.Context(), owner, notify.SubscriptionWish{Name: "ci", Kind: "webhook", Address: blueberry.SubscriptionAddress{URL: hook}, Events: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	id, first := added.Subscription.ID, added.Secret.Value
	signed := func() []string {
		if _, err := h.Test(t.Context(), owner, id); err != nil {
			t.Fatal(err)
		}
		got := h.parcels()
		return got[len(got)-1].Secrets
	}
	own := "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	if _, err := h.Rotate(t.Context(), owner, id, own); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{own, first}, signed()); d != "" {
		t.Errorf("after one: %s", d)
	}
	third, err := h.Rotate(t.Context(), owner, id, "")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{third.Secret.Value, own}, signed()); d != "" {
		t.Errorf("after two: %s", d)
	}
	h.later(blueberry.WebhookOverlap)
	if d := cmp.Diff([]string{third.Secret.Value}, signed()); d != "" {
		t.Errorf("after a week: %s", d)
	}
	_, err = h.Rotate(t.Context(), owner, id, "whsec_YWJj")
	if !errors.Is(err, blueberry.Invalid) {
		t.Errorf("a short one: %v", err)
	}
	slack := h.add(t, notify.SubscriptionWish{Name: "room", Kind: "slack"})
	_, err = h.Rotate(t.Context(), owner, slack.ID, "")
	wantCode(t, "of a chat", err, blueberry.Conflict, "SUBSCRIPTION_UNSIGNED")
}

func TestATestIsSentNowAndOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	all := blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{1}, From: 0, To: 1439}}}
	sub := h.add(t, notify.SubscriptionWish{Kind: "slack", Quiet: all})
	off := true
	if _, err := h.Change(t.Context(), owner, sub.ID, notify.SubscriptionChange{Off: &off}, 0); err != nil {
		t.Fatal(err)
	}
	n, err := h.Test(t.Context(), owner, sub.ID)
	if err != nil || n.State != blueberry.NoticeDelivered || n.Event.Type != "subscription.test" || len(n.Attempts) != 1 || n.Event.Seq != 0 {
		t.Errorf("%+v, %v", n, err)
	}
	h.status(500)
	n, err = h.Test(t.Context(), owner, sub.ID)
	if err != nil || n.State != blueberry.NoticeDead || n.Attempts[0].Error != "answered 500" {
		t.Errorf("%+v, %v", n, err)
	}
	h.workUntilQuiet(t)
	if got := h.parcels(); len(got) != 2 || got[0].ID == got[1].ID || got[0].Message.Text != "ada tests subscription ci" {
		t.Errorf("sent %+v", got)
	}
	if kept := h.notices(t, blueberry.NoticeQuery{}); len(kept) != 2 {
		t.Errorf("%d notices are kept", len(kept))
	}
	if s := h.get(t, sub.ID); s.Health != (blueberry.SubscriptionHealth{}) {
		t.Errorf("a test changes how it is: %+v", s.Health)
	}
	if slices.Contains(typesOf(h.log(t)), "subscription.test") {
		t.Error("a test is no fact")
	}
}

func FuzzSecretKey(f *testing.F) {
	for _, seed := range []string{"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "whsec_", "x", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\nMTIzNDU2Nzg5MDE="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, ok := notify.SecretKey(text)
		if ok && (len(key) < 24 || len(key) > 64 || !strings.HasPrefix(text, "whsec_") || strings.ContainsAny(text, "\r\n ")) {
			t.Fatalf("%q is taken", text)
		}
	})
}

// What no sender can be opened for stops nobody else, and is told.
func TestAnAddressThatDoesNotOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	h.Seal = broken{}
	h.happen(t, ready())
	if _, err := h.SendNotices(t.Context(), blueberry.Job{Subject: sub.ID}); err == nil || len(h.parcels()) != 0 {
		t.Errorf("it is sent: %v", err)
	}
	if n := h.only(t); n.State != blueberry.NoticeWaiting || n.Tries != 0 {
		t.Errorf("%+v", n)
	}
}

type broken struct{ glass }

func (broken) Open([]byte, string) ([]byte, error) { return nil, errors.New("the key is gone") }

var _ notify.Sealer = broken{}

func TestByMail(t *testing.T) {
	t.Parallel()
	var got notify.Mail
	var fails error
	s := notify.ByMail{Mailer: mailer(func(m notify.Mail) error { got = m; return fails })}
	p := notify.Parcel{Address: blueberry.SubscriptionAddress{To: "team@example.com"}, Message: notify.Message{Title: strings.Repeat("ä", 300), Text: "it is ready", Link: "https://b.example.com/environments/env_1"}}
	if r := s.Send(t.Context(), p); !r.OK() || got.Check() != nil || got.To[0] != "team@example.com" || !strings.Contains(got.Text, "it is ready") || !strings.Contains(got.Text, p.Message.Link) {
		t.Errorf("%+v: %+v, %v", r, got, got.Check())
	}
	fails = blueberry.Errorf(blueberry.Unavailable, "MAIL_NOT_SENT", "reach mail.example.com:587:\nno")
	if r := s.Send(t.Context(), p); r.OK() || r.Refused || r.Error == "" || strings.Contains(r.Error, "mail.example.com") { // developers read it
		t.Errorf("%+v", r)
	}
}

type mailer func(m notify.Mail) error

func (f mailer) Send(_ context.Context, m notify.Mail) error { return f(m) }

// faultsOf gives the faults of an error: field and code.
func faultsOf(err error) (out []string) {
	var e *blueberry.Error
	if errors.As(err, &e) {
		for _, f := range e.Fields {
			out = append(out, f.Field+" "+f.Code)
		}
	}
	slices.Sort(out)
	return out
}

// TestAKeyGoesNowhereElse: who may write a subscription but does not know its key has it sent to no other server.
func TestAKeyGoesNowhereElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	key := strings.Repeat("k", 32)
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		kind   blueberry.SubscriptionKind
		at     blueberry.SubscriptionAddress
		change notify.SubscriptionChange
		want   []string
	}{
		"nats":             {"nats", blueberry.SubscriptionAddress{URL: "tls://nats.example.com:4222", To: "a.b", User: "ada", Key: key}, notify.SubscriptionChange{URL: text("tls://evil.example.com:4222")}, []string{"key required"}},
		"one-more-server":  {"nats", blueberry.SubscriptionAddress{URL: "tls://nats.example.com", To: "a.b", Key: key}, notify.SubscriptionChange{URL: text("tls://nats.example.com,tls://evil.example.com")}, []string{"key required"}},
		"pagerduty":        {"pagerduty", blueberry.SubscriptionAddress{Key: key}, notify.SubscriptionChange{URL: text("https://evil.example.com/")}, []string{"key required"}},
		"named-anew":       {"pagerduty", blueberry.SubscriptionAddress{Key: key}, notify.SubscriptionChange{URL: text("https://events.eu.pagerduty.com/v2/enqueue"), Key: text(key)}, nil},
		"another-subject":  {"nats", blueberry.SubscriptionAddress{URL: "tls://nats.example.com", To: "a.b", Key: key}, notify.SubscriptionChange{To: text("a.c"), URL: text("tls://nats.example.com")}, nil},
		"without-a-key":    {"nats", blueberry.SubscriptionAddress{URL: "tls://nats.example.com", To: "a.b"}, notify.SubscriptionChange{URL: text("tls://other.example.com")}, nil},
		"a-queue":          {"sqs", blueberry.SubscriptionAddress{URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/a", User: strings.Repeat("A", 20), Key: key}, notify.SubscriptionChange{URL: text("https://sqs.eu-central-1.amazonaws.com/123456789012/b")}, nil},
		"a-hook-of-no-key": {"webhook", blueberry.SubscriptionAddress{URL: hook}, notify.SubscriptionChange{URL: text("https://other.example.com/")}, nil},
	} {
		sub, err := h.Add(t.Context(), maintainer, notify.SubscriptionWish{Name: name, Kind: c.kind, Address: c.at, Events: []string{"*"}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, err = h.Change(t.Context(), maintainer, sub.Subscription.ID, c.change, 0)
		if d := cmp.Diff(c.want, faultsOf(err)); d != "" || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
}
