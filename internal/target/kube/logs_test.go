package kube_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// at is a second of the day on which the stub's containers speak.
func at(second int) string { return fmt.Sprintf("2026-05-01T10:00:%02d.000000001Z", second) }

func say(lines ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Join(lines, "")) }
}

func (s *stub) read(t *testing.T, q target.LogQuery) ([]string, error) {
	t.Helper()
	var got []string
	err := s.Logs(t.Context(), s.ref, q, func(l target.LogLine) error {
		got = append(got, l.Pod+" "+l.Text)
		return nil
	})
	return got, err
}

func TestLogsAreMergedByTime(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("a", "b", "c", "d")
	s.log("a", say(at(1)+" one\n", at(4)+" four\r\n", at(9)+" nine"))
	s.log("b", say(at(2)+" two\n", at(3)+" three\n", "no time: as the line before\n", at(10)+" ten\n"))
	s.log("c", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 400, "BadRequest", "container is waiting to start")
	})
	s.log("d", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "NotFound", "pod not found") })
	got, err := s.read(t, target.LogQuery{})
	want := []string{"a one", "b two", "b three", "b no time: as the line before", "a four", "a nine", "b ten"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("logs: %v (-want +got):\n%s", err, diff)
	}
	since, _ := time.Parse(time.RFC3339Nano, at(3))
	got, err = s.read(t, target.LogQuery{Since: since, Until: since.Add(6 * time.Second), Tail: 1})
	if diff := cmp.Diff([]string{"b no time: as the line before", "a nine"}, got); err != nil || diff != "" {
		t.Errorf("the last lines of a time: %v (-want +got):\n%s", err, diff)
	}
	got, err = s.read(t, target.LogQuery{MaxBytes: 9})
	if diff := cmp.Diff([]string{"a one", "b two", "a four"}, got); err != nil || diff != "" {
		t.Errorf("some bytes of each: %v (-want +got):\n%s", err, diff)
	}
}

func TestLinesOfAnySort(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("a")
	long, wide := strings.Repeat("x", 200_000), strings.Repeat("é", 40_000)
	s.log("a", say(at(1)+" "+long+"\n", at(2)+" x"+wide+"\n", at(3)+" bad \xff\xfe byte\n", at(4)+" "+strings.Repeat("\xff", 70_000)+"\n", at(5)+" \n", at(6)+" last"))
	var texts []string
	err := s.Logs(t.Context(), s.ref, target.LogQuery{}, func(l target.LogLine) error {
		if len(l.Text) > 64<<10 || !utf8.ValidString(l.Text) {
			t.Errorf("a line of %d bytes, valid: %t", len(l.Text), utf8.ValidString(l.Text))
		}
		texts = append(texts, l.Text)
		return nil
	})
	if err != nil || len(texts) != 6 {
		t.Fatalf("%d lines, %v; want 6", len(texts), err)
	}
	if texts[0] != long[:64<<10] {
		t.Errorf("a long line has %d bytes, want 64 KiB", len(texts[0]))
	}
	if want := "x" + wide[:64<<10-2]; texts[1] != want {
		t.Errorf("a line of wide characters has %d bytes, want %d: none is cut through", len(texts[1]), len(want))
	}
	if texts[2] != "bad \uFFFD byte" || texts[4] != "" || texts[5] != "last" {
		t.Errorf("lines %q, %q, %q", texts[2], texts[4], texts[5])
	}
}

// TestASlowReaderSlowsTheLogDown: what is not told is not read, but for what lies in the connection's own buffers.
func TestASlowReaderSlowsTheLogDown(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("a", "b")
	line := at(1) + " " + strings.Repeat("x", 10_000) + "\n"
	var sent atomic.Int64
	blocked := make(chan struct{}, 2)
	pour := func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		for range 20_000 { // 200 MB
			_ = control.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			n, err := io.WriteString(w, line)
			sent.Add(int64(n))
			if err != nil { // nobody takes it
				blocked <- struct{}{}
				return
			}
		}
	}
	s.log("a", pour)
	s.log("b", pour)
	enough := errors.New("enough")
	err := s.Logs(t.Context(), s.ref, target.LogQuery{}, func(target.LogLine) error {
		<-blocked
		<-blocked
		return enough
	})
	if !errors.Is(err, enough) {
		t.Errorf("logs: %v", err)
	}
	if n := sent.Load(); n > 50<<20 {
		t.Errorf("%d bytes were taken of logs that nobody reads", n)
	}
}

func TestOneLogThatFailsDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("a", "b")
	s.log("a", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 500, "InternalError", "dial tcp: node is down")
	})
	s.log("b", say(at(1)+" here\n"))
	got, err := s.read(t, target.LogQuery{})
	if diff := cmp.Diff([]string{"b here"}, got); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	if !errors.Is(err, blueberry.Unavailable) {
		t.Errorf("got error %v, want one of kind unavailable", err)
	}
	s = newStub(t)
	s.pods("a")
	s.log("a", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 403, "Forbidden", `pods "a" is forbidden: User "x" cannot get resource "pods/log"`)
	})
	if _, err := s.read(t, target.LogQuery{}); !errors.Is(err, blueberry.Forbidden) || !strings.Contains(err.Error(), "pods/log") {
		t.Errorf("got error %v, want the right that is missing", err)
	}
}

// TestAFollowedLogGoesOn: a connection that ends is opened again, from the line after the last one; a container that starts again is read from its begin.
func TestAFollowedLogGoesOn(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	var mu sync.Mutex
	run, opened := "run-1", map[string]int{}
	s.HandleFunc("GET /api/v1/namespaces/"+s.ref.Namespace+"/pods", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		pod := s.pod("a")
		pod["status"].(map[string]any)["containerStatuses"].([]any)[0].(map[string]any)["containerID"] = run
		answer(w, map[string]any{"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": "1"}, "items": []any{pod}})
	})
	s.log("a", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := run
		opened[now]++
		first := opened[now] == 1
		mu.Unlock()
		if r.FormValue("follow") != "true" || r.FormValue("timestamps") != "true" {
			t.Errorf("asked with %s", r.URL.RawQuery)
		}
		switch {
		case now == "run-1" && first:
			_, _ = io.WriteString(w, at(1)+" one\n"+at(2)+" two\n")
		case now == "run-1":
			if r.FormValue("tailLines") != "" || r.FormValue("sinceTime") == "" {
				t.Errorf("asked again with %s", r.URL.RawQuery)
			}
			_, _ = io.WriteString(w, at(2)+" two\n"+at(3)+" three\n")
			mu.Lock()
			run = "run-2"
			mu.Unlock()
		default:
			_, _ = io.WriteString(w, at(2)+" begin again\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	err := s.Logs(ctx, s.ref, target.LogQuery{Follow: true, Tail: 10}, func(l target.LogLine) error {
		got = append(got, l.Text)
		if l.Text == "begin again" {
			cancel()
		}
		return nil
	})
	if diff := cmp.Diff([]string{"one", "two", "three", "begin again"}, got); err != nil || diff != "" {
		t.Errorf("followed: %v (-want +got):\n%s", err, diff)
	}
}

// TestAContainerThatSaysNothingHoldsUpNobody: the API does not even begin to answer then.
func TestAContainerThatSaysNothingHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("a", "b")
	s.log("a", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s.log("b", func(w http.ResponseWriter, r *http.Request) {
		for i := range 50 {
			_, _ = io.WriteString(w, at(i)+" line\n")
		}
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n := 0
	err := s.Logs(ctx, s.ref, target.LogQuery{Follow: true}, func(target.LogLine) error {
		if n++; n == 50 {
			cancel()
		}
		return nil
	})
	if err != nil || n != 50 {
		t.Errorf("%d lines, %v; want 50", n, err)
	}
}
