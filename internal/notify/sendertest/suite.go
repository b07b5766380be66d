package sendertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// hidden is in the path of every address and in no result.
const hidden = "T0K3N-of-the-address"

// Secret is what parcels are signed with.
const Secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// Got is a call as a receiver got it.
type Got struct {
	Header http.Header
	Body   []byte
}

// Receiver is an HTTP server that answers as a test wants.
type Receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []Got
	answer http.HandlerFunc
}

// Open starts one that answers 200.
func Open(t *testing.T) *Receiver {
	t.Helper()
	r := &Receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		r.got = append(r.got, Got{req.Header.Clone(), body})
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// Answer has it answer otherwise from now on.
func (r *Receiver) Answer(f http.HandlerFunc) { r.mu.Lock(); defer r.mu.Unlock(); r.answer = f }

// Got gives all calls so far.
func (r *Receiver) Got() []Got { r.mu.Lock(); defer r.mu.Unlock(); return append([]Got{}, r.got...) }

// Address is that of the receiver, with something in it that nobody may repeat.
func (r *Receiver) Address() blueberry.SubscriptionAddress {
	return blueberry.SubscriptionAddress{URL: r.URL + "/" + hidden + "?key=" + hidden, Key: hidden}
}

// Parcel is one for an address.
func Parcel(to blueberry.SubscriptionAddress) notify.Parcel {
	e := blueberry.Event{
		Seq: 42, ID: "evt_1", Type: blueberry.EnvironmentFailed, EnvironmentID: "env_1", Project: "shop", Environment: "pr-7", Actor: "ada", Message: "it failed",
		At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	return notify.Parcel{
		Attributes: map[string]string{"content-type": notify.CloudEventType, "ce-id": e.ID, "ce-type": "dev.blueberry.environment.failed"},
		ID:         e.ID, At: 1_772_366_400, Address: to, Secrets: []string{Secret}, Event: e, CloudEvent: []byte(`{"specversion":"1.0"}`),
		Message: notify.Message{Title: "shop/pr-7: environment failed", Text: "it failed", Link: "https://blueberry.test/environments/env_1"},
	}
}

// Run holds a driver to what all have in common.
func Run(t *testing.T, open func(out *notify.Outbound) notify.Sender) {
	t.Helper()
	Suite{Open: open}.Run(t)
}

// Suite is a driver, and what is of its own kind.
type Suite struct {
	Open    func(out *notify.Outbound) notify.Sender
	Address func(a blueberry.SubscriptionAddress) blueberry.SubscriptionAddress // of a receiver, as the kind has it; nil: as it is
	Taken   string                                                              // what a receiver answers that has taken something, with 200; empty: any of the 2xx will do
}

// at is a receiver as a driver addresses it. It answers as one that takes what comes.
func (s Suite) at(r *Receiver) blueberry.SubscriptionAddress {
	if s.Taken != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.answer == nil {
			r.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s.Taken) }
		}
	}
	return s.addressed(r.Address())
}

func (s Suite) addressed(a blueberry.SubscriptionAddress) blueberry.SubscriptionAddress {
	if s.Address != nil {
		return s.Address(a)
	}
	return a
}

// Run holds the driver to what all have in common.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	open := s.Open
	here := &notify.Outbound{AllowLocal: true}
	unwatched := func(t *testing.T, r blueberry.NoticeResult) {
		t.Helper()
		if strings.Contains(r.Why()+r.Error, hidden) || strings.Contains(r.Why()+r.Error, Secret) {
			t.Errorf("the result tells a secret: %+v", r)
		}
	}
	t.Run("what is taken is delivered", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{200, 201, 202, 204} {
			r := Open(t)
			if s.Taken == "" {
				r.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			} else if status != 200 {
				continue
			}
			res := open(here).Send(t.Context(), Parcel(s.at(r)))
			if got := r.Got(); !res.OK() || res.Status != status || len(got) != 1 || !json.Valid(got[0].Body) {
				t.Errorf("%d: %+v", status, res)
			}
			if got := r.Got()[0].Header.Get("User-Agent"); got != "Blueberry" {
				t.Errorf("it comes from %q", got)
			}
		}
	})
	t.Run("what is not taken is told, without the address", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{400, 401, 403, 404, 408, 410, 413, 429, 500, 502, 503} {
			r := Open(t)
			r.Answer(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, hidden+strings.Repeat("x", 1<<20))
			})
			res := open(here).Send(t.Context(), Parcel(s.at(r)))
			if res.OK() || res.Status != status || res.RetryAfter != 7*time.Second {
				t.Errorf("%d: %+v", status, res)
			}
			unwatched(t, res)
		}
	})
	t.Run("no redirect is followed", func(t *testing.T) {
		t.Parallel()
		other := Open(t)
		for _, status := range []int{301, 302, 303, 307, 308} {
			r := Open(t)
			r.Answer(func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, other.URL+"/"+hidden, status) })
			res := open(here).Send(t.Context(), Parcel(s.at(r)))
			if res.OK() || res.Status != status || len(other.Got()) != 0 {
				t.Errorf("%d: %+v", status, res)
			}
			unwatched(t, res)
		}
	})
	t.Run("who does not answer is given up", func(t *testing.T) {
		t.Parallel()
		r := Open(t)
		asked, over := make(chan struct{}), make(chan struct{})
		defer close(over)
		r.Answer(func(http.ResponseWriter, *http.Request) { close(asked); <-over })
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-asked; cancel() }()
		res := open(here).Send(ctx, Parcel(s.at(r)))
		if res.OK() || res.Status != 0 || res.Refused {
			t.Errorf("%+v", res)
		}
		unwatched(t, res)
	})
	t.Run("who is not there is told", func(t *testing.T) {
		t.Parallel()
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		unknown := &notify.Outbound{AllowLocal: true, Lookup: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("nobody of this name") }}
		for address, out := range map[string]*notify.Outbound{"http://" + l.Addr().String(): here, "http://hooks.example.com": unknown} {
			res := open(out).Send(t.Context(), Parcel(s.addressed(blueberry.SubscriptionAddress{URL: address + "/" + hidden, Key: hidden})))
			if res.OK() || res.Status != 0 || res.Refused || res.Error == "" {
				t.Errorf("%+v", res)
			}
			unwatched(t, res)
		}
	})
	t.Run("no network of one's own is reached", func(t *testing.T) {
		t.Parallel()
		r := Open(t)
		res := open(&notify.Outbound{}).Send(t.Context(), Parcel(s.addressed(blueberry.SubscriptionAddress{URL: strings.Replace(r.URL, "http://", "https://", 1) + "/" + hidden, Key: hidden})))
		if res.OK() || !res.Refused || len(r.Got()) != 0 {
			t.Errorf("%+v", res)
		}
		unwatched(t, res)
	})
	t.Run("the same again is the same", func(t *testing.T) {
		t.Parallel()
		r := Open(t)
		for range 2 {
			open(here).Send(t.Context(), Parcel(s.at(r)))
		}
		if got := r.Got(); len(got) != 2 || !bytes.Equal(got[0].Body, got[1].Body) {
			t.Errorf("got %d calls", len(got))
		}
	})
	t.Run("no text of an event breaks a message", func(t *testing.T) {
		t.Parallel()
		r := Open(t)
		for _, text := range []string{"\x00\x1b[31m\u202e", `"}]}`, strings.Repeat("<&@*", 5000), "\xff\xfe", strings.Repeat("🫐", 5000), ""} {
			p := Parcel(s.at(r))
			p.Message.Title, p.Message.Text, p.Event.Message = text, text, text
			if res := open(here).Send(t.Context(), p); !res.OK() {
				t.Errorf("%.20q: %+v", text, res)
			}
		}
		for _, g := range r.Got() {
			if !json.Valid(g.Body) {
				t.Errorf("no JSON: %.200s", g.Body)
			}
		}
	})
}
