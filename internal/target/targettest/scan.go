package targettest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

func testScan(t *testing.T, s *scene) {
	scanner, ok := s.Driver.(target.Scanner)
	if !ok {
		return
	}
	scan := func() (own []blueberry.ObjectRef) {
		t.Helper()
		Ask(t, "scan", func() (any, error) {
			own = nil
			return nil, scanner.Scan(t.Context(), func(ref target.Ref, o blueberry.ObjectRef, since time.Time) {
				if ref != s.Ref { // the place is everybody's
					return
				}
				if d := time.Since(since); d < -time.Minute || d > time.Hour {
					t.Errorf("%s is said to be there since %s", o, since)
				}
				own = append(own, o)
			})
		})
		slices.SortFunc(own, func(a, b blueberry.ObjectRef) int { return strings.Compare(a.String(), b.String()) })
		return own
	}
	if got := scan(); len(got) > 0 {
		t.Errorf("found %v of what was never there", got)
	}
	s.settle(t, s.usual(t))
	var want []blueberry.ObjectRef
	for _, e := range LedgerOf(s.files) {
		want = append(want, e.ObjectRef)
	}
	astray := File(t, s.Ref, 0, "astray-"+s.Environment, strings.Replace(configDoc, "$ns", "default", 1))
	s.Hand.Create(t, string(astray.Content))
	want = append(want, astray.Objects...)
	slices.SortFunc(want, func(a, b blueberry.ObjectRef) int { return strings.Compare(a.String(), b.String()) })
	// A Service may have Endpoints of its own, which no controller owns.
	got := slices.DeleteFunc(scan(), func(o blueberry.ObjectRef) bool { return o.Kind == "Endpoints" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	s.vanish(t)
	if got := scan(); len(got) > 0 {
		t.Errorf("found %v of what is gone", got)
	}
}

func testLeftovers(t *testing.T, s *scene) {
	holdup, ok := s.Driver.(target.Holdup)
	if !ok {
		return
	}
	s.settle(t, s.usual(t))
	held, ns := s.object(t, "ConfigMap", "back"), s.object(t, "Namespace", s.Namespace)
	s.Hand.Patch(t, held, `{"metadata": {"finalizers": ["example.com/hold"]}}`)
	by := map[blueberry.ObjectRef]blueberry.Leftover{}
	s.Hand.Delete(t, ns) // as an impatient hand does; Remove would wait for what is in it
	eventually(t, "what holds the namespace is told", func() string {
		left := Ask(t, "remove", func() ([]blueberry.ObjectRef, error) { return s.Driver.Remove(t.Context(), s.Ref, LedgerOf(s.files)) })
		list := Ask(t, "leftovers", func() ([]blueberry.Leftover, error) {
			return holdup.Leftovers(t.Context(), s.Ref, append(left, s.object(t, "Secret", "back")))
		})
		clear(by)
		for _, l := range list {
			by[l.ObjectRef] = l
		}
		return blank(len(by) == 2 && by[ns].Fix != "", fmt.Sprintf("%+v", by))
	})
	l := by[held]
	if !slices.Equal(l.Finalizers, []string{"example.com/hold"}) || l.Since.IsZero() || !strings.Contains(l.Message, "example.com/hold") || !strings.Contains(l.Fix, "warning") {
		t.Errorf("leftover %+v, want its finalizer, since when, and a way out with its warning", l)
	}
	if l := by[ns]; l.Since.IsZero() || !strings.Contains(l.Message, "remain") {
		t.Errorf("leftover %+v, want what is in the namespace", l)
	}
	s.Hand.Patch(t, held, `{"metadata": {"finalizers": null}}`)
	s.vanish(t)
	if list := Ask(t, "leftovers", func() ([]blueberry.Leftover, error) {
		return holdup.Leftovers(t.Context(), s.Ref, []blueberry.ObjectRef{held, ns})
	}); len(list) > 0 {
		t.Errorf("leftovers of what is gone: %v", list)
	}
}

func testCheckAll(t *testing.T, s *scene) {
	checker, ok := s.Driver.(target.Checker)
	if !ok {
		return
	}
	list := Ask(t, "check", func() ([]blueberry.TargetCheck, error) { return checker.CheckAll(t.Context()) })
	if len(list) == 0 || list[0].Name != "reach" {
		t.Fatalf("checks: %+v; want reach first", list)
	}
	names := map[string]bool{}
	for _, c := range list {
		if names[c.Name] {
			t.Errorf("two checks have the name %q", c.Name)
		}
		names[c.Name] = true
		if !c.OK && !c.Optional {
			t.Errorf("check %+v, want OK", c)
		}
		if !c.OK && c.Message == "" {
			t.Errorf("check %+v does not say what is missing", c)
		}
	}
}
