package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// The whole JSON of an event: receivers hold on to it.
func TestWhatAnEventLooksLike(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{Events: []string{"*"}})
	h.happen(t, ready(), blueberry.Event{Type: blueberry.PolicyChanged, Message: "a\nb <c> & \"d\""})
	h.work(t)
	got := h.parcels()
	want := []string{
		`{"specversion":"1.0","id":"evt_000001","source":"https://blueberry.example.com","type":"dev.blueberry.environment.ready","subject":"default/pr-7","time":"2026-03-02T12:00:00Z",` +
			`"sequence":"00000000000000000001","datacontenttype":"application/json","data":{"project":"default","environment_id":"env_1","environment":"pr-7","actor":"ada","message":"default/pr-7 is ready"}}`,
		`{"specversion":"1.0","id":"evt_000002","source":"https://blueberry.example.com","type":"dev.blueberry.policy.changed","subject":"default","time":"2026-03-02T12:00:00Z",` +
			`"sequence":"00000000000000000002","datacontenttype":"application/json","data":{"project":"default","message":"a\nb \u003cc\u003e \u0026 \"d\""}}`,
	}
	var events []string
	for _, p := range got {
		events = append(events, string(p.CloudEvent))
	}
	if d := cmp.Diff(want, events); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	messages := []notify.Message{
		{Title: "default/pr-7: environment ready", Text: "default/pr-7 is ready", Link: "https://blueberry.example.com/environments/env_1"},
		{Title: "default: policy changed", Text: `a b <c> & "d"`},
	}
	if d := cmp.Diff(messages, []notify.Message{got[0].Message, got[1].Message}); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if p := got[0]; p.ID != "evt_000001" || p.At != h.clock().Unix() || p.Address.URL != hook || len(p.Secrets) != 1 {
		t.Errorf("%+v", p)
	}
	if s := h.get(t, sub.ID); s.Health.DeliveredAt.IsZero() || s.Version != 1 {
		t.Errorf("%+v", s)
	}
}

// 1000 events for three subscriptions: each is told each once, in order, and none twice.
func TestEachIsToldOfEachOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		subs := []blueberry.Subscription{
			h.add(t, notify.SubscriptionWish{Name: "a"}), h.add(t, notify.SubscriptionWish{Name: "b", Kind: "slack"}), h.add(t, notify.SubscriptionWish{Name: "c", Installation: true}),
			h.add(t, notify.SubscriptionWish{Name: "other", Project: "other"}),
		}
		urls := map[string]string{}
		for i, x := range subs {
			u := fmt.Sprintf("https://r%d.example.com/", i)
			if _, err := h.Change(t.Context(), owner, x.ID, notify.SubscriptionChange{URL: &u}, 0); err != nil {
				t.Fatal(err)
			}
			urls[u] = x.Name
		}
		const n = 1000
		for i := 0; i < n; i += 200 {
			var batch []blueberry.Event
			for range 200 {
				batch = append(batch, ready())
			}
			h.happen(t, batch...)
			h.happen(t, blueberry.Event{Type: "pull.built"}, blueberry.Event{Type: "notice.dead"})
		}
		h.work(t)
		told := map[string][]string{}
		for _, p := range h.parcels() {
			told[urls[p.Address.URL]] = append(told[urls[p.Address.URL]], p.ID)
		}
		if len(told) != 3 {
			t.Errorf("%d were told", len(told))
		}
		for name, ids := range told {
			distinct := map[string]bool{}
			for _, id := range ids {
				distinct[id] = true
			}
			if len(ids) != n || len(distinct) != n {
				t.Errorf("%s was told %d times of %d events", name, len(ids), len(distinct))
			}
		}
		// A batch that is handed over again makes no second notice.
		again := blueberry.Event{ID: "evt_000001", Type: "environment.ready"}
		h.happen(t, again)
		h.work(t)
		if got := len(h.parcels()); got != 3*n {
			t.Errorf("%d were sent", got)
		}
	})
}

// A worker that dies after it has sent sends once more, under the same id; so does one that cannot write what came of it.
func TestAWorkerThatDiesAfterSending(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	h.happen(t, ready())
	ctx, die := context.WithCancel(t.Context())
	h.answers(func(notify.Parcel) blueberry.NoticeResult { die(); return blueberry.NoticeResult{Status: 200} })
	if _, err := h.SendNotices(ctx, blueberry.Job{Subject: sub.ID}); err == nil {
		t.Error("it has written what came of it")
	}
	if n := h.only(t); n.State != blueberry.NoticeWaiting || n.Tries != 0 {
		t.Fatalf("%+v", n)
	}
	h.status(200)
	h.work(t)
	got := h.parcels()
	if n := h.only(t); len(got) != 2 || got[0].ID != got[1].ID || string(got[0].CloudEvent) != string(got[1].CloudEvent) || n.State != blueberry.NoticeDelivered {
		t.Errorf("sent %d times, %+v", len(got), n)
	}
}

// One that is cut off while it sends does not blame the receiver.
func TestAWorkerThatIsStopped(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	h.happen(t, ready())
	ctx, stop := context.WithCancel(t.Context())
	h.answers(func(notify.Parcel) blueberry.NoticeResult { stop(); return blueberry.NoticeResult{Error: "cut off"} })
	if _, err := h.SendNotices(ctx, blueberry.Job{Subject: sub.ID}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if n, s := h.only(t), h.get(t, sub.ID); n.Tries != 0 || s.Health.Failures != 0 {
		t.Errorf("%+v, %+v", n, s.Health)
	}
}

func TestAReceiverThatIsDownForADay(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	h.status(503)
	begun := h.clock()
	h.happen(t, ready())
	h.workUntilQuiet(t)
	n := h.only(t)
	if n.State != blueberry.NoticeDead || n.Tries != 12 || len(n.Attempts) != 12 || len(h.parcels()) != 12 || h.clock().Sub(begun) > 24*time.Hour {
		t.Errorf("after %s: %+v", h.clock().Sub(begun), n)
	}
	s := h.get(t, sub.ID)
	if s.Off || s.Health.Failures != 12 || s.Health.FailingSince != begun || s.Health.LastError != "answered 503" {
		t.Errorf("%+v", s.Health)
	}
	if got := typesOf(h.log(t)); !slices.Equal(got, []string{"subscription.added", "notice.dead"}) {
		t.Errorf("events are %v", got)
	}
	h.happen(t, h.log(t)...) // which is told to nobody
	if len(h.notices(t, blueberry.NoticeQuery{})) != 1 {
		t.Error("telling makes more to tell")
	}

	_, err := h.Redrive(t.Context(), owner, "ntc_none")
	wantCode(t, "redrive of none", err, blueberry.NotFound, "NOTICE_NOT_FOUND")
	again, err := h.Redrive(t.Context(), owner, n.ID)
	if err != nil || again.State != blueberry.NoticeWaiting || again.Tries != 0 || len(again.Attempts) != 12 {
		t.Errorf("%+v, %v", again, err)
	}
	_, err = h.Redrive(t.Context(), owner, n.ID)
	wantCode(t, "redrive of one that waits", err, blueberry.Conflict, "NOTICE_WAITING")
	h.status(204)
	h.work(t)
	if n := h.only(t); n.State != blueberry.NoticeDelivered || n.Tries != 1 || len(n.Attempts) != 13 {
		t.Errorf("%+v", n)
	}
	got := h.parcels()
	if len(got) != 13 || got[0].ID != got[12].ID {
		t.Errorf("%d sent", len(got))
	}
	if s := h.get(t, sub.ID); s.Health.Failures != 0 || !s.Health.FailingSince.IsZero() || s.Health.LastError != "" {
		t.Errorf("%+v", s.Health)
	}
	if _, err := h.Redrive(t.Context(), owner, n.ID); err != nil { // the receiver has lost it
		t.Errorf("redrive of one that was delivered: %v", err)
	}
}

// While a receiver is down it is asked seldom, however much waits for it; when it is back, all comes.
func TestManyWaitForOneThatIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.add(t, notify.SubscriptionWish{})
	h.add(t, notify.SubscriptionWish{Name: "up", Kind: "slack"})
	h.answers(func(p notify.Parcel) blueberry.NoticeResult {
		if len(p.Secrets) > 0 { // the webhook
			return blueberry.NoticeResult{Error: "no answer within 15s"}
		}
		return blueberry.NoticeResult{Status: 200}
	})
	var events []blueberry.Event
	for range 100 {
		events = append(events, ready())
	}
	h.happen(t, events...)
	end := h.clock().Add(10 * time.Minute)
	for {
		next := h.work(t)
		if next.IsZero() || next.After(end) {
			break
		}
		h.at(next)
	}
	down, up := 0, 0
	for _, p := range h.parcels() {
		if len(p.Secrets) > 0 {
			down++
		} else {
			up++
		}
	}
	if down < 5 || down > 15 || up != 100 {
		t.Errorf("in ten minutes one that is down was asked %d times, and the other told %d times", down, up)
	}
	h.status(200)
	h.at(end)
	h.workUntilQuiet(t)
	if left := h.notices(t, blueberry.NoticeQuery{State: blueberry.NoticeWaiting}); len(left) != 0 {
		t.Errorf("%d wait still", len(left))
	}
	if dead := h.notices(t, blueberry.NoticeQuery{State: blueberry.NoticeDead}); len(dead) != 0 {
		t.Errorf("%d are dead", len(dead))
	}
}

// What waits longer than a day for a receiver that never answers is given up with what was tried, and it is told once an hour at most.
func TestWhatNobodyTakesIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	h.status(500)
	var events []blueberry.Event
	for range 100 {
		events = append(events, ready())
	}
	begun := h.clock()
	h.happen(t, events...)
	h.workUntilQuiet(t)
	if dead := h.notices(t, blueberry.NoticeQuery{State: blueberry.NoticeDead}); len(dead) != 100 || h.clock().Sub(begun) > 30*time.Hour {
		t.Errorf("%d are dead after %s", len(dead), h.clock().Sub(begun))
	}
	told := 0
	for _, e := range h.log(t) {
		if e.Type == blueberry.NoticeDied {
			told++
		}
	}
	if told == 0 || told > 8 {
		t.Errorf("it is told %d times", told)
	}
	h.status(200)
	count, err := h.RedriveDead(t.Context(), owner, sub.ID)
	if err != nil || count != 100 {
		t.Errorf("%d, %v", count, err)
	}
	h.work(t)
	if done := h.notices(t, blueberry.NoticeQuery{State: blueberry.NoticeDelivered}); len(done) != 100 {
		t.Errorf("%d are delivered", len(done))
	}
	if count, err := h.RedriveDead(t.Context(), owner, sub.ID); err != nil || count != 0 {
		t.Errorf("%d, %v", count, err)
	}
}

// A receiver that is gone is told nothing more, until someone says otherwise.
func TestAReceiverThatIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	h.status(410)
	h.happen(t, ready(), ready())
	h.workUntilQuiet(t)
	s := h.get(t, sub.ID)
	if !s.Off || !strings.Contains(s.OffWhy, "410") || s.Version != 2 || len(h.parcels()) != 1 {
		t.Errorf("%+v", s)
	}
	if got := typesOf(h.log(t)); !slices.Equal(got, []string{"subscription.added", "subscription.switched_off", "notice.dead"}) {
		t.Errorf("events are %v", got)
	}
	h.happen(t, ready()) // is not for it
	states := map[blueberry.NoticeState]int{}
	for _, n := range h.notices(t, blueberry.NoticeQuery{}) {
		states[n.State]++
	}
	if d := cmp.Diff(map[blueberry.NoticeState]int{blueberry.NoticeDead: 1, blueberry.NoticeWaiting: 1}, states); d != "" {
		t.Error(d)
	}
	dead := h.notices(t, blueberry.NoticeQuery{State: blueberry.NoticeDead})[0]
	_, err := h.Redrive(t.Context(), owner, dead.ID)
	wantCode(t, "redrive", err, blueberry.Conflict, "SUBSCRIPTION_OFF")
	_, err = h.RedriveDead(t.Context(), owner, sub.ID)
	wantCode(t, "redrive all", err, blueberry.Conflict, "SUBSCRIPTION_OFF")
	h.status(200)
	on := false
	if s, err = h.Change(t.Context(), owner, sub.ID, notify.SubscriptionChange{Off: &on}, 0); err != nil || s.Off || s.OffWhy != "" || s.Health.Failures != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	h.work(t)
	if left := h.notices(t, blueberry.NoticeQuery{State: blueberry.NoticeWaiting}); len(left) != 0 {
		t.Errorf("%d wait", len(left))
	}
}

// Messages for people wait for the end of quiet hours, and webhooks do not; a retry waits, too.
func TestPeopleAreLeftAloneInQuietHours(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	nights := blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{1, 2, 3, 4, 5}, From: 19 * 60, To: 7 * 60}}, TimeZone: "Europe/Zurich"}
	h.add(t, notify.SubscriptionWish{Name: "room", Kind: "slack", Quiet: nights})
	h.add(t, notify.SubscriptionWish{Name: "hook"})
	toPeople := func() (n int) {
		for _, p := range h.parcels() {
			if len(p.Secrets) == 0 {
				n++
			}
		}
		return n
	}
	morning := time.Date(2026, 3, 3, 6, 0, 0, 0, time.UTC) // 7:00 in Zurich
	h.at(time.Date(2026, 3, 2, 17, 59, 58, 0, time.UTC))   // 18:59:58
	h.answers(func(p notify.Parcel) blueberry.NoticeResult {
		if len(p.Secrets) == 0 && h.clock().Before(morning) {
			return blueberry.NoticeResult{Status: 503}
		}
		return blueberry.NoticeResult{Status: 200}
	})
	h.happen(t, ready())
	next := h.work(t)
	if toPeople() != 1 || !next.Equal(h.clock().Add(5*time.Second)) {
		t.Fatalf("before the night %d, next at %s", toPeople(), next)
	}
	h.at(next) // 19:00:03: the retry falls into the night
	h.happen(t, ready())
	if next = h.work(t); !next.Equal(morning) || toPeople() != 1 || len(h.parcels()) != 3 {
		t.Errorf("at night %d of %d went to people, next at %s", toPeople(), len(h.parcels()), next)
	}
	h.at(morning)
	h.work(t)
	if left := h.notices(t, blueberry.NoticeQuery{State: blueberry.NoticeWaiting}); len(left) != 0 || toPeople() != 3 {
		t.Errorf("in the morning %d wait, %d went to people", len(left), toPeople())
	}
}

// A subscription that is removed while it is sent to is none to note anything of.
func TestASubscriptionIsRemovedWhileItIsSentTo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	sub := h.add(t, notify.SubscriptionWish{})
	h.happen(t, ready(), ready())
	h.answers(func(notify.Parcel) blueberry.NoticeResult {
		if err := h.Remove(t.Context(), owner, sub.ID, 0); err != nil && !errors.Is(err, blueberry.NotFound) {
			t.Error(err)
		}
		return blueberry.NoticeResult{Status: 200}
	})
	h.workUntilQuiet(t)
	if len(h.parcels()) != 1 || len(h.notices(t, blueberry.NoticeQuery{})) != 0 {
		t.Errorf("%d sent, %d notices", len(h.parcels()), len(h.notices(t, blueberry.NoticeQuery{})))
	}
}

func TestNoticesAreKeptForAMonth(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.add(t, notify.SubscriptionWish{})
	var events []blueberry.Event
	for range 501 {
		events = append(events, ready())
	}
	h.happen(t, events...)
	h.later(blueberry.KeepNotices)
	h.happen(t, ready())
	if n, detail, err := h.Purge(t.Context()); err != nil || n != 0 || detail != "" {
		t.Errorf("purged %d, %q, %v", n, detail, err)
	}
	h.later(time.Second)
	if n, detail, err := h.Purge(t.Context()); err != nil || n != 501 || detail != "501 notices" {
		t.Errorf("purged %d, %q, %v", n, detail, err)
	}
	h.only(t)
}

// A receiver that wants none of it has each go dead after three attempts, and it is told once an hour.
func TestWhatAReceiverDoesNotWantIsToldSeldom(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.add(t, notify.SubscriptionWish{})
	h.status(404)
	var events []blueberry.Event
	for range 20 {
		events = append(events, ready())
	}
	begun := h.clock()
	h.happen(t, events...)
	h.workUntilQuiet(t)
	for _, n := range h.notices(t, blueberry.NoticeQuery{}) {
		if n.State != blueberry.NoticeDead || n.Tries != 3 {
			t.Errorf("%+v", n)
		}
	}
	told, hours := 0, int(h.clock().Sub(begun)/time.Hour)
	for _, e := range h.log(t) {
		if e.Type == blueberry.NoticeDied {
			told++
		}
	}
	if told == 0 || told > hours+1 || hours > 3 {
		t.Errorf("in %d hours it is told %d times", hours, told)
	}
}

// TestSlowReceiversTakeFewPlaces: while as many are told of something as may be, another one waits, and takes no worker.
func TestSlowReceiversTakeFewPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.AtOnce = 1
	slow := h.add(t, notify.SubscriptionWish{Name: "slow"})
	other := h.add(t, notify.SubscriptionWish{Name: "other"})
	h.happen(t, ready())
	begun, answer := make(chan struct{}, 1), make(chan struct{})
	h.answers(func(notify.Parcel) blueberry.NoticeResult {
		begun <- struct{}{}
		<-answer
		return blueberry.NoticeResult{Status: 204}
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := h.SendNotices(t.Context(), blueberry.Job{Subject: slow.ID}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	out, err := h.SendNotices(t.Context(), blueberry.Job{Subject: other.ID})
	if err != nil || out.Again <= 0 || len(begun) > 0 {
		t.Errorf("again in %v: %v", out.Again, err)
	}
	close(answer)
	wg.Wait()
	if _, err := h.SendNotices(t.Context(), blueberry.Job{Subject: other.ID}); err != nil || len(begun) != 1 {
		t.Errorf("with a free place: %v", err)
	}
}
