package pki

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now().Truncate(time.Second)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// secrets is what replicas share.
type secrets struct {
	mu      sync.Mutex
	value   []byte
	version int64
	puts    int
	fail    error
}

func (s *secrets) Get(context.Context, string) ([]byte, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, 0, s.fail
	}
	if s.version == 0 {
		return nil, 0, blueberry.Errorf(blueberry.NotFound, "PLATFORM_SECRET_NOT_FOUND", "there is none")
	}
	return bytes.Clone(s.value), s.version, nil
}

func (s *secrets) Put(_ context.Context, _ string, value []byte, version int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version != s.version {
		return blueberry.Errorf(blueberry.Conflict, "PLATFORM_SECRET_EXISTS", "it has moved")
	}
	s.value, s.version = bytes.Clone(value), s.version+1
	s.puts++
	return nil
}

func (s *secrets) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// revocations is a list that a test changes.
type revocations struct {
	mu      sync.Mutex
	serials []string
}

func (r *revocations) list(context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.serials...), nil
}

func (r *revocations) add(serial string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serials = append(r.serials, serial)
}

func newCA(t *testing.T, s Secrets, c *clock, r *revocations) *CA {
	t.Helper()
	ca := &CA{Secrets: s, Now: c.now, Revoked: r.list, Logger: slog.New(slog.DiscardHandler)}
	if err := ca.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return ca
}

func issue(t *testing.T, ca *CA, name string) Issued {
	t.Helper()
	i, err := ca.Issue(t.Context(), name, nil, MaxLeafLife)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func selfMade(t *testing.T) *SelfMade {
	t.Helper()
	s, err := NewSelfMade(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func poolOf(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", file)
	}
	return pool
}

// serve gives the address of a server that asks for certificates of the platform, and what clients trust.
func serve(t *testing.T, ca *CA) (string, *x509.CertPool) {
	t.Helper()
	own := selfMade(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{
		Handler: ca.Clients(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
		})),
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	go srv.Serve(tls.NewListener(l, ServerTLS(own.GetCertificate, ca)))
	t.Cleanup(func() { srv.Close() })
	return "https://" + l.Addr().String(), poolOf(t, own.CAFile)
}

func client(t *testing.T, config *tls.Config) *http.Client {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func shows(t *testing.T, i Issued, servers *x509.CertPool) *http.Client {
	t.Helper()
	c, err := ClientTLS(i, servers)
	if err != nil {
		t.Fatal(err)
	}
	return client(t, c)
}

// get is the status and body of an answer; 0 when the connection was refused.
func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(body)
}

func TestInternalClientsProveThemselves(t *testing.T) {
	t.Parallel()
	c, revoked := newClock(), &revocations{}
	shared := &secrets{}
	ca := newCA(t, shared, c, revoked)
	url, servers := serve(t, ca)
	good, gone, stranger := issue(t, ca, "worker"), issue(t, ca, "gone"), issue(t, newCA(t, &secrets{}, c, &revocations{}), "worker")
	revoked.add(gone.Serial)
	if err := ca.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	old, err := ca.Issue(t.Context(), "old", nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	own := selfMade(t)
	ownPair, _ := own.GetCertificate(nil)
	asClient := &tls.Config{RootCAs: servers, Certificates: []tls.Certificate{*ownPair}}
	c.pass(2 * time.Hour)
	for name, tc := range map[string]struct {
		reason string
		client *http.Client
		ok     bool
	}{
		"good":        {"issued by the platform", shows(t, good, servers), true},
		"none":        {"shows nothing", client(t, &tls.Config{RootCAs: servers}), false},
		"expired":     {"has ended", shows(t, old, servers), false},
		"foreign":     {"of another platform, with the same name", shows(t, stranger, servers), false},
		"revoked":     {"its serial is on the list", shows(t, gone, servers), false},
		"for servers": {"is no certificate of a client", client(t, asClient), false},
		"old TLS": {"TLS 1.2", func() *http.Client {
			c, _ := ClientTLS(good, servers)
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			return client(t, c)
		}(), false},
	} {
		status, body := get(t, tc.client, url)
		if (status == 200) != tc.ok || tc.ok && body != "worker" {
			t.Errorf("%s (%s): %d %s", name, tc.reason, status, body)
		}
	}
}

func TestRevokedCertificateEndsOpenConnections(t *testing.T) {
	t.Parallel()
	c, revoked := newClock(), &revocations{}
	ca := newCA(t, &secrets{}, c, revoked)
	url, servers := serve(t, ca)
	i := issue(t, ca, "worker")
	h := shows(t, i, servers)
	if status, body := get(t, h, url); status != 200 {
		t.Fatalf("before: %d %s", status, body)
	}
	revoked.add(i.Serial)
	c.pass(freshFor) // nobody says that it moved
	if status, body := get(t, h, url); status == 200 {
		t.Errorf("after: %d %s", status, body)
	}
}

func TestOldRootIsTrustedUntilItsLeavesHaveEnded(t *testing.T) {
	t.Parallel()
	c, shared := newClock(), &secrets{}
	ca, replica := newCA(t, shared, c, &revocations{}), newCA(t, shared, c, &revocations{})
	url, servers := serve(t, replica)
	before := issue(t, ca, "before")
	if err := ca.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := issue(t, replica, "after") // it has not heard of the rotation
	if bytes.Equal(before.Root, after.Root) {
		t.Error("a replica signs with the root before the rotation")
	}
	if n := strings.Count(string(shared.value), "PRIVATE KEY-----") / 2; n != 1 {
		t.Errorf("%d keys are kept, want that of the new root alone", n)
	}
	c.pass(freshFor)
	for _, i := range []Issued{before, after} {
		if status, body := get(t, shows(t, i, servers), url); status != 200 || body != i.Name {
			t.Errorf("%s: %d %s", i.Name, status, body)
		}
	}
	c.pass(MaxLeafLife + time.Hour)
	if n := len(ca.Pool(t.Context()).Subjects()); n != 1 { //nolint:staticcheck // a pool that we made ourselves
		t.Errorf("%d roots are trusted after the last leaf of the first has ended, want 1", n)
	}
}

func TestReplicasAgreeOnOneRoot(t *testing.T) {
	t.Parallel()
	shared, c := &secrets{}, newClock()
	cas := make([]*CA, 8)
	var all sync.WaitGroup
	for i := range cas {
		cas[i] = &CA{Secrets: shared, Now: c.now}
		all.Go(func() {
			if err := cas[i].Open(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if shared.puts != 1 {
		t.Errorf("%d roots were made, want 1", shared.puts)
	}
	for _, ca := range cas {
		if !ca.Pool(t.Context()).Equal(cas[0].Pool(t.Context())) {
			t.Error("replicas trust different roots")
		}
	}
}

func TestWhatIsKnownGoesOnWithoutTheRecord(t *testing.T) {
	t.Parallel()
	shared, c := &secrets{}, newClock()
	ca := newCA(t, shared, c, &revocations{})
	url, servers := serve(t, ca)
	i := issue(t, ca, "worker")
	shared.fails(errors.New("the record is down"))
	c.pass(time.Minute)
	if status, body := get(t, shows(t, i, servers), url); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if _, err := ca.Issue(t.Context(), "another", nil, time.Hour); err == nil {
		t.Error("a certificate was issued without the record")
	}
}

func TestIssueTellsEveryFault(t *testing.T) {
	t.Parallel()
	ca := newCA(t, &secrets{}, newClock(), &revocations{})
	_, err := ca.Issue(t.Context(), "No Name", []byte("x"), MaxLeafLife+1)
	var e *blueberry.Error
	if !errors.As(err, &e) || len(e.Fields) != 3 {
		t.Fatalf("error is %v, want three faults", err)
	}
	for _, name := range []string{"", "a/b", "-a", "a\n", "A", strings.Repeat("a", 64)} {
		if _, err := ca.Issue(t.Context(), name, nil, time.Hour); !errors.Is(err, blueberry.Invalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestRedirectGoesNowhereElse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, address, host, path, want string
	}{
		"public":          {"the configured host alone", "https://blueberry.test", "evil.test", "/a?b=c", "https://blueberry.test/a?b=c"},
		"public port":     {"with its port", "https://blueberry.test:7443", "evil.test", "/", "https://blueberry.test:7443/"},
		"usual port":      {"is left out", "https://blueberry.test:443", "evil.test", "/", "https://blueberry.test/"},
		"own host":        {"that the request names", "https://:7443", "Blueberry.test:7080", "/a", "https://blueberry.test:7443/a"},
		"any address":     {"names no host", "https://0.0.0.0:7443", "10.0.0.1:80", "/", "https://10.0.0.1:7443/"},
		"v6":              {"in brackets", "https://[::]:443", "[2001:db8::1]:80", "/", "https://[2001:db8::1]/"},
		"user":            {"a host with a user is none", "https://:443", "blueberry.test@evil.test", "/", ""},
		"path":            {"nor is one with a path", "https://:443", "evil.test/x", "/", ""},
		"line":            {"nor one with a line break", "https://:443", "a\r\nSet-Cookie: x", "/", ""},
		"nothing":         {"nor none at all", "https://:443", "", "/", ""},
		"two slashes":     {"stay a path", "https://blueberry.test", "x", "//evil.test/x", "https://blueberry.test//evil.test/x"},
		"encoded slashes": {"stay encoded", "https://blueberry.test", "x", "/a%2F..%2Fb", "https://blueberry.test/a%2F..%2Fb"},
	} {
		h, err := RedirectHandler(tc.address)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "http://x"+tc.path, nil)
		r.Host = tc.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != tc.want || (w.Code == 308) != (tc.want != "") {
			t.Errorf("%s (%s): %d to %q, want %q", name, tc.reason, w.Code, got, tc.want)
		}
	}
	for _, bad := range []string{"http://a.test", "https://a.test/path", "https://u@a.test", "://", "a.test"} {
		if _, err := RedirectHandler(bad); err == nil {
			t.Errorf("%s is taken for an address", bad)
		}
	}
}

func TestSelfMade(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	made := make([]*SelfMade, 6)
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() {
			s, err := NewSelfMade(dir, "blueberry.test", "192.0.2.7")
			if err != nil {
				t.Error(err)
				return
			}
			s.Now = c.now
			made[i] = s
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	info, err := os.Stat(filepath.Join(dir, "local-ca.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the authority's key has mode %v (%v), want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	pool := poolOf(t, made[0].CAFile)
	var last string
	for _, days := range []int{0, 59, 2, 80} {
		c.pass(time.Duration(days) * 24 * time.Hour)
		for _, s := range made { // all of one authority
			pair, err := s.GetCertificate(nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"localhost", "127.0.0.1", "::1", "blueberry.test", "192.0.2.7"} {
				if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name, CurrentTime: c.now()}); err != nil {
					t.Errorf("after %d days, %s: %v", days, name, err)
				}
			}
		}
		pair, _ := made[0].GetCertificate(nil)
		serial := SerialText(pair.Leaf.SerialNumber)
		if same := serial == last; same != (days == 59) {
			t.Errorf("after %d days more the certificate is the same: %v", days, same)
		}
		last = serial
	}
}
