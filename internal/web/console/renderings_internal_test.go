package console

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
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
		var s shared[rendering]
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
	var s shared[rendering]
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

// TestListsAreSharedByThoseWithTheSameRights: who they are and when their session ends does not matter; what they may do, and what they look at, does.
func TestListsAreSharedByThoseWithTheSameRights(t *testing.T) {
	t.Parallel()
	grants := func(project string, g ...blueberry.Grant) map[string][]blueberry.Grant {
		return map[string][]blueberry.Grant{project: g}
	}
	ada := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_ada", Name: "ada", Grants: []blueberry.Grant{blueberry.GrantTargetsRead}, Projects: grants("shop", blueberry.GrantEnvironmentsRead)}
	look := func(who blueberry.Actor, address string) *visit {
		return &visit{who: who, r: httptest.NewRequest(http.MethodGet, address, http.NoBody)}
	}
	for name, c := range map[string]struct {
		change  func(*blueberry.Actor)
		address string
		same    bool
	}{
		"another person": {func(a *blueberry.Actor) {
			a.ID, a.UserID, a.Name, a.Credential, a.Until = "usr_ben", "usr_ben", "ben", "ses_2", time.Unix(1, 0)
		}, "/environments", true},
		"what it shows already": {func(*blueberry.Actor) {}, "/environments?shown=abc", true},
		"a token":               {func(a *blueberry.Actor) { a.Kind = blueberry.ActorToken }, "/environments", false},
		"more on the whole":     {func(a *blueberry.Actor) { a.Grants = []blueberry.Grant{blueberry.GrantAll} }, "/environments", false},
		"nothing on the whole":  {func(a *blueberry.Actor) { a.Grants = nil }, "/environments", false},
		"another project":       {func(a *blueberry.Actor) { a.Projects = grants("bank", blueberry.GrantEnvironmentsRead) }, "/environments", false},
		"more in the project": {func(a *blueberry.Actor) {
			a.Projects = grants("shop", blueberry.GrantEnvironmentsRead, blueberry.GrantEnvironmentsCreate)
		}, "/environments", false},
		"no project":    {func(a *blueberry.Actor) { a.Projects = nil }, "/environments", false},
		"another query": {func(*blueberry.Actor) {}, "/environments?q=x", false},
		"another page":  {func(*blueberry.Actor) {}, "/", false},
	} {
		other := ada
		if c.change(&other); (look(ada, "/environments").listKey() == look(other, c.address).listKey()) != c.same {
			t.Errorf("%s: the same is %v, want %v", name, !c.same, c.same)
		}
	}

	c := &Console{Now: time.Now}
	var lists shared[any]
	read := 0
	for range 3 {
		v := look(ada, "/environments")
		v.Console, v.ctx, v.follows = c, t.Context(), &openPage{lists: &lists}
		if got, err := sharedList(v, func() (string, error) { read++; return "list", nil }); got != "list" || err != nil {
			t.Errorf("it gives %q, %v", got, err)
		}
		v.follows = nil // a page that is only opened
		if got, err := sharedList(v, func() (string, error) { return "its own", nil }); got != "its own" || err != nil {
			t.Errorf("it gives %q, %v", got, err)
		}
	}
	if read != 1 {
		t.Errorf("it was read %d times", read)
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
