package activator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/blueberry-idp/blueberry/internal/activator"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const host = "web-pr-1.localhost"

// platform is the platform as the activator sees it: one environment, that wakes when someone lets it.
type platform struct {
	mu      sync.Mutex
	env     blueberry.Environment
	looks   int
	wakes   int
	touched map[string]time.Time
	down    error
	waken   func() // called once when it is asked to wake; nil: it is awake at once
}

func newPlatform(phase blueberry.Phase) *platform {
	return &platform{env: blueberry.Environment{ID: "env_1", Target: "local", Phase: phase, Hosts: []string{host}, Sleep: blueberry.Sleep{Asleep: phase == blueberry.Sleeping}}}
}

func (p *platform) HostEnvironment(_ context.Context, asked string) (blueberry.Environment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks++
	switch {
	case p.down != nil:
		return blueberry.Environment{}, p.down
	case asked != host:
		return blueberry.Environment{}, blueberry.Errorf(blueberry.NotFound, "HOST_UNKNOWN", "no environment has this host")
	}
	return p.env, nil
}

func (p *platform) WakeForRequest(context.Context, string) (blueberry.Environment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.env.Sleep.Asleep {
		p.wakes++
		p.env.Sleep.Asleep, p.env.Phase, p.env.Sleep.Step = false, blueberry.Updating, blueberry.TurnAsked
		if p.waken != nil {
			go p.waken()
		} else {
			p.env.Phase, p.env.Sleep.Step = blueberry.Ready, ""
		}
	}
	return p.env, nil
}

func (p *platform) set(phase blueberry.Phase) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.env.Phase, p.env.Sleep.Step, p.env.Sleep.Asleep = phase, "", phase == blueberry.Sleeping
}

func (p *platform) Touch(_ context.Context, at map[string]time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down != nil {
		return p.down
	}
	if p.touched == nil {
		p.touched = map[string]time.Time{}
	}
	for id, t := range at {
		p.touched[id] = t
	}
	return nil
}

// serve puts an activator before an ingress, both real servers on loopback. Its clock goes on a little whenever it is looked at, however busy the machine is.
func serve(t *testing.T, p *platform, ingress http.Handler) *httptest.Server {
	t.Helper()
	began := time.Now()
	var looks atomic.Int64
	return serveAt(t, p, func() time.Time { return began.Add(time.Duration(looks.Add(1)) * 10 * time.Microsecond) }, ingress)
}

// serveAt is serve by another clock.
func serveAt(t *testing.T, p *platform, now func() time.Time, ingress http.Handler) *httptest.Server {
	t.Helper()
	up := httptest.NewServer(ingress)
	t.Cleanup(up.Close)
	to, err := url.Parse(up.URL)
	if err != nil {
		t.Fatal(err)
	}
	a := &activator.Activator{
		Environments: p, Upstream: func(string) *url.URL { return to }, Now: now, Logger: slog.New(slog.DiscardHandler),
	}
	door := httptest.NewServer(a)
	t.Cleanup(door.Close)
	return door
}

// order sends what could do a thing twice, and wants the environment to answer it.
func order(t *testing.T, door *httptest.Server) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, door.URL, strings.NewReader("order"))
	if err != nil {
		t.Error(err)
		return
	}
	r.Host = host
	res, err := door.Client().Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != "awake" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func get(t *testing.T, door *httptest.Server, host, accept string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, door.URL+"/path?q=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Accept", accept)
	res, err := door.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestPassesOn(t *testing.T) {
	t.Parallel()
	p := newPlatform(blueberry.Ready)
	door := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Host, r.URL, r.Header.Get("X-Forwarded-Host"))
	}))
	for _, asked := range []string{host, strings.ToUpper(host) + ".", host + ":8080"} {
		if res, body := get(t, door, asked, "*/*"); res.StatusCode != 200 || body != asked+" /path?q=1 "+asked {
			t.Errorf("%s: %d %s", asked, res.StatusCode, body)
		}
	}
	if p.looks > 2 {
		t.Errorf("looked %d times for one host", p.looks)
	}
}

func TestSaysWhyNot(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		host   string
		change func(p *platform)
		status int
		text   string
	}{
		"unknown":      {"a host of nobody", "other.localhost", func(*platform) {}, 404, "no environment here"},
		"record away":  {"no 404 when nobody can know", host, func(p *platform) { p.down = errors.New("secret text") }, 503, "Cannot look this up"},
		"being gone":   {"an environment that ends does not wake", host, func(p *platform) { p.set(blueberry.Terminating) }, 410, "being removed"},
		"ingress away": {"no answer of the target", host, func(*platform) {}, 502, "does not answer"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(blueberry.Ready)
			test.change(p)
			door := serve(t, p, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
			for _, accept := range []string{"text/html", "application/json"} {
				res, body := get(t, door, test.host, accept)
				if res.StatusCode != test.status || !strings.Contains(body, test.text) || strings.Contains(body, "secret text") {
					t.Errorf("%s: %s: %d %s", test.reason, accept, res.StatusCode, body)
				}
				if html := strings.HasPrefix(res.Header.Get("Content-Type"), "text/html"); html != (accept == "text/html") {
					t.Errorf("%s gets %s", accept, res.Header.Get("Content-Type"))
				}
			}
		})
	}
}

// TestHoldsWhileItWakes: of very many requests at once none fails, and one wake is asked for.
func TestHoldsWhileItWakes(t *testing.T) {
	t.Parallel()
	p := newPlatform(blueberry.Sleeping)
	let := make(chan struct{})
	p.waken = func() { <-let; p.set(blueberry.Ready) }
	var there atomic.Bool
	door := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !there.Swap(true) { // the ingress learns of the pods a little late
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	const n = 100
	var begun, done sync.WaitGroup
	begun.Add(n)
	for i := range n {
		done.Go(func() {
			text := fmt.Sprintf("request %d", i)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, door.URL, strings.NewReader(text))
			if err != nil {
				t.Error(err)
				return
			}
			r.Host = host
			begun.Done()
			res, err := door.Client().Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != text {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
	begun.Wait()
	close(let)
	done.Wait()
	if p.wakes != 1 {
		t.Errorf("asked %d times to wake", p.wakes)
	}
}

// TestFallsAsleepUnderIt: what fell asleep after we looked is woken, and the request is sent again.
func TestFallsAsleepUnderIt(t *testing.T) {
	t.Parallel()
	p := newPlatform(blueberry.Ready)
	var calls atomic.Int32
	door := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			p.set(blueberry.Sleeping)
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "awake")
	}))
	if res, body := get(t, door, host, "*/*"); res.StatusCode != 200 || body != "awake" || p.wakes != 1 {
		t.Errorf("%d %s after %d wakes", res.StatusCode, body, p.wakes)
	}
}

// TestSleptAndWokenUnderIt: what could do a thing twice is sent again also when others have woken the environment before its answer came.
func TestSleptAndWokenUnderIt(t *testing.T) {
	t.Parallel()
	p := newPlatform(blueberry.Ready)
	sent, woken := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	door := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && calls.Add(1) == 1 {
			close(sent)
			<-woken
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if asleep := p.env.Sleep.Asleep; asleep {
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "awake")
	}))
	var wg sync.WaitGroup
	wg.Go(func() { order(t, door) })
	<-sent
	p.set(blueberry.Sleeping)
	if res, body := get(t, door, host, "*/*"); res.StatusCode != 200 || p.wakes != 1 {
		t.Errorf("%d %s after %d wakes", res.StatusCode, body, p.wakes)
	}
	close(woken)
	wg.Wait()
}

// TestComesAfterTheWakeOfAnother: what could do a thing twice and comes right after a wake that it was not held for is sent again like what was held.
func TestComesAfterTheWakeOfAnother(t *testing.T) {
	t.Parallel()
	p := newPlatform(blueberry.Sleeping)
	var orders atomic.Int32
	door := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && orders.Add(1) == 1 { // the ingress learns of the pods a little late
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "awake")
	}))
	if res, body := get(t, door, host, "*/*"); res.StatusCode != 200 || p.wakes != 1 {
		t.Errorf("%d %s after %d wakes", res.StatusCode, body, p.wakes)
	}
	order(t, door)
}

// TestSlowToSayThatNobodyIsThere: what was sent right after a wake is sent again also when the ingress takes long to say that it knows no pod yet.
func TestSlowToSayThatNobodyIsThere(t *testing.T) {
	t.Parallel()
	p := newPlatform(blueberry.Sleeping)
	var late atomic.Int64
	var calls atomic.Int32
	now := func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	door := serveAt(t, p, now, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			late.Add(int64(20 * time.Second))
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "awake")
	}))
	order(t, door)
}

// TestFellAsleepAfterALook: what was found awake a moment ago, for another request, is looked at again when nobody is there for this one.
func TestFellAsleepAfterALook(t *testing.T) {
	t.Parallel()
	p := newPlatform(blueberry.Ready)
	var late atomic.Int64
	var orders atomic.Int32
	sent, let := make(chan struct{}), make(chan struct{})
	now := func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	door := serveAt(t, p, now, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && orders.Add(1) == 1 {
			close(sent)
			<-let
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "awake")
	}))
	var wg sync.WaitGroup
	wg.Go(func() { order(t, door) })
	<-sent
	late.Add(int64(2 * time.Second)) // what was known is old: the next one looks
	if res, body := get(t, door, host, "*/*"); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	p.set(blueberry.Sleeping)
	close(let)
	wg.Wait()
	if p.wakes != 1 {
		t.Errorf("%d wakes", p.wakes)
	}
}

// TestItsOwnErrorsStay: what an environment that is awake says is passed on, also when it says 503.
func TestItsOwnErrorsStay(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	door := serve(t, newPlatform(blueberry.Ready), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		http.Error(w, "my own", http.StatusServiceUnavailable)
	}))
	if res, body := get(t, door, host, "*/*"); res.StatusCode != 503 || body != "my own\n" || calls.Load() != 1 {
		t.Errorf("%d %s after %d calls", res.StatusCode, body, calls.Load())
	}
}

func TestStreamsAndSockets(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
			}
		}
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		kind, data, err := c.Read(r.Context())
		if err == nil {
			_ = c.Write(r.Context(), kind, append([]byte("echo "), data...))
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	})
	p := newPlatform(blueberry.Sleeping)
	door := serve(t, p, mux)

	c, _, err := websocket.Dial(t.Context(), door.URL+"/socket", &websocket.DialOptions{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, data, err := c.Read(t.Context()); err != nil || string(data) != "echo hello" || p.wakes != 1 {
		t.Errorf("%s %v after %d wakes", data, err, p.wakes)
	}
	_ = c.CloseNow()

	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, door.URL+"/stream", nil)
	r.Host = host
	res, err := door.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for i := range 3 { // each comes before the next is sent
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
			t.Fatalf("line %d: %q", i, lines.Text())
		}
		next <- struct{}{}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestPatienceEnds: who is held is let go after a minute, and told to come again.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(blueberry.Sleeping)
		p.waken = func() {}
		a := &activator.Activator{
			Environments: p, Upstream: func(string) *url.URL { return &url.URL{Scheme: "http", Host: "ingress"} }, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
			Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("not reached") }),
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Host = host
		w, begin := httptest.NewRecorder(), time.Now()
		a.ServeHTTP(w, r)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || time.Since(begin) != activator.Patience {
			t.Errorf("%d after %s", w.Code, time.Since(begin))
		}
		synctest.Wait()
	})
}

// TestNotesUse: a request is noted, a stream all the while that it runs, and nothing is lost while the record is away.
func TestNotesUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, end := newPlatform(blueberry.Ready), make(chan struct{})
		a := &activator.Activator{
			Environments: p, Upstream: func(string) *url.URL { return &url.URL{Scheme: "http", Host: "ingress"} }, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
			Transport: transport(func(*http.Request) (*http.Response, error) {
				<-end
				return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
			}),
		}
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- a.Run(ctx) }()
		served := make(chan struct{})
		go func() {
			defer close(served)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Host = host
			a.ServeHTTP(httptest.NewRecorder(), r)
		}()
		last := func() time.Time { p.mu.Lock(); defer p.mu.Unlock(); return p.touched["env_1"] }
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if age := time.Since(last()); age > blueberry.IdleMargin {
			t.Errorf("a stream that runs was last noted %s ago", age)
		}
		p.mu.Lock()
		p.down = errors.New("away")
		p.mu.Unlock()
		close(end)
		<-served
		over := time.Now()
		time.Sleep(time.Minute)
		p.mu.Lock()
		p.down = nil
		p.mu.Unlock()
		stop()
		if err := <-ran; err != nil || last().Before(over.Add(-time.Second)) {
			t.Errorf("%v, noted at %s, used until %s", err, last(), over)
		}
	})
}

// TestRepeatsNothingTwice: long after a wake a 503 is the application's own, and a request that may have done something is not sent again; one that only
// reads is.
func TestRepeatsNothingTwice(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{http.MethodPost: 1, http.MethodGet: 2} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, calls := newPlatform(blueberry.Sleeping), 0
				a := &activator.Activator{
					Environments: p, Upstream: func(string) *url.URL { return &url.URL{Scheme: "http", Host: "ingress"} }, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
					Transport: transport(func(*http.Request) (*http.Response, error) {
						calls++
						if calls == 2 { // the second request, and the first after the wake has settled in
							return &http.Response{StatusCode: 503, Body: http.NoBody, Header: http.Header{}}, nil
						}
						return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
					}),
				}
				ask := func() int {
					r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
					r.Host = host
					w := httptest.NewRecorder()
					a.ServeHTTP(w, r)
					return w.Code
				}
				if code := ask(); code != 200 {
					t.Fatalf("the first is answered with %d", code)
				}
				time.Sleep(30 * time.Second)
				ask()
				if calls-1 != want {
					t.Errorf("sent %d times, want %d", calls-1, want)
				}
			})
		})
	}
}
