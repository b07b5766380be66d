package sim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

func TestLogsAreWhatWasWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPlace(Config{})
		d := desired(t, targettest.NewRef(), "")
		if err := p.Write(d.Ref, target.LogLine{Text: "too early"}); err == nil {
			t.Error("a container of nothing says something")
		}
		mustSync(t, p, d)
		begin := time.Now()
		write := func(write func(target.Ref, target.LogLine) error, pod, text string) {
			t.Helper()
			if err := write(d.Ref, target.LogLine{Component: "back", Pod: pod, Container: "app", Text: text}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		write(p.WritePrevious, "back-0", "died")
		write(p.Write, "back-0", "one")
		write(p.Write, "back-1", "two")
		write(p.Write, "back-0", "Three")
		read := func(q target.LogQuery) string {
			t.Helper()
			var got []string
			err := Driver{p}.Logs(t.Context(), d.Ref, q, func(l target.LogLine) error {
				got = append(got, l.Text)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(got, " ")
		}
		got := map[string]string{
			"all": read(target.LogQuery{}), "previous": read(target.LogQuery{Previous: true, Follow: true}), "pod": read(target.LogQuery{Pod: "back-1"}),
			"tail": read(target.LogQuery{Tail: 1}), "since": read(target.LogQuery{Since: begin.Add(2 * time.Second)}), "until": read(target.LogQuery{Until: begin.Add(2 * time.Second)}),
			"search": read(target.LogQuery{Search: "three"}), "bytes": read(target.LogQuery{MaxBytes: 4}),
		}
		want := map[string]string{
			"all": "one two Three", "previous": "died", "pod": "two", "tail": "two Three", "since": "two Three", "until": "one two", "search": "Three", "bytes": "one two",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("logs (-want +got):\n%s", diff)
		}
		for range 3 * maxSaid {
			if err := p.Write(d.Ref, target.LogLine{Text: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(strings.Fields(read(target.LogQuery{}))); n != maxSaid {
			t.Errorf("%d lines are kept, want %d", n, maxSaid)
		}
	})
}

func TestEventsAreCountedAndForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPlace(Config{Schedule: time.Second, Start: time.Second, Ready: time.Second})
		d := desired(t, targettest.NewRef(), "")
		mustSync(t, p, d)
		time.Sleep(time.Minute)
		p.FailPods(d.Ref, "back", "CrashLoopBackOff")
		time.Sleep(time.Minute)
		events := func() (out []string) {
			t.Helper()
			list, err := Driver{p}.Events(t.Context(), d.Ref)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				out = append(out, e.Reason)
				if e.Reason == "Started" && e.Count != 2 {
					t.Errorf("%d containers were started, want 2", e.Count)
				}
				if e.Warning != (e.Reason == "BackOff") {
					t.Errorf("event %+v, warning: %t", e, e.Warning)
				}
			}
			return out
		}
		if diff := cmp.Diff([]string{"Scheduled", "Started", "BackOff"}, events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Hour)
		if got := events(); len(got) > 0 {
			t.Errorf("events %v are still told", got)
		}
	})
}
