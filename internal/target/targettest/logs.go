package targettest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// say has all containers of the environment say something, where they do not by themselves.
func (s *scene) say(t testing.TB, text string) {
	t.Helper()
	if s.Say == nil {
		return
	}
	list, err := s.Driver.(target.LogReader).Containers(t.Context(), s.Ref)
	if err != nil {
		t.Fatalf("containers: %v", err)
	}
	for _, c := range list {
		s.Say(t, s.Ref, target.LogLine{Component: c.Component, Pod: c.Pod, Container: c.Name, Text: text})
	}
}

// logs gives what is said, by component.
func (s *scene) logs(t testing.TB, q target.LogQuery) map[string][]target.LogLine {
	t.Helper()
	out := map[string][]target.LogLine{}
	err := s.Driver.(target.LogReader).Logs(t.Context(), s.Ref, q, func(l target.LogLine) error {
		out[l.Component] = append(out[l.Component], l)
		return nil
	})
	if err != nil {
		t.Fatalf("logs: %v", err)
	}
	return out
}

func testLogs(t *testing.T, s *scene) {
	reader, ok := s.Driver.(target.LogReader)
	if !ok {
		return
	}
	if list, err := reader.Containers(t.Context(), s.Ref); err != nil || len(list) > 0 {
		t.Errorf("containers of what is not there: %v, %v", list, err)
	}
	s.settle(t, s.usual(t))
	list, err := reader.Containers(t.Context(), s.Ref)
	if err != nil || len(list) != 2 {
		t.Fatalf("containers: %+v, %v; want one of each component", list, err)
	}
	for i, component := range []string{"back", "front"} {
		c := list[i]
		if c.Component != component || !strings.HasPrefix(c.Pod, component+"-") || c.Name != "app" || !c.Ready || c.State != "running" || c.Init {
			t.Errorf("container %+v, want app of %s, which runs", c, component)
		}
	}
	s.say(t, "Something is said")
	all := s.logs(t, target.LogQuery{})
	each := len(all["back"]) // places differ in how much their containers say
	if each == 0 || len(all["front"]) != each {
		t.Fatalf("lines %+v, want as many of each", all)
	}
	line := all["back"][0]
	if line.At.IsZero() || line.Pod != list[0].Pod || line.Container != "app" || line.Text == "" || strings.HasSuffix(line.Text, "\n") {
		t.Errorf("line %+v, want one of container app of pod %s, with its time", line, list[0].Pod)
	}
	word := strings.ToUpper(strings.Fields(line.Text)[0])
	for name, c := range map[string]struct {
		query  target.LogQuery
		want   int
		reason string
	}{
		"component":  {target.LogQuery{Component: "back"}, each, "only that of one component"},
		"pod":        {target.LogQuery{Pod: line.Pod}, each, "only that of one pod"},
		"container":  {target.LogQuery{Container: "other"}, 0, "no container has that name"},
		"search":     {target.LogQuery{Search: word}, 2, "case does not matter"},
		"not found":  {target.LogQuery{Search: "never said"}, 0, "nothing holds that text"},
		"tail":       {target.LogQuery{Tail: 50}, 2 * each, "there are no more"},
		"since":      {target.LogQuery{Since: time.Now().Add(time.Hour)}, 0, "nothing was said later"},
		"until":      {target.LogQuery{Until: line.At.Add(-time.Hour)}, 0, "nothing was said before"},
		"until now":  {target.LogQuery{Until: time.Now().Add(time.Hour), Tail: 1}, 2, "the last lines before a point in time"},
		"previous":   {target.LogQuery{Previous: true}, 0, "no container has ended"},
		"some bytes": {target.LogQuery{MaxBytes: 1}, 0, "a line that is over the bound is not told"},
	} {
		got := s.logs(t, c.query)
		if n := len(got["back"]) + len(got["front"]); n != c.want {
			t.Errorf("%s: %d lines, want %d: %s", name, n, c.want, c.reason)
		}
	}
	stop := errors.New("enough")
	if err := reader.Logs(t.Context(), s.Ref, target.LogQuery{}, func(target.LogLine) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a tell that fails: got error %v, want its own", err)
	}
}

// testFollow follows while pods come.
func testFollow(t *testing.T, s *scene) {
	reader, ok := s.Driver.(target.LogReader)
	if !ok {
		return
	}
	s.settle(t, s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", goodImage)))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var mu sync.Mutex
	heard := map[string]bool{}
	wg.Go(func() {
		err := reader.Logs(ctx, s.Ref, target.LogQuery{Follow: true}, func(l target.LogLine) error {
			mu.Lock()
			defer mu.Unlock()
			heard[l.Component] = true
			return nil
		})
		if err != nil {
			t.Errorf("follow: %v, want nil when its context ends", err)
		}
	})
	hears := func(component string) {
		t.Helper()
		eventually(t, component+" is heard", func() string {
			s.say(t, "still here")
			mu.Lock()
			defer mu.Unlock()
			return blank(heard[component], fmt.Sprint(heard))
		})
	}
	hears("back")
	s.settle(t, s.desired(append(s.files, Web(t, s.Ref, 1, "front", goodImage))...))
	hears("front")
	s.Cut()
	s.Mend()
	next := s.desired(append(s.files, Web(t, s.Ref, 1, "side", goodImage))...)
	eventually(t, "the place is back", func() string {
		_, err := s.Driver.Sync(t.Context(), next)
		return blank(err == nil, fmt.Sprint(err))
	})
	s.settle(t, next)
	hears("side")
}

func testEvents(t *testing.T, s *scene) {
	reader, ok := s.Driver.(target.EventReader)
	if !ok {
		return
	}
	if list, err := reader.Events(t.Context(), s.Ref); err != nil || len(list) > 0 {
		t.Errorf("events of what is not there: %v, %v", list, err)
	}
	s.settle(t, s.usual(t))
	var list []target.PlaceEvent
	eventually(t, "something is noted of each component", func() string {
		var err error
		if list, err = reader.Events(t.Context(), s.Ref); err != nil {
			t.Fatalf("events: %v", err)
		}
		seen := map[string]bool{}
		for _, e := range list {
			seen[e.Component] = true
		}
		return blank(seen["back"] && seen["front"], fmt.Sprintf("%+v", list))
	})
	for i, e := range list {
		if e.First.IsZero() || e.Last.Before(e.First) || e.Count < 1 || e.Reason == "" || e.Message == "" || e.Source == "" || e.Object.Kind == "" {
			t.Errorf("event %+v lacks something", e)
		}
		if i > 0 && e.Last.Before(list[i-1].Last) {
			t.Errorf("event %+v is older than the one before it", e)
		}
	}
}

func testLive(t *testing.T, s *scene) {
	reader, ok := s.Driver.(target.LiveReader)
	if !ok {
		return
	}
	s.settle(t, s.usual(t))
	s.Hand.Patch(t, s.object(t, "ConfigMap", "back"), `{"data": {"ADDED": "by hand"}}`)
	got := Ask(t, "live", func() ([]byte, error) { return reader.Live(t.Context(), s.Ref, s.object(t, "ConfigMap", "back")) })
	for _, want := range []string{"kind: ConfigMap", "GREETING: hello", "ADDED: by hand"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the document lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "managedFields") {
		t.Errorf("the document has managed fields:\n%s", got)
	}
	secret := Ask(t, "live", func() ([]byte, error) { return reader.Live(t.Context(), s.Ref, s.object(t, "Secret", "back")) })
	for _, value := range []string{"not-a-secret", "bm90LWEtc2VjcmV0"} {
		if strings.Contains(string(secret), value) {
			t.Errorf("the document shows the value of a Secret:\n%s", secret)
		}
	}
	if !strings.Contains(string(secret), "KEY: (hidden)") {
		t.Errorf("the document does not name the key of a Secret:\n%s", secret)
	}
	for name, o := range map[string]blueberry.ObjectRef{
		"not there":    {APIVersion: "v1", Kind: "ConfigMap", Namespace: s.Namespace, Name: "nobody"},
		"unknown kind": {APIVersion: "example.com/v1", Kind: "Nothing", Namespace: s.Namespace, Name: "nobody"},
	} {
		if _, err := reader.Live(t.Context(), s.Ref, o); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("%s: got error %v, want not found", name, err)
		}
	}
}
