package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// open opens a raw stream; next gives its lines.
func open(t *testing.T, srv *httptest.Server, query string, headers ...string) (next func() string, closeStream func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/v1/events/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+httpapitest.Token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Fatalf("Content-Type is %q", ct)
	}
	lines := bufio.NewScanner(res.Body)
	return func() string {
		if !lines.Scan() {
			return "end"
		}
		return lines.Text()
	}, func() { cancel(); res.Body.Close() }
}

func TestStreamTellsEventsAsTheyHappen(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	srv, _ := house.Serve(t)
	house.Tell(2) // seq 3 and 6
	next, done := open(t, srv, "?after=3")
	defer done()
	ids := func(n int) []string {
		var out []string
		for len(out) < n {
			line := next()
			if line == "end" {
				t.Fatal("the stream ended")
			}
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				out = append(out, id)
			}
		}
		return out
	}
	if diff := cmp.Diff([]string{"6"}, ids(1)); diff != "" {
		t.Error(diff)
	}
	house.Tell(250) // over two batches
	got := ids(250)
	if got[0] != "9" || got[249] != fmt.Sprint(6+250*3) {
		t.Errorf("ids run from %s to %s", got[0], got[249])
	}
	resumed, done2 := open(t, srv, "?after=0", "Last-Event-ID", "753")
	defer done2()
	for {
		line := resumed()
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			if id != "756" {
				t.Errorf("resumed behind 753 with %s", id)
			}
			break
		}
	}
}

func TestStreamEndsWithTheCredential(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	srv, _ := house.Serve(t)
	house.Tell(1)
	next, done := open(t, srv, "")
	defer done()
	for line := next(); line != "id: 3"; line = next() {
		if line == "end" {
			t.Fatal("the stream ended while the token was good")
		}
	}
	house.Revoke()
	house.Tell(1)
	for line := next(); line != "end"; line = next() {
		if strings.HasPrefix(line, "id: ") {
			t.Fatalf("%s was told to a token that was revoked", line)
		}
	}
}

// counting counts reads.
type counting struct {
	*httpapitest.House
	reads atomic.Int64
}

func (c *counting) Events(ctx context.Context, a blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, error) {
	c.reads.Add(1)
	return c.House.Events(ctx, a, q)
}

func (c *counting) EventsUntil(ctx context.Context, a blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, int64, error) {
	c.reads.Add(1)
	return c.House.EventsUntil(ctx, a, q)
}

func TestStreamOfOneEnvironmentDoesNotWalkThroughAllOthers(t *testing.T) {
	t.Parallel()
	house := &counting{House: httpapitest.New()}
	d := house.Deps()
	d.Events = house
	srv := httptest.NewServer(apiOf(t, d))
	defer srv.Close()
	client := &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token, HTTPClient: srv.Client()}
	e, err := client.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: "pr-1", Source: &sdk.Source{Repository: httpapitest.Repository}})
	if err != nil {
		t.Fatal(err)
	}
	house.Tell(5000)
	var types []string
	for event, err := range client.WatchEvents(t.Context(), e.ID, 0) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, event.Type)
		if len(types) == 1 {
			house.Tell(3)
			house.Move(t, "pr-1", blueberry.Provisioning, blueberry.EnvironmentProvisioning, "Started", "started")
		}
		if len(types) == 2 {
			break
		}
	}
	if diff := cmp.Diff([]string{"environment.requested", "environment.provisioning_started"}, types); diff != "" {
		t.Error(diff)
	}
	if n := house.reads.Load(); n > 10 {
		t.Errorf("the stream made %d reads past 5000 events of others", n)
	}
}

func TestStreamEndsWhenTheServerDrains(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	srv, _ := house.Serve(t)
	next, done := open(t, srv, "")
	defer done()
	if line := next(); line != "retry: 1000" {
		t.Errorf("the stream begins with %q", line)
	}
	close(house.Draining)
	for line := next(); line != "end"; line = next() {
		if line != "" {
			t.Errorf("the stream goes on with %q", line)
		}
	}
}

// page is a response writer that remembers, and can fail as a connection does.
type page struct {
	mu     sync.Mutex
	header http.Header
	text   strings.Builder
	limit  time.Time
	stuck  bool // no more is read on the other side
}

func (p *page) Header() http.Header { return p.header }
func (p *page) WriteHeader(int)     {}
func (p *page) Flush()              {}

func (p *page) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = t
	return nil
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	stuck, limit := p.stuck, p.limit
	p.mu.Unlock()
	if stuck {
		time.Sleep(time.Until(limit)) // of the bubble's clock
		return 0, context.DeadlineExceeded
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) string() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestQuietStreamIsKeptOpenAndASlowReaderIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		house := httpapitest.New()
		api := house.API(t)
		p := &page{header: http.Header{}}
		req := httptest.NewRequest(http.MethodGet, "/v1/events/stream", nil).WithContext(t.Context())
		req.Header.Set("Authorization", "Bearer "+httpapitest.Token)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			api.ServeHTTP(p, req)
		}()
		time.Sleep(46 * time.Second)
		synctest.Wait()
		if n := strings.Count(p.string(), ": still here"); n != 3 {
			t.Errorf("46 s of silence have %d signs of life:\n%s", n, p.string())
		}
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
		house.Tell(1)
		begin := time.Now()
		<-ended
		if waited := time.Since(begin); waited != 30*time.Second {
			t.Errorf("a reader that takes nothing was cut after %s", waited)
		}
	})
}
