package console

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestReadersShareARendering: many readers who ask for one page because of one event have it made once; one who asks because of a later event gets a later one.
func TestReadersShareARendering(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &Console{Now: time.Now}
		var s sharedRendering
		var made atomic.Int32
		slow := func() (rendering, error) {
			n := made.Add(1)
			time.Sleep(time.Second) // of the bubble
			return rendering{digest: string('a' + n - 1)}, nil
		}
		all := func(turn int64, want string) {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					if got, err := s.get(t.Context(), turn, time.Time{}, c, slow); err != nil || got.digest != want {
						t.Errorf("turn %d: %q, %v", turn, got.digest, err)
					}
				})
			}
			wg.Wait()
		}
		all(0, "a")
		all(0, "a")
		c.wakers.tell(nil)
		all(1, "b")
		if n := made.Load(); n != 2 {
			t.Errorf("it was made %d times", n)
		}

		began := make(chan struct{})
		go func() {
			_, _ = s.get(t.Context(), 1, time.Now().Add(time.Nanosecond), c, func() (rendering, error) {
				close(began)
				time.Sleep(time.Second)
				return rendering{digest: "too early"}, nil
			})
		}()
		<-began
		c.wakers.tell(nil) // while it is being made
		all(2, "c")
	})
}

// TestRenderingThatFails: whose own is not made is told; the others go on and make theirs.
func TestRenderingThatFails(t *testing.T) {
	t.Parallel()
	c := &Console{Now: time.Now}
	var s sharedRendering
	wrong := errors.New("wrong")
	if _, err := s.get(t.Context(), 0, time.Time{}, c, func() (rendering, error) { return rendering{}, wrong }); !errors.Is(err, wrong) {
		t.Errorf("it says %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = s.get(t.Context(), 0, time.Time{}, c, func() (rendering, error) { panic("not made") })
	}()
	if got, err := s.get(t.Context(), 0, time.Time{}, c, func() (rendering, error) { return rendering{digest: "a"}, nil }); err != nil || got.digest != "a" {
		t.Errorf("after that: %+v, %v", got, err)
	}
	gone, end := context.WithCancel(t.Context())
	end()
	s.making = make(chan struct{})
	if _, err := s.get(gone, 9, time.Time{}, c, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who is gone is told %v", err)
	}
}

func TestPagesAreWokenByWhatConcernsThem(t *testing.T) {
	t.Parallel()
	all := blueberry.Actor{Grants: []blueberry.Grant{blueberry.GrantAll}}
	member := blueberry.Actor{Projects: map[string][]blueberry.Grant{"shop": {blueberry.GrantEnvironmentsRead}}}
	for name, c := range map[string]struct {
		who   blueberry.Actor
		what  interest
		event blueberry.Event
		want  bool
	}{
		"any":                     {all, interest{Any: true}, blueberry.Event{Project: "shop"}, true},
		"its environment":         {member, interest{Environment: "env_1"}, blueberry.Event{Project: "shop", EnvironmentID: "env_1"}, true},
		"another environment":     {member, interest{Environment: "env_1"}, blueberry.Event{Project: "shop", EnvironmentID: "env_2"}, false},
		"a project of theirs":     {member, interest{Any: true}, blueberry.Event{Project: "shop"}, true},
		"a project of others":     {member, interest{Any: true}, blueberry.Event{Project: "bank"}, false},
		"what is of no project":   {member, interest{Any: true}, blueberry.Event{}, true},
		"who may nothing anymore": {blueberry.Actor{}, interest{Any: true}, blueberry.Event{Project: "shop"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w wakers
			m := w.join(c.who)
			w.narrow(m, c.what)
			w.tell([]blueberry.Event{c.event})
			if got := len(m.wake) == 1; got != c.want || (m.need() == 1) != c.want {
				t.Errorf("woken %v, want %v", got, c.want)
			}
			w.leave(m)
			if len(w.open) != 0 {
				t.Error("it is still there")
			}
		})
	}
}

func TestKeysAreGiven(t *testing.T) {
	t.Parallel()
	items := []menuItem{{Name: "Home", Key: "h"}, {Name: "Hosts"}, {Name: "ho"}, {Name: "1"}}
	giveKeys(items)
	for i, want := range []string{"h", "o", "a", "b"} {
		if items[i].Key != want {
			t.Errorf("%s has %q, want %q", items[i].Name, items[i].Key, want)
		}
	}
}
