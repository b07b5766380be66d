package e2e_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/internal/cache/cachetest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// person is someone with a cookie.
type person struct {
	session string
}

// call asks as a browser page of the server would.
func (p person) call(ctx context.Context, t *testing.T, s *installation.Server, method, path string, body any) (int, []byte) {
	t.Helper()
	res := p.send(ctx, t, s, method, path, body)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, text
}

func (p person) send(ctx context.Context, t *testing.T, s *installation.Server, method, path string, body any) *http.Response {
	t.Helper()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, content)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if p.session != "" {
		req.Header.Set("Cookie", "__Host-blueberry="+p.session)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// signIn asks a route that answers a session, and gives who has it then.
func signIn(ctx context.Context, t *testing.T, s *installation.Server, path string, body any) person {
	t.Helper()
	res := person{}.send(ctx, t, s, http.MethodPost, path, body)
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Name == "__Host-blueberry" {
			return person{c.Value}
		}
	}
	text, _ := io.ReadAll(res.Body) // the status says enough
	t.Fatalf("%s answered %d without a session: %s", path, res.StatusCode, text)
	return person{}
}

// owner makes the first owner's account by the API.
func owner(ctx context.Context, t *testing.T, h installation.Host, s *installation.Server) person {
	t.Helper()
	u, err := url.Parse(setupLink(t, h))
	if err != nil {
		t.Fatal(err)
	}
	return signIn(ctx, t, s, "/v1/setup", map[string]string{"link": u.Query().Get("link"), "email": ownerEmail, "password": ownerPassword})
}

// twoServers share a PostgreSQL, a Git remote and the keys, and what more is said.
func twoServers(t *testing.T, args ...string) (a, b *installation.Server, first installation.Host) {
	t.Helper()
	remote := filepath.Join(t.TempDir(), "gitops.git")
	git(t.Context(), t, ".", "init", "-q", "--bare", "-b", "main", remote)
	one, two := newHost(t, "--target-driver", "sim"), newHost(t, "--target-driver", "sim")
	one.Database = newDatabase(t)
	two.Database = one.Database
	shared := append([]string{"--gitops-remote", remote, "--keyset-file", filepath.Join(one.State, "keyset.json")}, args...)
	one.Args, two.Args = append(one.Args, shared...), append(two.Args, shared...)
	return start(t, one), start(t, two), one
}

// TestRevokedElsewhere: a session that is revoked at one server is refused by the other one, which had let it in a moment before.
func TestRevokedElsewhere(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]func(t *testing.T) []string{
		"without Redis": func(*testing.T) []string { return nil },
		"with Redis":    func(t *testing.T) []string { return []string{"--redis", cachetest.Start(t).URL} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			a, b, h := twoServers(t, args(t)...)
			ada := owner(ctx, t, h, a)
			second := signIn(ctx, t, b, "/v1/sessions", map[string]string{"email": ownerEmail, "password": ownerPassword})
			for _, s := range []*installation.Server{a, b, b} {
				if status, text := second.call(ctx, t, s, http.MethodGet, "/v1/account", nil); status != http.StatusOK {
					t.Fatalf("before: %d %s", status, text)
				}
			}
			var mine struct{ Session struct{ ID string } }
			_, text := second.call(ctx, t, b, http.MethodGet, "/v1/account", nil)
			if err := json.Unmarshal(text, &mine); err != nil || mine.Session.ID == "" {
				t.Fatalf("%v: %s", err, text)
			}
			if status, text := ada.call(ctx, t, a, http.MethodDelete, "/v1/sessions/"+mine.Session.ID, nil); status != http.StatusNoContent {
				t.Fatalf("revoke: %d %s", status, text)
			}
			revoked := time.Now()
			if status, _ := second.call(ctx, t, a, http.MethodGet, "/v1/account", nil); status != http.StatusUnauthorized {
				t.Errorf("the server that revoked it answers %d", status)
			}
			// An answer that began a second after the revocation must refuse. Those before it may still let in.
			for refused := false; !refused; {
				began := time.Now()
				status, _ := second.call(ctx, t, b, http.MethodGet, "/v1/account", nil)
				refused = status == http.StatusUnauthorized
				if !refused && began.Sub(revoked) > time.Second {
					t.Fatalf("the other server answers %d, %s after the revocation", status, began.Sub(revoked))
				}
			}
			if status, _ := ada.call(ctx, t, b, http.MethodGet, "/v1/account", nil); status != http.StatusOK {
				t.Errorf("the session that was not revoked: %d", status)
			}
		})
	}
}

// TestLimitsCountAcrossServers: with Redis, what one server lets in the other one counts.
func TestLimitsCountAcrossServers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	const rate = 20
	a, b, _ := twoServers(t, "--redis", cachetest.Start(t).URL, "--rate-token", fmt.Sprint(rate))
	account, err := a.Client.CreateServiceAccount(ctx, "default", sdk.CreateServiceAccountRequest{Name: "ci", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	// Where Redis takes too long, a server counts alone for a second. Servers that do not count together do so each time.
	for try := 1; ; try++ {
		made, err := a.Client.CreateAPIToken(ctx, sdk.CreateAPITokenRequest{Name: fmt.Sprint("reads-", try), Grants: []string{"projects:read"}, ServiceAccountID: account.ID})
		if err != nil {
			t.Fatal(err)
		}
		began, let := time.Now(), 0
		for i := range 3 * rate {
			c := &sdk.Client{BaseURL: []string{a.URL, b.URL}[i%2], Token: made.Secret, Waits: []time.Duration{}}
			_, err := c.ListProjects(ctx)
			switch {
			case err == nil:
				let++
			case !isStatus(err, http.StatusTooManyRequests):
				t.Fatal(err)
			}
		}
		// The quota is whole at the start and fills up again at one call in three seconds: counted apart, twice as many come in.
		most := rate + 1 + int(time.Since(began)/(3*time.Second))
		if let >= rate && let <= most {
			return
		}
		if try == 3 {
			t.Fatalf("%d of %d calls were let in, the limit is %d, and %d for the time that they took", let, 3*rate, rate, most)
		}
	}
}

// TestLosingTheKeysIsTold: without the keyset the server does not start, and says what is missing.
func TestLosingTheKeysIsTold(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	start(t, h).Kill()
	h.Args = append(h.Args, "--keyset-file", filepath.Join(h.State, "another.json"))
	s, err := h.Start()
	if err == nil {
		s.Kill()
		t.Fatal("a server opened a record with keys that are not its own")
	}
	for _, want := range []string{"another.json", "keyset"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message does not name %s: %v", want, err)
		}
	}
}

// TestInternalClientsNeedACertificate: the internal door takes clients with a certificate of the platform alone, and their token still says what they may.
func TestInternalClientsNeedACertificate(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	internal, redirect := freeAddress(t), freeAddress(t)
	h := newHost(t, "--target-driver", "sim", "--tls-self-made", "--internal-listen", internal, "--redirect-listen", redirect)
	h.CA = filepath.Join(h.State, "tls", "local-ca.crt")
	s := start(t, h)
	issued, err := s.Client.IssueCertificate(ctx, sdk.IssueCertificateRequest{Name: "prometheus", Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(issued.CertificatePEM), []byte(issued.PrivateKeyPEM))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(h.CA)
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		t.Fatalf("the authority of the server: %v", err)
	}
	ask := func(certificates ...tls.Certificate) (int, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certificates, MinVersion: tls.VersionTLS13}}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+internal+"/v1/account", nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "Bearer "+s.Client.Token)
		res, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	if status, err := ask(pair); err != nil || status != http.StatusOK {
		t.Errorf("with a certificate: %d, %v", status, err)
	}
	if status, err := ask(); err == nil {
		t.Errorf("without a certificate: %d", status)
	}
	if err := s.Client.RevokeCertificate(ctx, issued.Certificate.Serial); err != nil {
		t.Fatal(err)
	}
	if status, err := ask(pair); err == nil && status == http.StatusOK {
		t.Error("a certificate that was revoked is taken")
	}

	plain := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+redirect+"/docs?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := plain.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || !strings.HasPrefix(to, "https://") || !strings.HasSuffix(to, "/docs?x=1") {
		t.Errorf("plain HTTP leads to %q, %d", to, res.StatusCode)
	}
}

// freeAddress is one on loopback where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
