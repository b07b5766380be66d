package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/httpapi"
)

// listen serves the gateway with time-outs that are short for those who must run into them. It gives the address.
func listen(t *testing.T, set func(g *gate), timeouts httpapi.Timeouts) string {
	t.Helper()
	_, api := newGate(t, func(g *gate) {
		g.deps.Edge.Timeouts = timeouts
		if set != nil {
			set(g)
		}
	})
	srv := httptest.NewUnstartedServer(api)
	timeouts.Configure(srv.Config)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	srv.Start()
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return srv.Listener.Addr().String()
}

// talk sends raw bytes and gives everything that comes until the server ends the connection.
func talk(t *testing.T, address, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(c)
	if err != nil && len(said) == 0 {
		return err.Error()
	}
	return string(said)
}

func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	const short = 50 * time.Millisecond
	token := "Authorization: Bearer " + adaToken + "\r\n"
	for name, tc := range map[string]struct {
		reason   string
		timeouts httpapi.Timeouts
		text     string
		want     string // part of what is answered; empty for nothing
	}{
		"nothing":      {"says nothing", httpapi.Timeouts{Header: short}, "", ""},
		"head":         {"does not end its head", httpapi.Timeouts{Header: short}, "GET /page HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""},
		"body":         {"does not end its body", httpapi.Timeouts{Body: short}, "POST /v1/environments HTTP/1.1\r\nHost: x\r\n" + token + "Content-Length: 100\r\n\r\n{", "BODY_TIMEOUT"},
		"chunks":       {"of no length", httpapi.Timeouts{Body: short}, "POST /v1/environments HTTP/1.1\r\nHost: x\r\n" + token + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "BODY_TIMEOUT"},
		"form":         {"of a page", httpapi.Timeouts{Body: short}, "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na=", "BODY_TIMEOUT"},
		"delivery":     {"of a host", httpapi.Timeouts{Body: short}, "POST /hooks/rep_1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", "BODY_TIMEOUT"},
		"idle":         {"asks nothing more", httpapi.Timeouts{Idle: short}, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200"},
		"unproven":     {"no body is read of nobody", httpapi.Timeouts{}, "POST /v1/environments HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", "HTTP/1.1 401"},
		"no such page": {"nor for nothing", httpapi.Timeouts{}, "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na", "HTTP/1.1 404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := talk(t, listen(t, func(g *gate) { g.deps.Repositories = inbox{} }, tc.timeouts), tc.text)
			if !strings.Contains(got, tc.want) || tc.want == "" && strings.Contains(got, " 200 ") {
				t.Errorf("%s: answer is %q, want %q in it", tc.reason, got, tc.want)
			}
		})
	}
}

// TestReaderThatDoesNotReadIsCut: the route that writes to it comes to an end.
func TestReaderThatDoesNotReadIsCut(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	address := listen(t, func(g *gate) {
		g.deps.Routes["GET /large"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 1<<20)
			for {
				if _, err := w.Write(block); err != nil {
					ended <- err
					return
				}
			}
		})
	}, httpapi.Timeouts{Write: 50 * time.Millisecond})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-ended; err == nil {
		t.Error("no error")
	}
}

func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	_, api := newGate(t, nil)
	for name, tc := range map[string]struct {
		path   string
		size   int
		status int
	}{
		"page": {"/page", 64 << 10, 200}, "page, more": {"/page", 64<<10 + 1, 413}, "token": {"/oauth/token", 64<<10 + 1, 413}, "sign-in": {"/signin", 1 << 20, 413},
		"operation": {"/v1/environments", 8<<20 + 1, 413}, "nothing there": {"/nothing", 1 << 20, 404}, "method": {"/healthz", 1 << 20, 405},
	} {
		a := call(t, api, "POST", tc.path, strings.Repeat("a", tc.size), "Authorization", "Bearer "+adaToken)
		if a.StatusCode != tc.status {
			t.Errorf("%s: %d, want %d", name, a.StatusCode, tc.status)
		}
		if tc.status == 413 && a.problem(t).Code != "BODY_TOO_LARGE" {
			t.Errorf("%s: %s", name, a.text)
		}
	}
}

// TestRawRequests sends what no proper client does.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	address := listen(t, nil, httpapi.Timeouts{})
	line := func(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" }
	for name, tc := range map[string]struct {
		text   string
		status []int
	}{
		"dots":                   {line("/v1/../v1/version"), []int{301, 307, 401}},
		"encoded dots":           {line("/page/%2e%2e/v1/version"), []int{301, 307, 401, 404}},
		"encoded slash":          {line("/v1%2Fversion"), []int{401, 404}},
		"encoded letters":        {line("/%76%31/version"), []int{401}},
		"two slashes":            {line("//v1/version"), []int{301, 307, 401}},
		"redirect to another":    {line("//evil.test/%2e%2e/x/.."), []int{301, 307, 404}},
		"backslash":              {line(`/\evil.test/..`), []int{301, 307, 404}},
		"files":                  {line("/static/..%2f..%2fetc/passwd"), []int{404}},
		"line break in the path": {line("/v1//x%0d%0aSet-Cookie:%20a=b"), []int{301, 307, 401, 404}},
		"line break in a header": {line("/page") + "X-Request-Id: a\nSet-Cookie: a=b\r\n", []int{200, 400}},
		"folded header":          {line("/page") + "X-Request-Id: a\r\n Set-Cookie: a=b\r\n", []int{200, 400}},
		"control character":      {line("/page") + "X-Request-Id: a\x00b\r\n", []int{400}},
		"two lengths":            {"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n", []int{400}},
		"two hosts":              {line("/page") + "Host: y\r\n", []int{400}},
		"no host":                {"GET /page HTTP/1.1\r\n", []int{400}},
		"large head":             {line("/page") + "X-Large: " + strings.Repeat("a", 100<<10) + "\r\n", []int{431}},
		"many headers":           {line("/page") + strings.Repeat("X-Many: aaaaaaaaaaaaaaaaaaaaaaaa\r\n", 4000), []int{431}},
		"other version":          {"GET /page HTTP/9.9\r\nHost: x\r\n", []int{505, 400}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(talk(t, address, tc.text+"\r\n"))), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			found := false
			for _, s := range tc.status {
				found = found || s == res.StatusCode
			}
			if !found {
				t.Errorf("answered %d, want one of %v", res.StatusCode, tc.status)
			}
			if res.Header.Get("Set-Cookie") != "" {
				t.Error("the request wrote a header of the answer")
			}
			if to := res.Header.Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`)) {
				t.Errorf("redirected to %s", to)
			}
		})
	}
}

// BenchmarkGateway compares an answer to nobody with one to a token that is known. The difference is what sign-in, two limits and their headers cost.
func BenchmarkGateway(b *testing.B) {
	for name, headers := range map[string][2]string{"anonymous": {"X-None", ""}, "bearer": {"Authorization", "Bearer " + adaToken}, "session": {"Cookie", cookie + adaSession}} {
		for _, path := range []string{"/page", "/v1/version"} {
			if name == "anonymous" && path != "/page" {
				continue
			}
			b.Run(fmt.Sprintf("%s%s", name, path), func(b *testing.B) {
				g, _ := newGate(b, nil)
				g.deps.Logger = slog.New(slog.DiscardHandler)
				g.deps.Edge.Limits = httpapi.LimitsPerMinute(1000, 3000, 300, 10)
				g.deps.Edge.Limits.Credential.Rate, g.deps.Edge.Limits.User.Rate, g.deps.Edge.Limits.Address.Rate = 1<<40, 1<<40, 1<<40
				actor, err := g.Authenticate(b.Context(), adaToken)
				if err != nil {
					b.Fatal(err)
				}
				g.deps.Access = known{actor}
				api := apiOf(b, g.deps)
				r := httptest.NewRequest("GET", path, nil)
				r.Header.Set(headers[0], headers[1])
				b.ReportAllocs()
				for b.Loop() {
					w := httptest.NewRecorder()
					api.ServeHTTP(w, r)
					if w.Code != 200 {
						b.Fatal(w.Code, w.Body)
					}
				}
			})
		}
	}
}
