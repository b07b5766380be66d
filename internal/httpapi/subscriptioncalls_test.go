package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/sdk"
)

const hookURL = "https://hooks.test/t0ken"

// addHook adds a webhook that is told of everything in the default project.
func addHook(t testing.TB, c *sdk.Client, name string) sdk.AddedSubscription {
	t.Helper()
	added, err := c.AddSubscription(t.Context(), sdk.AddSubscriptionRequest{Name: name, Kind: "webhook", URL: hookURL, Events: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// happens has an event happen of which subscriptions are told, and waits until it is in a state.
func happens(t testing.TB, r *roomstest.Rooms, c *sdk.Client, id string, state string) sdk.Notice {
	t.Helper()
	e := blueberry.Event{Seq: 7, ID: id, Type: blueberry.EnvironmentReady, EnvironmentID: "env_1", Environment: "pr-7", Project: "default", Message: "default/pr-7 is ready", At: time.Now()}
	if err := r.Subscriptions.Record.Update(t.Context(), func(tx notify.Tx) error { return r.Subscriptions.Take(t.Context(), tx, []blueberry.Event{e}) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for ; ; <-poll.C {
		found, err := c.ListNotices(ctx, sdk.NoticeFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range found.Items {
			if n.EventID == id && n.State == state && n.Tries > 0 {
				return n
			}
		}
	}
}

// everySubscriptionCall is everyCall for who is told of events. A call that the story gives no ground is refused with the code that it names.
func everySubscriptionCall(t *testing.T, r *roomstest.Rooms, c *sdk.Client) {
	t.Helper()
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	added := addHook(t, c, "calls")
	if !strings.HasPrefix(added.Secret, "whsec_") {
		t.Errorf("its secret is %q", added.Secret)
	}
	id := added.Subscription.ID
	done := happens(t, r, c, "evt_1", "delivered")
	r.Receivers.Answer(410)
	dead := happens(t, r, c, "evt_2", "dead")
	r.Receivers.Answer(200)
	name, events, off := "renamed", []string{"pull.*"}, false
	quiet := sdk.QuietHours{TimeZone: "Europe/Zurich", Windows: []sdk.SleepWindow{{Days: []string{"mon"}, From: "19:00", To: "07:00"}}}
	room, err := c.AddSubscription(ctx, sdk.AddSubscriptionRequest{Installation: true, Name: "room", Kind: "slack", URL: hookURL, Events: events, Quiet: quiet})
	if s := room.Subscription; err != nil || room.Secret != "" || s.Project != "" || s.Quiet.TimeZone != "Europe/Zurich" || s.Quiet.Windows[0].To != "07:00" || s.Endpoint != "https://hooks.test" {
		t.Errorf("%+v, %v", room, err)
	}
	for _, call := range []struct {
		operation, code string
		do              func() error
	}{
		{"add-subscription", "SUBSCRIPTION_EXISTS", func() error {
			return second(c.AddSubscription(ctx, sdk.AddSubscriptionRequest{Name: "calls", Kind: "webhook", URL: hookURL, Events: events}))
		}},
		{"list-subscriptions", "", func() error {
			return second(c.ListSubscriptions(ctx, sdk.SubscriptionFilter{Project: "default", Limit: 2}))
		}},
		{"get-subscription", "", func() error { return second(c.GetSubscription(ctx, id)) }},
		{"get-subscription", "SUBSCRIPTION_NOT_FOUND", func() error { return second(c.GetSubscription(ctx, "sub_none")) }},
		{"redrive-notice", "SUBSCRIPTION_OFF", func() error { return second(c.RedriveNotice(ctx, dead.ID)) }},
		{"redrive-subscription", "SUBSCRIPTION_OFF", func() error { return second(c.RedriveSubscription(ctx, id)) }},
		{"change-subscription", "VERSION_MOVED", func() error {
			return second(c.ChangeSubscription(ctx, id, sdk.ChangeSubscriptionRequest{Name: &name}, sdk.IfMatch(9)))
		}},
		{"change-subscription", "", func() error {
			return second(c.ChangeSubscription(ctx, id, sdk.ChangeSubscriptionRequest{Name: &name, Events: &events, Off: &off}, sdk.IfMatch(2)))
		}},
		{"change-subscription", "SUBSCRIPTION_NOT_FOUND", func() error {
			return second(c.ChangeSubscription(ctx, "sub_none", sdk.ChangeSubscriptionRequest{Name: &name}))
		}},
		{"rotate-subscription", "", func() error { return second(c.RotateSubscription(ctx, id, sdk.RotateSubscriptionRequest{})) }},
		{"rotate-subscription", "SUBSCRIPTION_UNSIGNED", func() error {
			return second(c.RotateSubscription(ctx, room.Subscription.ID, sdk.RotateSubscriptionRequest{}))
		}},
		{"test-subscription", "", func() error { return second(c.TestSubscription(ctx, id)) }},
		{"test-subscription", "SUBSCRIPTION_NOT_FOUND", func() error { return second(c.TestSubscription(ctx, "sub_none")) }},
		{"list-notices", "", func() error {
			return second(c.ListNotices(ctx, sdk.NoticeFilter{Project: "default", Subscription: id, State: "delivered", Limit: 3}))
		}},
		{"get-notice", "", func() error { return second(c.GetNotice(ctx, done.ID)) }},
		{"get-notice", "NOTICE_NOT_FOUND", func() error { return second(c.GetNotice(ctx, "ntc_none")) }},
		{"redrive-notice", "", func() error { return second(c.RedriveNotice(ctx, done.ID)) }},
		{"redrive-notice", "NOTICE_NOT_FOUND", func() error { return second(c.RedriveNotice(ctx, "ntc_none")) }},
		{"redrive-subscription", "", func() error {
			n, err := c.RedriveSubscription(ctx, id)
			if n.Count != 1 {
				t.Errorf("%d are sent again", n.Count)
			}
			return err
		}},
		{"remove-subscription", "VERSION_MOVED", func() error { return c.RemoveSubscription(ctx, id, sdk.IfMatch(1)) }},
		{"remove-subscription", "", func() error { return c.RemoveSubscription(ctx, id) }},
		{"remove-subscription", "SUBSCRIPTION_NOT_FOUND", func() error { return c.RemoveSubscription(ctx, id) }},
	} {
		err := call.do()
		var p *sdk.Problem
		if call.code == "" && err != nil || call.code != "" && (!errors.As(err, &p) || p.Code != call.code) {
			t.Errorf("%s: %v (%+v), want %q", call.operation, err, p, call.code)
		}
	}
}

// Neither an address nor a secret is in any answer but the one that tells the secret, and a key of a call is not remembered with them.
func TestNoAnswerTellsWhereASubscriptionGoes(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api := r.API(t)
	added := addHook(t, c, "ci")
	got[sdk.Notice](t)(c.TestSubscription(t.Context(), added.Subscription.ID))
	r.Receivers.Answer(500)
	got[sdk.Notice](t)(c.TestSubscription(t.Context(), added.Subscription.ID))
	for _, path := range []string{"/v1/subscriptions", "/v1/subscriptions/" + added.Subscription.ID, "/v1/notices", "/v1/events", "/v1/audit", "/v1/audit-entries"} {
		a := ask(t, api, http.MethodGet, path, "")
		if strings.Contains(a.text, "t0ken") || strings.Contains(a.text, added.Secret) || strings.Contains(a.text, "whsec_") {
			t.Errorf("%s tells it: %s", path, a.text)
		}
	}
	body := `{"name":"twice","kind":"webhook","url":"` + hookURL + `","events":["*"]}`
	first := ask(t, api, http.MethodPost, "/v1/subscriptions", body, "Idempotency-Key", "k1")
	again := ask(t, api, http.MethodPost, "/v1/subscriptions", body, "Idempotency-Key", "k1")
	if first.StatusCode != 201 || again.StatusCode != 409 || strings.Contains(again.text, "whsec_") {
		t.Errorf("%d, then %d %s", first.StatusCode, again.StatusCode, again.text)
	}
	if got := r.Receivers.Got(); len(got) != 2 || got[0].Address.URL != hookURL {
		t.Errorf("%d were sent", len(got))
	}
}
