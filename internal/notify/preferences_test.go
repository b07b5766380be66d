package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// people is who may do what now.
type people map[string]blueberry.Actor

func (p people) Person(_ context.Context, id string) (blueberry.Actor, error) {
	a, ok := p[id]
	if !ok {
		return a, blueberry.Errorf(blueberry.Forbidden, "USER_INACTIVE", "%s is not active", id)
	}
	return a, nil
}

// person adds a user who may read the default project, and gives them with an environment of theirs.
func (h *house) person(t testing.TB, email, environment string) (blueberry.Actor, blueberry.Environment) {
	t.Helper()
	u := blueberry.User{ID: blueberry.NewID(blueberry.UserID, h.clock()), Email: email, Status: blueberry.UserActive, CreatedAt: h.clock(), UpdatedAt: h.clock()}
	e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: blueberry.DefaultProject, Name: environment, Target: "local", Owner: email, Hours: 24}, h.clock())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.InsertUser(t.Context(), u), tx.InsertEnvironment(t.Context(), e))
	}); err != nil {
		t.Fatal(err)
	}
	a := blueberry.Actor{
		Kind: blueberry.ActorUser, ID: u.ID, UserID: u.ID, Name: email, Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleDeveloper.Grants()},
	}
	if h.People == nil {
		h.People = people{}
	}
	h.People.(people)[u.ID] = a //nolint:forcetypeassert // of this test
	return a, e
}

func of(e blueberry.Environment, kind blueberry.EventType) blueberry.Event {
	return blueberry.Event{Type: kind, EnvironmentID: e.ID, Environment: e.Name, Project: e.Project, Message: e.Name + " " + string(kind)}
}

func (h *house) prefer(t testing.TB, actor blueberry.Actor, w notify.PreferencesWish) notify.PreferencesSet {
	t.Helper()
	out, err := h.SetPreferences(t.Context(), actor, w, 0)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// told gives what was sent so far: address and event.
func (h *house) told() (out []string) {
	for _, p := range h.parcels() {
		to := p.Address.To
		if to == "" {
			to = p.Address.URL
		}
		out = append(out, to+" "+string(p.Event.Type))
	}
	slices.Sort(out)
	return out
}

func wantTold(t testing.TB, h *house, what string, want ...string) {
	t.Helper()
	if got := h.told(); !slices.Equal(got, want) {
		t.Errorf("%s: told %q, want %q", what, got, want)
	}
}

const ownSlack = "https://hooks.slack.com/services/t0ken"

func TestPreferences(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, hers := h.person(t, "ada@example.com", "pr-1")
	_, his := h.person(t, "ben@example.com", "pr-2")
	was, err := h.Preferences(t.Context(), ada)
	if p := was.Preferences; err != nil || !p.Mail || p.Off || !slices.Equal(p.Events, []string{"environment.lease_ending"}) || p.Version != 0 || len(was.Ways) != 0 {
		t.Errorf("before any are set: %+v, %v", was, err)
	}
	h.happen(t, of(hers, blueberry.EnvironmentReady), of(hers, blueberry.EnvironmentLeaseEnding))
	h.workUntilQuiet(t)
	wantTold(t, h, "who has set none")
	set := h.prefer(t, ada, notify.PreferencesWish{
		Events: []string{"environment.ready", "environment.lease_ending"}, Mail: true, Channel: &notify.ChannelWish{Kind: "slack", URL: ownSlack},
	})
	if p := set.Preferences; p.Version != 1 || p.Channel.Endpoint != "https://hooks.slack.com" || set.Secret.Value != "" || len(set.Ways) != 2 || set.Ways[0].Address != nil {
		t.Errorf("set %+v", set)
	}
	h.happen(t, of(hers, blueberry.EnvironmentReady), of(hers, blueberry.EnvironmentFailed), of(his, blueberry.EnvironmentReady), of(hers, blueberry.EnvironmentLeaseEnding))
	h.workUntilQuiet(t)
	wantTold(t, h, "of hers alone, and by mail of no lease: that has a mail of its own", "ada@example.com environment.ready", ownSlack+" environment.lease_ending", ownSlack+" environment.ready")
	own, err := h.OwnNotices(t.Context(), ada, blueberry.NoticeQuery{Limit: 50})
	if err != nil || len(own) != 3 {
		t.Errorf("her notices are %+v, %v", own, err)
	}
	if n, err := h.Notice(t.Context(), ada, own[0].ID); err != nil || n.State != blueberry.NoticeDelivered {
		t.Errorf("her notice is %+v, %v", n, err)
	}
	if _, err := h.Redrive(t.Context(), ada, own[0].ID); err != nil {
		t.Errorf("she cannot have it sent again: %v", err)
	}
	_, err = h.Notice(t.Context(), maintainer, own[0].ID)
	wantCode(t, "of somebody else, to a maintainer", err, blueberry.NotFound, "NOTICE_NOT_FOUND")
	if found := h.notices(t, blueberry.NoticeQuery{}); len(found) != 3 {
		t.Errorf("the owner of the installation sees %d notices", len(found))
	}
	for _, actor := range []blueberry.Actor{ada, maintainer, owner} {
		_, err := h.Subscription(t.Context(), actor, set.Ways[0].ID)
		wantCode(t, "a part of preferences", err, blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND")
		wantCode(t, "removal of a part of preferences", h.Remove(t.Context(), actor, set.Ways[0].ID, 0), blueberry.NotFound, "SUBSCRIPTION_NOT_FOUND")
	}
	if list, err := h.List(t.Context(), owner, "", blueberry.SubscriptionQuery{}); err != nil || len(list) != 0 {
		t.Errorf("preferences are listed: %+v, %v", list, err)
	}
	if sent := js(t, h.log(t)); strings.Contains(sent, "t0ken") {
		t.Errorf("an event tells the address: %s", sent)
	}
}

func TestPreferencesThatChange(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, hers := h.person(t, "ada@example.com", "pr-1")
	all := []string{"environment.*"}
	set := h.prefer(t, ada, notify.PreferencesWish{Events: all, Channel: &notify.ChannelWish{Kind: "webhook", URL: hook}})
	if _, ok := notify.SecretKey(set.Secret.Value); !ok {
		t.Errorf("a webhook gets the secret %q", set.Secret.Value)
	}
	if again := h.prefer(t, ada, notify.PreferencesWish{Events: all, Channel: &notify.ChannelWish{Kind: "webhook"}}); again.Secret.Value != "" || again.Preferences.Channel.Endpoint != "https://hooks.example.com" {
		t.Errorf("the same channel: %+v", again)
	}
	h.happen(t, of(hers, blueberry.EnvironmentReady))
	h.workUntilQuiet(t)
	wantTold(t, h, "mail is off, the channel stays", hook+" environment.ready")
	if secrets := h.parcels()[0].Secrets; !slices.Equal(secrets, []string{set.Secret.Value}) {
		t.Errorf("signed by %v", secrets)
	}
	other := h.prefer(t, ada, notify.PreferencesWish{Events: all, Channel: &notify.ChannelWish{Kind: "slack", URL: ownSlack}, Muted: []string{"default", "shop", "default"}})
	if !slices.Equal(other.Preferences.Muted, []string{"default", "shop"}) {
		t.Errorf("muted are %v", other.Preferences.Muted)
	}
	h.happen(t, of(hers, blueberry.EnvironmentReady))
	h.prefer(t, ada, notify.PreferencesWish{Off: true, Events: all, Mail: true, Channel: &notify.ChannelWish{Kind: "slack"}})
	h.happen(t, of(hers, blueberry.EnvironmentReady))
	h.prefer(t, ada, notify.PreferencesWish{Events: nil, Mail: true, Channel: &notify.ChannelWish{Kind: "slack"}})
	h.happen(t, of(hers, blueberry.EnvironmentReady))
	h.workUntilQuiet(t)
	wantTold(t, h, "muted, off, and of no events", hook+" environment.ready")
	h.prefer(t, ada, notify.PreferencesWish{Events: all})
	h.happen(t, of(hers, blueberry.EnvironmentReady))
	h.workUntilQuiet(t)
	wantTold(t, h, "by no way", hook+" environment.ready")
	_, err := h.SetPreferences(t.Context(), ada, notify.PreferencesWish{}, 1)
	wantCode(t, "for a version that was", err, blueberry.PreconditionFailed, "VERSION_MOVED")
	_, err = h.SetPreferences(t.Context(), ada, notify.PreferencesWish{
		Events: []string{"environment.*", "pull.built", "*", "Bad"}, Channel: &notify.ChannelWish{Kind: "mail", URL: "http://127.0.0.1/"}, Muted: []string{"No"},
		Quiet: blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}}}},
	}, 0)
	var e *blueberry.Error
	if !errors.As(err, &e) || fmt.Sprint(fieldsOf(e)) != "[channel.kind events[1] events[2] events[3] events[3] muted[0] quiet.windows]" {
		t.Errorf("faults are %v", err)
	}
}

func fieldsOf(e *blueberry.Error) (out []string) {
	for _, f := range e.Fields {
		out = append(out, f.Field)
	}
	slices.Sort(out)
	return out
}

func TestQuietHoursOfAPersonDelay(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, hers := h.person(t, "ada@example.com", "pr-1")
	night := blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{1}, From: 19 * 60, To: 7 * 60}}, TimeZone: "Europe/Zurich"}
	h.prefer(t, ada, notify.PreferencesWish{Events: []string{"environment.*"}, Mail: true, Quiet: night})
	h.at(time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC)) // a Monday
	h.happen(t, of(hers, blueberry.EnvironmentReady))
	if next := h.work(t); !next.Equal(time.Date(2026, 3, 3, 6, 0, 0, 0, time.UTC)) {
		t.Errorf("the next look is at %s", next)
	}
	wantTold(t, h, "at night")
	h.workUntilQuiet(t)
	wantTold(t, h, "in the morning", "ada@example.com environment.ready")
}

func TestWhoLosesAccessIsNotTold(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(h *house, ada blueberry.Actor){
		"no member":  func(h *house, ada blueberry.Actor) { ada.Projects = nil; h.People.(people)[ada.ID] = ada }, //nolint:forcetypeassert // of this test
		"not active": func(h *house, ada blueberry.Actor) { delete(h.People.(people), ada.ID) },                   //nolint:forcetypeassert // of this test
	} {
		h := newHouse(t, storetest.SQLite(t))
		ada, hers := h.person(t, "ada@example.com", "pr-1")
		h.prefer(t, ada, notify.PreferencesWish{Events: []string{"environment.*"}, Mail: true})
		h.happen(t, of(hers, blueberry.EnvironmentReady))
		lose(h, ada)
		h.workUntilQuiet(t)
		wantTold(t, h, name)
		if n := h.only(t); n.State != blueberry.NoticeDead || len(n.Attempts) != 1 || !strings.HasPrefix(n.Attempts[0].Error, "not sent: ") {
			t.Errorf("%s: %+v", name, n)
		}
		if types := typesOf(h.log(t)); slices.Contains(types, "notice.dead") {
			t.Errorf("%s: it is told as a failure: %v", name, types)
		}
		wanted, _, err := h.LeaseMail(t.Context(), "ada@example.com", "default")
		if wanted || err != nil {
			t.Errorf("%s: the lease is told (%v)", name, err)
		}
	}
}

func TestLeaseMailAsPreferred(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, _ := h.person(t, "ada@example.com", "pr-1")
	always := []string{"environment.lease_ending"}
	night := blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{1}, From: 8 * 60, To: 20 * 60}}}
	for name, c := range map[string]struct {
		set    notify.PreferencesWish
		wanted bool
		until  time.Time
	}{
		"wanted":         {notify.PreferencesWish{Events: []string{"environment.*"}, Mail: true}, true, time.Time{}},
		"off":            {notify.PreferencesWish{Events: always, Mail: true, Off: true}, false, time.Time{}},
		"no mail":        {notify.PreferencesWish{Events: always}, false, time.Time{}},
		"another event":  {notify.PreferencesWish{Events: []string{"environment.ready"}, Mail: true}, false, time.Time{}},
		"muted":          {notify.PreferencesWish{Events: always, Mail: true, Muted: []string{"default"}}, false, time.Time{}},
		"another muted":  {notify.PreferencesWish{Events: always, Mail: true, Muted: []string{"shop"}}, true, time.Time{}},
		"in quiet hours": {notify.PreferencesWish{Events: always, Mail: true, Quiet: night}, true, time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC)},
	} {
		h.prefer(t, ada, c.set)
		wanted, until, err := h.LeaseMail(t.Context(), "ada@example.com", "default")
		if wanted != c.wanted || !until.Equal(c.until) || err != nil {
			t.Errorf("%s: %v until %s, %v", name, wanted, until, err)
		}
	}
	fresh := newHouse(t, storetest.SQLite(t))
	fresh.person(t, "ada@example.com", "pr-1")
	for _, of := range []string{"ada@example.com", "shop/ci"} {
		if wanted, until, err := fresh.LeaseMail(t.Context(), of, "default"); !wanted || !until.IsZero() || err != nil {
			t.Errorf("%s before any are set: %v %s %v", of, wanted, until, err)
		}
	}
}

func TestOnlyPeopleHavePreferences(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, _ := h.person(t, "ada@example.com", "pr-1")
	h.prefer(t, ada, notify.PreferencesWish{Mail: true})
	token, service, client := ada, ada, ada
	token.Kind, token.ID, service.Kind, service.UserID, client.Kind = blueberry.ActorToken, "tok_1", blueberry.ActorToken, "", blueberry.ActorClient
	for name, actor := range map[string]blueberry.Actor{"a token": token, "a service account": service, "a program": client, "the server": blueberry.System()} {
		_, err := h.Preferences(t.Context(), actor)
		wantCode(t, name+" reads", err, blueberry.Forbidden, "PERSON_NEEDED")
		_, err = h.SetPreferences(t.Context(), actor, notify.PreferencesWish{}, 0)
		wantCode(t, name+" sets", err, blueberry.Forbidden, "PERSON_NEEDED")
		_, err = h.TestPreferences(t.Context(), actor)
		wantCode(t, name+" tests", err, blueberry.Forbidden, "PERSON_NEEDED")
		_, err = h.OwnNotices(t.Context(), actor, blueberry.NoticeQuery{})
		wantCode(t, name+" lists", err, blueberry.Forbidden, "PERSON_NEEDED")
	}
	client.Person = true
	if _, err := h.Preferences(t.Context(), client); err != nil {
		t.Errorf("our own command line: %v", err)
	}
	tried, err := h.TestPreferences(t.Context(), ada)
	if err != nil || len(tried) != 1 || tried[0].State != blueberry.NoticeDelivered || h.parcels()[0].Address.To != "ada@example.com" {
		t.Errorf("a test gives %+v, %v", tried, err)
	}
	h.prefer(t, ada, notify.PreferencesWish{Off: true, Mail: true})
	_, err = h.TestPreferences(t.Context(), ada)
	wantCode(t, "while all is off", err, blueberry.Conflict, "NOBODY_TOLD")
}

func TestAProjectHasSoManySubscriptions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	for i := range blueberry.MaxSubscriptions {
		h.add(t, notify.SubscriptionWish{Name: fmt.Sprintf("ci-%d", i)})
	}
	_, err := h.Add(t.Context(), owner, notify.SubscriptionWish{Name: "more", Kind: "webhook", Address: blueberry.SubscriptionAddress{URL: hook}, Events: []string{"*"}})
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != "project" || e.Fields[0].Code != "too_many" {
		t.Errorf("one more: %v", err)
	}
	h.add(t, notify.SubscriptionWish{Name: "more", Project: "other"})
	h.add(t, notify.SubscriptionWish{Name: "more", Installation: true})
}

func TestTheIdentityOfTheServerIsAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	w := notify.SubscriptionWish{
		Name: "queue", Kind: "sqs", Events: []string{"*"}, Address: blueberry.SubscriptionAddress{URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/events"},
	}
	_, err := h.Add(t.Context(), owner, w)
	var e *blueberry.Error
	if !errors.As(err, &e) || fmt.Sprint(fieldsOf(e)) != "[user]" {
		t.Errorf("without a key: %v", err)
	}
	h.LendAWS = true
	if _, err := h.Add(t.Context(), owner, w); err != nil {
		t.Errorf("lent: %v", err)
	}
}

// TestWhatIsWithheldIsNotShownEither: a notice that was not sent since the person may not see the project any more does not tell it in their list.
func TestWhatIsWithheldIsNotShownEither(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, hers := h.person(t, "ada@example.com", "pr-1")
	h.prefer(t, ada, notify.PreferencesWish{Events: []string{"environment.*"}, Mail: true})
	h.happen(t, of(hers, blueberry.EnvironmentReady))
	ada.Projects = nil
	h.People.(people)[ada.ID] = ada //nolint:forcetypeassert // of this test
	h.workUntilQuiet(t)
	own, err := h.OwnNotices(t.Context(), ada, blueberry.NoticeQuery{Limit: 50})
	if err != nil || len(own) != 1 || own[0].State != blueberry.NoticeDead {
		t.Fatalf("her notices are %+v, %v", own, err)
	}
	one, err := h.Notice(t.Context(), ada, own[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Redrive(t.Context(), ada, own[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	for what, n := range map[string]blueberry.Notice{"listed": own[0], "read": one, "redriven": again} {
		if e := n.Event; e.Message != "" || e.Environment != "" || e.EnvironmentID != "" || e.Project != "" || e.Type != blueberry.EnvironmentReady || e.ID == "" {
			t.Errorf("%s: she sees %+v", what, e)
		}
	}
	if n := h.only(t); n.Event.Message == "" || n.Event.Project != "default" {
		t.Errorf("the record holds %+v", n.Event)
	}
	h.workUntilQuiet(t)
	wantTold(t, h, "redriven")
	if n, err := h.TestPreferences(t.Context(), ada); err != nil || n[0].Event.Message == "" {
		t.Errorf("a test is of no project: %+v, %v", n, err)
	}
}

// TestNobodyListsTheSubscriptionsOfAPerson, also not by naming the person where a project is named.
func TestNobodyListsTheSubscriptionsOfAPerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, _ := h.person(t, "ada@example.com", "pr-1")
	h.prefer(t, ada, notify.PreferencesWish{Mail: true, Channel: &notify.ChannelWish{Kind: "slack", URL: ownSlack}})
	if list, err := h.List(t.Context(), owner, ada.ID, blueberry.SubscriptionQuery{}); len(list) != 0 {
		t.Errorf("listed: %+v, %v", list, err)
	}
}

// TestWhatWaitsIsWantedWhenItIsSent: who wants less at night is not told in the morning of what they do not want any more.
func TestWhatWaitsIsWantedWhenItIsSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ada, hers := h.person(t, "ada@example.com", "pr-1")
	w := notify.PreferencesWish{
		Events: []string{"environment.*"}, Mail: true,
		Quiet: blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{1}, From: 8 * 60, To: 20 * 60}}},
	}
	h.prefer(t, ada, w)
	h.happen(t, of(hers, blueberry.EnvironmentReady), of(hers, blueberry.EnvironmentFailed))
	w.Events = []string{"environment.failed"}
	h.prefer(t, ada, w)
	h.workUntilQuiet(t)
	wantTold(t, h, "in the evening", "ada@example.com environment.failed")
}
