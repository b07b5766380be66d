package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/sdk"
)

func now() time.Time { return time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC) }

func apiOf(t testing.TB, d httpapi.Deps) *httpapi.API {
	t.Helper()
	api, err := httpapi.New(d)
	if err != nil {
		t.Fatalf("httpapi.New: %v", err)
	}
	return api
}

// logBuffer may be written by many.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// answer is what a request got.
type answer struct {
	*http.Response
	text string
}

func (a answer) problem(t testing.TB) sdk.Problem {
	t.Helper()
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("Content-Type is %q, want a problem; body: %s", ct, a.text)
	}
	var p sdk.Problem
	dec := json.NewDecoder(strings.NewReader(a.text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		t.Fatalf("problem %s: %v", a.text, err)
	}
	if p.Status != a.StatusCode {
		t.Errorf("problem says status %d, the answer has %d", p.Status, a.StatusCode)
	}
	return p
}

// ask sends a signed-in request; headers come as pairs.
func ask(t testing.TB, h http.Handler, method, path, body string, headers ...string) answer {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r).WithContext(t.Context())
	req.Header.Set("Authorization", "Bearer "+httpapitest.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return answer{rec.Result(), rec.Body.String()}
}
