package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

// written is containers that write what a test says.
type written func(ctx context.Context, q target.LogQuery, tell func(target.LogLine) error) error

// Logs lets the containers write.
func (w written) Logs(ctx context.Context, _ blueberry.Actor, _ string, q target.LogQuery, tell func(target.LogLine) error) error {
	return w(ctx, q, tell)
}

// Containers tells none.
func (w written) Containers(context.Context, blueberry.Actor, string) ([]target.Container, error) {
	return nil, nil
}

func withLogs(house *httpapitest.House, w written) httpapi.Deps {
	d := house.Deps()
	d.Life.Logs, d.Environments = w, inSight{d.Environments, new(atomic.Bool)}
	return d
}

// inSight is an environment of any id, until who asks may see it no more.
type inSight struct {
	httpapi.Environments
	hidden *atomic.Bool
}

func (s inSight) Get(_ context.Context, _ blueberry.Actor, id string) (blueberry.Environment, error) {
	if s.hidden.Load() {
		return blueberry.Environment{}, blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "there is no environment %q", id)
	}
	return blueberry.Environment{ID: id, Project: blueberry.DefaultProject}, nil
}

func logLine(text string) target.LogLine {
	return target.LogLine{At: now().Add(123456789), Component: "web", Pod: "web-1", Container: "app", Text: text}
}

func tellAll(tell func(target.LogLine) error, texts ...string) error {
	for _, text := range texts {
		if err := tell(logLine(text)); err != nil {
			return err
		}
	}
	return nil
}

// TestLogsAreToldToTheirEnd reads in each form, what ends well and what does not.
func TestLogsAreToldToTheirEnd(t *testing.T) {
	t.Parallel()
	down := blueberry.Errorf(blueberry.Unavailable, "TARGET_UNREACHABLE", "no answer")
	for name, tc := range map[string]struct {
		reason, query, accept string
		texts                 []string
		err                   error
		status                int
		contentType, body     string
		cut                   bool
	}{
		"json": {
			"each line with where it comes from, to the nanosecond", "", "",
			[]string{"a <&>"},
			nil, 200, "application/jsonl",
			`{"at":"2026-11-02T09:30:00.123456789Z","component":"web","pod":"web-1","container":"app","text":"a <&>"}` + "\n" + `{"end":true}` + "\n", false,
		},
		"nothing":        {"there is an end also to nothing", "", "", nil, nil, 200, "application/jsonl", `{"end":true}` + "\n", false},
		"text":           {"the bare lines", "?format=text", "", []string{"a", "", "b"}, nil, 200, "text/plain; charset=utf-8", "a\n\nb\n", false},
		"text by accept": {"as curl asks for it", "", "text/plain", []string{"a"}, nil, 200, "text/plain; charset=utf-8", "a\n", false},
		"json first":     {"when both are taken alike", "", "text/plain, */*", nil, nil, 200, "application/jsonl", `{"end":true}` + "\n", false},
		"format first":   {"the address goes before the header", "?format=json", "text/plain", nil, nil, 200, "application/jsonl", `{"end":true}` + "\n", false},
		"refused":        {"before the first line it is a problem", "?format=text", "", nil, down, 503, "application/problem+json", "TARGET_UNREACHABLE", false},
		"broken":         {"behind it a line of its own", "", "", []string{"a"}, down, 200, "application/jsonl", `"code":"TARGET_UNREACHABLE"`, false},
		"broken text":    {"bare lines cannot tell it, and are cut", "?format=text", "", []string{"a"}, down, 200, "text/plain; charset=utf-8", "a\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(apiOf(t, withLogs(httpapitest.New(), func(_ context.Context, _ target.LogQuery, tell func(target.LogLine) error) error {
				if err := tellAll(tell, tc.texts...); err != nil {
					return err
				}
				return tc.err
			})))
			defer srv.Close()
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/v1/environments/env_x/logs"+tc.query, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+httpapitest.Token)
				req.Header.Set("Accept", tc.accept)
				res, err := srv.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode != tc.status || res.Header.Get("Content-Type") != tc.contentType || res.Header.Get("Content-Encoding") != "" {
					t.Errorf("%s: %s is answered %d %s", tc.reason, method, res.StatusCode, res.Header.Get("Content-Type"))
				}
				if method == http.MethodHead {
					if len(body) != 0 {
						t.Errorf("%s: HEAD has the body %q", tc.reason, body)
					}
					continue
				}
				if (err != nil) != tc.cut || !strings.Contains(string(body), tc.body) || strings.HasPrefix(tc.body, "{") && string(body) != tc.body {
					t.Errorf("%s: the body is %q (%v), want %q", tc.reason, body, err, tc.body)
				}
			}
		})
	}
}

func TestTheClientReadsLogs(t *testing.T) {
	t.Parallel()
	var asked target.LogQuery
	srv := httptest.NewServer(apiOf(t, withLogs(httpapitest.New(), func(_ context.Context, q target.LogQuery, tell func(target.LogLine) error) error {
		asked = q
		if err := tellAll(tell, "a", "a", "b"); err != nil {
			return err
		}
		return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_GONE", "it is gone")
	})))
	defer srv.Close()
	c := &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token, HTTPClient: srv.Client(), Waits: []time.Duration{}}
	want := sdk.LogQuery{Component: "web", Pod: "web-1", Container: "app", Since: now(), Until: now().Add(time.Hour), Tail: 5, Search: "a b", Previous: true}
	s := got[*sdk.LogStream](t)(c.Logs(t.Context(), "env_x", want))
	var texts []string
	var last error
	for l, err := range s.Lines(t.Context()) {
		if last = err; err == nil {
			texts = append(texts, l.Text)
		}
	}
	problemOf(t, last, 409, "ENVIRONMENT_GONE")
	if diff := cmp.Diff([]string{"a", "a", "b"}, texts); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	query := target.LogQuery{Component: "web", Pod: "web-1", Container: "app", Since: now(), Until: now().Add(time.Hour), Tail: 5, Search: "a b", Previous: true}
	if diff := cmp.Diff(query, asked); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

// serveLogs answers a request for logs in a bubble, and tells when the answer has ended, and whether it was cut.
func serveLogs(t *testing.T, d httpapi.Deps, p *page) (ended <-chan bool) {
	t.Helper()
	api := apiOf(t, d)
	req := httptest.NewRequest(http.MethodGet, "/v1/environments/env_x/logs?follow=true", nil).WithContext(t.Context())
	req.Header.Set("Authorization", "Bearer "+httpapitest.Token)
	out := make(chan bool, 1)
	go func() {
		defer func() { out <- recover() != nil }()
		api.ServeHTTP(p, req)
	}()
	return out
}

// follow writes a line, and then waits for the end.
func follow(ctx context.Context, _ target.LogQuery, tell func(target.LogLine) error) error {
	if err := tellAll(tell, "first"); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestAQuietStreamOfLogsIsKeptOpenAndEndsWithTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		house := httpapitest.New()
		p := &page{header: http.Header{}}
		ended := serveLogs(t, withLogs(house, follow), p)
		time.Sleep(46 * time.Second)
		synctest.Wait()
		if n := strings.Count(p.string(), `{"heartbeat":true}`); n != 3 || !strings.Contains(p.string(), `"text":"first"`) {
			t.Errorf("46 s of silence have %d signs of life:\n%s", n, p.string())
		}
		close(house.Draining)
		if cut := <-ended; cut || strings.Contains(p.string(), "end") || strings.Contains(p.string(), "problem") {
			t.Errorf("a server that stops ends the stream cut %v:\n%s", cut, p.string())
		}
	})
}

// TestAStreamOfLogsEndsWithTheRole: the credential is good, but whose it is has lost the project.
func TestAStreamOfLogsEndsWithTheRole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := withLogs(httpapitest.New(), follow)
		p := &page{header: http.Header{}}
		ended := serveLogs(t, d, p)
		time.Sleep(2 * time.Second)
		d.Environments.(inSight).hidden.Store(true)
		if cut := <-ended; cut || !strings.Contains(p.string(), `"code":"ENVIRONMENT_NOT_FOUND"`) {
			t.Errorf("a stream whose reader lost the project ends cut %v:\n%s", cut, p.string())
		}
	})
}

func TestAStreamOfLogsEndsWithTheCredential(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		house := httpapitest.New()
		p := &page{header: http.Header{}}
		ended := serveLogs(t, withLogs(house, follow), p)
		time.Sleep(2 * time.Second)
		house.Revoke()
		if cut := <-ended; cut || !strings.Contains(p.string(), `"code":"TOKEN_INVALID"`) {
			t.Errorf("a stream whose token was revoked ends cut %v:\n%s", cut, p.string())
		}
	})
}

// TestContainersWaitForASlowReader: nothing is held that nobody takes, and who takes nothing at all is cut.
func TestContainersWaitForASlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &page{header: http.Header{}}
		told := 0
		stopped := make(chan error, 1)
		ended := serveLogs(t, withLogs(httpapitest.New(), func(ctx context.Context, _ target.LogQuery, tell func(target.LogLine) error) error {
			for ctx.Err() == nil {
				if err := tell(logLine(strings.Repeat("x", 1000))); err != nil {
					stopped <- err
					return err
				}
				if told++; told == 100 {
					p.mu.Lock()
					p.stuck = true
					p.mu.Unlock()
				}
			}
			stopped <- context.Cause(ctx)
			return ctx.Err()
		}), p)
		if cut := <-ended; !cut {
			t.Error("the answer looks whole")
		}
		if err := <-stopped; err == nil || told > 200 {
			t.Errorf("the containers wrote %d lines to a reader that takes none, and ended with %v", told, err)
		}
	})
}

// TestASlowReaderGetsEveryLine reads byte by byte what is much more than a connection holds.
func TestASlowReaderGetsEveryLine(t *testing.T) {
	t.Parallel()
	const lines = 20000
	srv := httptest.NewServer(apiOf(t, withLogs(httpapitest.New(), func(_ context.Context, _ target.LogQuery, tell func(target.LogLine) error) error {
		for range lines {
			if err := tell(logLine(strings.Repeat("x", 500))); err != nil {
				return err
			}
		}
		return nil
	})))
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/v1/environments/env_x/logs?format=text", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+httpapitest.Token)
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in, n := bufio.NewReaderSize(res.Body, 16), 0
	for {
		_, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != lines {
		t.Errorf("%d lines came, want %d", n, lines)
	}
}
