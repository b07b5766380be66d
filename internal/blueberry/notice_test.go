package blueberry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var noticeStart = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// A receiver that is down is tried 12 times within a day, ever more seldom.
func TestANoticeIsTriedForADay(t *testing.T) {
	t.Parallel()
	n := blueberry.NewNotice(blueberry.Subscription{ID: "sub_1"}, blueberry.Event{ID: "evt_1"}, noticeStart)
	now := n.NextAt
	var waits []string
	for n.State == blueberry.NoticeWaiting {
		n = n.After(blueberry.NoticeAttempt{At: now}, blueberry.NoticeResult{Status: 503})
		if n.State == blueberry.NoticeWaiting {
			waits = append(waits, n.NextAt.Sub(now).String())
			now = n.NextAt
		}
	}
	want := []string{"5s", "30s", "2m0s", "10m0s", "30m0s", "1h0m0s", "3h0m0s", "3h0m0s", "5h0m0s", "5h0m0s", "5h0m0s"}
	if d := cmp.Diff(want, waits); d != "" {
		t.Errorf("pauses (-want +got):\n%s", d)
	}
	if took := now.Sub(noticeStart); n.State != blueberry.NoticeDead || n.Tries != 12 || took > blueberry.NoticeLife || took < 20*time.Hour || n.EndedAt != now || !n.NextAt.IsZero() {
		t.Errorf("after %s it is %+v", took, n)
	}
}

func TestWhatComesOfAnAttempt(t *testing.T) {
	t.Parallel()
	const waiting, delivered, dead = blueberry.NoticeWaiting, blueberry.NoticeDelivered, blueberry.NoticeDead
	for name, c := range map[string]struct {
		result blueberry.NoticeResult
		tries  int           // before
		late   time.Duration // after it was made
		state  blueberry.NoticeState
		wait   time.Duration
		why    string
	}{
		"ok":                                   {result: blueberry.NoticeResult{Status: 204}, state: delivered},
		"mail":                                 {result: blueberry.NoticeResult{}, state: delivered},
		"ok, late":                             {result: blueberry.NoticeResult{Status: 200}, tries: 11, late: 30 * time.Hour, state: delivered},
		"down":                                 {result: blueberry.NoticeResult{Status: 500}, state: waiting, wait: 5 * time.Second, why: "answered 500"},
		"no answer":                            {result: blueberry.NoticeResult{Error: "no answer"}, tries: 2, state: waiting, wait: 2 * time.Minute, why: "no answer"},
		"busy":                                 {result: blueberry.NoticeResult{Status: 429, RetryAfter: 90 * time.Second}, state: waiting, wait: 90 * time.Second, why: "answered 429"},
		"busy for half a second":               {result: blueberry.NoticeResult{Status: 429, RetryAfter: time.Millisecond}, tries: 5, state: waiting, wait: time.Second, why: "answered 429"},
		"busy for a year":                      {result: blueberry.NoticeResult{Status: 503, RetryAfter: 9000 * time.Hour}, state: waiting, wait: 3 * time.Hour, why: "answered 503"},
		"gone":                                 {result: blueberry.NoticeResult{Status: 410}, state: dead, why: "answered 410"},
		"refused, first":                       {result: blueberry.NoticeResult{Status: 404}, state: waiting, wait: 5 * time.Second, why: "answered 404"},
		"refused, third":                       {result: blueberry.NoticeResult{Status: 404}, tries: 2, state: dead, why: "answered 404"},
		"redirected, third":                    {result: blueberry.NoticeResult{Status: 307}, tries: 2, state: dead, why: "answered 307: redirects are not followed"},
		"not allowed, third":                   {result: blueberry.NoticeResult{Error: "no", Refused: true}, tries: 2, state: dead, why: "no"},
		"408, third":                           {result: blueberry.NoticeResult{Status: 408}, tries: 2, state: waiting, wait: 2 * time.Minute, why: "answered 408"},
		"409, third":                           {result: blueberry.NoticeResult{Status: 409}, tries: 2, state: waiting, wait: 2 * time.Minute, why: "answered 409"},
		"425, third":                           {result: blueberry.NoticeResult{Status: 425}, tries: 2, state: waiting, wait: 2 * time.Minute, why: "answered 425"},
		"429, third":                           {result: blueberry.NoticeResult{Status: 429}, tries: 2, state: waiting, wait: 2 * time.Minute, why: "answered 429"},
		"the twelfth":                          {result: blueberry.NoticeResult{Status: 500}, tries: 11, state: dead, why: "answered 500"},
		"the first, after a day":               {result: blueberry.NoticeResult{Status: 500}, late: 24 * time.Hour, state: dead, why: "answered 500"},
		"an error beside a good status":        {result: blueberry.NoticeResult{Status: 200, Error: "cut off"}, state: waiting, wait: 5 * time.Second, why: "cut off"},
		"an odd status that is none of theirs": {result: blueberry.NoticeResult{Status: 600}, tries: 3, state: waiting, wait: 10 * time.Minute, why: "answered 600"},
	} {
		n := blueberry.NewNotice(blueberry.Subscription{}, blueberry.Event{}, noticeStart)
		n.Tries = c.tries
		at := noticeStart.Add(c.late)
		got := n.After(blueberry.NoticeAttempt{At: at, Took: time.Second}, c.result)
		end := at.Add(time.Second)
		if got.State != c.state || got.Tries != c.tries+1 || got.Attempts[0].Error != c.why || got.Attempts[0].Status != c.result.Status {
			t.Errorf("%s: %+v", name, got)
		}
		if c.state == waiting && got.NextAt != end.Add(c.wait) || c.state != waiting && got.EndedAt != end {
			t.Errorf("%s: next %s, ended %s", name, got.NextAt.Sub(end), got.EndedAt)
		}
		if len(n.Attempts) != 0 {
			t.Errorf("%s: the notice before has changed", name)
		}
	}
}

func TestAttemptsOfANoticeAreBounded(t *testing.T) {
	t.Parallel()
	n := blueberry.NewNotice(blueberry.Subscription{}, blueberry.Event{}, noticeStart)
	for i := range 50 {
		n = n.Redriven(noticeStart).After(blueberry.NoticeAttempt{At: noticeStart.Add(time.Duration(i) * time.Second)}, blueberry.NoticeResult{Error: strings.Repeat("ä", 1000)})
	}
	if len(n.Attempts) != blueberry.MaxNoticeAttempts || n.Attempts[19].At != noticeStart.Add(49*time.Second) || n.Tries != 1 {
		t.Errorf("%d attempts, %d tries", len(n.Attempts), n.Tries)
	}
	if e := n.Attempts[0].Error; len(e) > 500 || !utf8.ValidString(e) {
		t.Errorf("an error has %d bytes", len(e))
	}
}

// Quiet hours put off the first attempt and the end of the last, for people alone.
func TestANoticeWaitsForTheEndOfQuietHours(t *testing.T) {
	t.Parallel()
	s := blueberry.Subscription{Kind: blueberry.SubscriptionSlack, Quiet: blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{time.Monday}, From: 600, To: 900}}}}
	n := blueberry.NewNotice(s, blueberry.Event{}, noticeStart)
	if end := noticeStart.Add(3 * time.Hour); n.NextAt != end || n.ExpiresAt != end.Add(24*time.Hour) {
		t.Errorf("it waits for %s", n.NextAt)
	}
}

func TestAReceiverRestsAfterAFailure(t *testing.T) {
	t.Parallel()
	h := blueberry.SubscriptionHealth{DeliveredAt: noticeStart}
	var rests []string
	for i := range 5 {
		at := noticeStart.Add(time.Duration(i+1) * time.Hour)
		h = h.Failed(blueberry.NoticeResult{Status: 500}, at)
		rests = append(rests, h.RestUntil.Sub(at).String())
	}
	if d := cmp.Diff([]string{"5s", "30s", "1m0s", "1m0s", "1m0s"}, rests); d != "" {
		t.Error(d)
	}
	if h.FailingSince != noticeStart.Add(time.Hour) || h.Failures != 5 || h.LastError != "answered 500" || h.DeliveredAt != noticeStart {
		t.Errorf("it is %+v", h)
	}
	if got := h.Failed(blueberry.NoticeResult{Status: 429, RetryAfter: 2 * time.Hour}, noticeStart); got.RestUntil != noticeStart.Add(2*time.Hour) {
		t.Errorf("it rests until %s", got.RestUntil)
	}
	if d := cmp.Diff(blueberry.SubscriptionHealth{DeliveredAt: noticeStart}, h.Delivered(noticeStart)); d != "" {
		t.Error(d)
	}
	for i := range 100 {
		h.Failures = i
		if r := h.Failed(blueberry.NoticeResult{}, noticeStart).RestUntil; r.Before(noticeStart) || r.Sub(noticeStart) > blueberry.MaxRest {
			t.Error(fmt.Sprint(i, " failures: it rests until ", r))
		}
	}
}
