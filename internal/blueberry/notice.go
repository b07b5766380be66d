package blueberry

import (
	"fmt"
	"time"
)

// NoticeState is where a notice is.
type NoticeState string

// The states.
const (
	NoticeWaiting   NoticeState = "waiting" // for its time, its next attempt, or the end of quiet hours
	NoticeDelivered NoticeState = "delivered"
	NoticeDead      NoticeState = "dead" // given up; a dead letter, until someone redrives it
)

// NoticeStates lists them.
func NoticeStates() []NoticeState { return []NoticeState{NoticeWaiting, NoticeDelivered, NoticeDead} }

// Notice is the telling of one event to one subscription.
type Notice struct {
	ID             string
	SubscriptionID string
	Project        string // of the subscription
	Event          Event  // what is told; its ID is that of every attempt
	State          NoticeState
	Tries          int             // since it was made, or redriven
	Attempts       []NoticeAttempt // the latest of all, oldest first
	NextAt         time.Time       // of one that waits: not before
	ExpiresAt      time.Time       // an attempt that fails after it is the last one
	CreatedAt      time.Time
	EndedAt        time.Time // zero while it waits
	Version        int64
}

// NoticeAttempt is one try to deliver a notice.
type NoticeAttempt struct {
	At     time.Time     `json:"at"`
	Status int           `json:"status,omitempty"` // of HTTP; 0 when there was no answer
	Error  string        `json:"error,omitempty"`  // empty when it was delivered
	Took   time.Duration `json:"took"`
}

// Bounds of notices.
const (
	MaxNoticeAttempts = 20                  // that are kept
	NoticeLife        = 24 * time.Hour      // in which attempts are made
	KeepNotices       = 30 * 24 * time.Hour // whatever their state
	MaxRetryAfter     = 3 * time.Hour       // what a receiver asks for beyond it is not heard
	refusedTries      = 3                   // of what the receiver does not want
	maxNoticeError    = 500                 // bytes
)

// noticeDelays are the pauses after each attempt that failed. There is one attempt more than there are pauses: 12 within 23 hours.
var noticeDelays = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 5 * time.Hour, 5 * time.Hour, 5 * time.Hour,
}

// NoticeResult is what came of one attempt.
type NoticeResult struct {
	Status     int           // of HTTP; 0 when there was no answer, or where there is none
	Error      string        // for people, without the address; empty when Status tells all
	Refused    bool          // sending the same again will not help: an address that is not allowed
	RetryAfter time.Duration // that the receiver asked for; 0 for nothing
}

// OK reports whether the notice was delivered.
func (r NoticeResult) OK() bool {
	return r.Error == "" && (r.Status == 0 || r.Status >= 200 && r.Status < 300)
}

// Gone reports whether the receiver wants no more of anything.
func (r NoticeResult) Gone() bool { return r.Status == 410 }

// Why says why it was not delivered; empty when it was.
func (r NoticeResult) Why() string {
	switch {
	case r.OK():
		return ""
	case r.Error != "":
		return clip(r.Error, maxNoticeError)
	case r.Status >= 300 && r.Status < 400:
		return fmt.Sprintf("answered %d: redirects are not followed", r.Status)
	}
	return fmt.Sprintf("answered %d", r.Status)
}

// unwanted reports whether the receiver has understood and says no. What says "not now" is none of these.
func (r NoticeResult) unwanted() bool {
	switch r.Status {
	case 408, 409, 425, 429:
		return false
	}
	return r.Refused || r.Status >= 300 && r.Status < 500
}

func (r NoticeResult) retryAfter() time.Duration {
	return min(max(r.RetryAfter, time.Second), MaxRetryAfter)
}

// clip is no more than n bytes of a text, in whole characters.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	end := 0
	for i := range text {
		if i > n {
			break
		}
		end = i
	}
	return text[:end]
}

// NewNotice is a notice of an event that waits, from now or from the end of quiet hours on.
func NewNotice(s Subscription, e Event, now time.Time) Notice {
	from := now
	if until := s.Quiet.Until(now); !until.IsZero() {
		from = until
	}
	return Notice{
		ID: NewID(NoticeID, now), SubscriptionID: s.ID, Project: s.Project, Event: e, State: NoticeWaiting, NextAt: from, ExpiresAt: from.Add(NoticeLife),
		CreatedAt: now, Version: 1,
	}
}

// After is the notice after an attempt: delivered, dead, or waiting for the next one.
func (n Notice) After(a NoticeAttempt, r NoticeResult) Notice {
	at := a.At.Add(a.Took)
	a.Status, a.Error = r.Status, r.Why()
	n.Tries++
	n.Attempts = append(n.Attempts[:len(n.Attempts):len(n.Attempts)], a)
	if over := len(n.Attempts) - MaxNoticeAttempts; over > 0 {
		n.Attempts = n.Attempts[over:]
	}
	switch {
	case r.OK():
		n.State = NoticeDelivered
	case r.Gone(), r.unwanted() && n.Tries >= refusedTries, n.Tries > len(noticeDelays), !at.Before(n.ExpiresAt):
		n.State = NoticeDead
	default:
		n.NextAt = at.Add(noticeDelays[n.Tries-1])
		if r.RetryAfter > 0 {
			n.NextAt = at.Add(r.retryAfter())
		}
		return n
	}
	n.NextAt, n.EndedAt = time.Time{}, at
	return n
}

// Withheld is the notice given up without an attempt: who was to be told may not be, or does not want to.
func (n Notice) Withheld(why string, now time.Time) Notice {
	n.Attempts = append(n.Attempts[:len(n.Attempts):len(n.Attempts)], NoticeAttempt{At: now, Error: "not sent: " + why})
	if over := len(n.Attempts) - MaxNoticeAttempts; over > 0 {
		n.Attempts = n.Attempts[over:]
	}
	n.State, n.NextAt, n.EndedAt = NoticeDead, time.Time{}, now
	return n
}

// Redriven is the notice waiting again, with all its attempts before it.
func (n Notice) Redriven(now time.Time) Notice {
	n.State, n.Tries, n.NextAt, n.ExpiresAt, n.EndedAt = NoticeWaiting, 0, now, now.Add(NoticeLife), time.Time{}
	return n
}

// NoticeQuery asks for notices, newest first.
type NoticeQuery struct {
	Projects       []string // nil for all, with those of the installation
	SubscriptionID string
	State          NoticeState
	Before         string // id: only older ones
	Limit          int
}
