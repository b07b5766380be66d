package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

var (
	owner      = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "ada", Grants: []blueberry.Grant{blueberry.GrantAll}}
	maintainer = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "mia", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleMaintainer.Grants()}}
	viewer     = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_3", Name: "rob", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleViewer.Grants()}}
	stranger   = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_4", Name: "eve", Projects: map[string][]blueberry.Grant{"other": blueberry.RoleAdmin.Grants()}}
)

const hook = "https://hooks.example.com/t0ken"

// house is the operations on a real record, with receivers that answer as a test wants.
type house struct {
	*notify.Subscriptions
	store *storetest.Store

	mu     sync.Mutex
	now    time.Time
	jobs   map[string]time.Time // subject to when it runs
	got    []notify.Parcel
	answer func(p notify.Parcel) blueberry.NoticeResult
	seq    int64
}

func newHouse(t testing.TB, s *storetest.Store) *house {
	t.Helper()
	h := &house{store: s, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), jobs: map[string]time.Time{}}
	h.Subscriptions = &notify.Subscriptions{
		Record: record{s, h}, Seal: glass{}, PublicURL: "https://blueberry.example.com", Now: h.clock, Senders: map[blueberry.SubscriptionKind]notify.Sender{},
	}
	for _, kind := range blueberry.SubscriptionKinds() {
		h.Senders[kind] = receiver{h}
	}
	if err := s.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutProject(t.Context(), blueberry.Project{Name: blueberry.DefaultProject, CreatedAt: h.now}), tx.InsertProject(t.Context(), blueberry.Project{Name: "other"}))
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *house) at(now time.Time) { h.mu.Lock(); defer h.mu.Unlock(); h.now = now }

func (h *house) later(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

// answers has every receiver answer so from now on.
func (h *house) answers(f func(p notify.Parcel) blueberry.NoticeResult) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = f
}

func (h *house) status(status int) {
	h.answers(func(notify.Parcel) blueberry.NoticeResult { return blueberry.NoticeResult{Status: status} })
}

func (h *house) parcels() []notify.Parcel {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

// receiver is the outside.
type receiver struct{ h *house }

func (r receiver) Send(_ context.Context, p notify.Parcel) blueberry.NoticeResult {
	r.h.mu.Lock()
	r.h.got = append(r.h.got, p)
	answer := r.h.answer
	r.h.mu.Unlock()
	if answer == nil {
		return blueberry.NoticeResult{Status: 200}
	}
	return answer(p)
}

// glass seals so that a test can see through.
type glass struct{}

func (glass) Seal(plain []byte, bound string) ([]byte, error) {
	return []byte(bound + "|" + string(plain)), nil
}

func (glass) Open(sealed []byte, bound string) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(sealed), bound+"|")
	if !ok {
		return nil, errors.New("it does not open")
	}
	return []byte(plain), nil
}

// record notes the jobs of the transactions that committed.
type record struct {
	s *storetest.Store
	h *house
}

func (r record) Update(ctx context.Context, f func(notify.Tx) error) error {
	var subjects []string
	err := r.s.Update(ctx, func(tx *store.Tx) error {
		subjects = nil
		return f(&noting{tx, &subjects})
	})
	if err == nil {
		r.h.mu.Lock()
		defer r.h.mu.Unlock()
		for _, x := range subjects {
			r.h.jobs[x] = r.h.now
		}
	}
	return err
}

func (r record) View(ctx context.Context, f func(notify.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

type noting struct {
	*store.Tx
	subjects *[]string
}

func (n *noting) Enqueue(_ context.Context, kind blueberry.JobKind, subject string) error {
	if kind != blueberry.JobNoticeSend {
		return fmt.Errorf("a job of the kind %s", kind)
	}
	*n.subjects = append(*n.subjects, subject)
	return nil
}

// work runs the jobs that are due, and gives when the next one is; zero for none.
func (h *house) work(t testing.TB) (next time.Time) {
	t.Helper()
	for {
		h.mu.Lock()
		var due string
		next = time.Time{}
		for subject, at := range h.jobs {
			if !at.After(h.now) {
				due = subject
			} else if next.IsZero() || at.Before(next) {
				next = at
			}
		}
		delete(h.jobs, due)
		h.mu.Unlock()
		if due == "" {
			return next
		}
		out, err := h.SendNotices(t.Context(), blueberry.Job{Kind: blueberry.JobNoticeSend, Subject: due})
		if err != nil {
			t.Fatal(err)
		}
		if out.Again > 0 {
			h.mu.Lock()
			at := h.now.Add(out.Again)
			if out.Again == time.Millisecond { // at once, when others have had their turn
				at = h.now
			}
			if was, ok := h.jobs[due]; !ok || at.Before(was) {
				h.jobs[due] = at
			}
			h.mu.Unlock()
		}
	}
}

// workUntilQuiet runs jobs and lets time pass until nothing is left to do.
func (h *house) workUntilQuiet(t testing.TB) {
	t.Helper()
	for range 10_000 {
		next := h.work(t)
		if next.IsZero() {
			return
		}
		h.at(next)
	}
	t.Fatal("it does not end")
}

// happen has events happen, and be taken.
func (h *house) happen(t testing.TB, events ...blueberry.Event) {
	t.Helper()
	for i := range events {
		h.seq++
		events[i].Seq, events[i].At = h.seq, h.clock()
		if events[i].ID == "" {
			events[i].ID = fmt.Sprintf("evt_%06d", h.seq)
		}
		if events[i].Project == "" {
			events[i].Project = blueberry.DefaultProject
		}
	}
	if err := h.Record.Update(t.Context(), func(tx notify.Tx) error { return h.Take(t.Context(), tx, events) }); err != nil {
		t.Fatal(err)
	}
}

func ready() blueberry.Event {
	return blueberry.Event{Type: blueberry.EnvironmentReady, EnvironmentID: "env_1", Environment: "pr-7", Actor: "ada", Message: "default/pr-7 is ready"}
}

func (h *house) add(t testing.TB, w notify.SubscriptionWish) blueberry.Subscription {
	t.Helper()
	if w.Name == "" {
		w.Name = "ci"
	}
	if w.Kind == "" {
		w.Kind = blueberry.SubscriptionWebhook
	}
	if w.Events == nil {
		w.Events = []string{"environment.*"}
	}
	if w.Address == (blueberry.SubscriptionAddress{}) {
		w.Address.URL = hook
	}
	a, err := h.Add(t.Context(), owner, w)
	if err != nil {
		t.Fatal(err)
	}
	return a.Subscription
}

func (h *house) notices(t testing.TB, q blueberry.NoticeQuery) []blueberry.Notice {
	t.Helper()
	q.Limit = blueberry.MaxPageSize
	found, err := h.Notices(t.Context(), owner, "", q)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (h *house) only(t testing.TB) blueberry.Notice {
	t.Helper()
	found := h.notices(t, blueberry.NoticeQuery{})
	if len(found) != 1 {
		t.Fatalf("%d notices", len(found))
	}
	return found[0]
}

func (h *house) get(t testing.TB, id string) blueberry.Subscription {
	t.Helper()
	s, err := h.Subscription(t.Context(), owner, id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// log gives the types of the events in the record, and the details of the audit entries.
func (h *house) log(t testing.TB) (events []blueberry.Event) {
	t.Helper()
	if err := h.store.View(t.Context(), func(tx *store.Tx) (err error) {
		events, err = tx.Events(t.Context(), blueberry.EventQuery{Limit: 500})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return events
}

func typesOf(events []blueberry.Event) (out []string) {
	for _, e := range events {
		out = append(out, string(e.Type))
	}
	return out
}

func wantCode(t testing.TB, what string, err error, kind blueberry.Kind, code string) {
	t.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code {
		t.Errorf("%s: got %v, want %s %s", what, err, kind, code)
	}
}

func js(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
