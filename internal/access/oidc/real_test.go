package oidc_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oidc"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const (
	withoutNode = "BLUEBERRY_TEST_WITHOUT_NODE"
	issuerDir   = "testdata/issuer"
	publicURL   = "https://blueberry.example.com"
)

// openReal starts the npm package oidc-provider and gives its address; empty when the test is left out.
func openReal(t *testing.T) string {
	t.Helper()
	if os.Getenv(withoutNode) != "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is set in CI: a test that was left out is a test that did not hold", withoutNode)
		}
		t.Logf("%s is set: sign-in at a real issuer is not tested", withoutNode)
		return ""
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not there; install it, or set %s=1 to leave the real issuer out: %v", program, withoutNode, err)
		}
	}
	if _, err := os.Stat(filepath.Join(issuerDir, "node_modules", ".package-lock.json")); err != nil { // npm writes it last
		install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = issuerDir
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
	issuer := exec.CommandContext(t.Context(), "node", "issuer.mjs")
	issuer.Dir = issuerDir
	issuer.Env = append(os.Environ(), "REDIRECT_URI="+publicURL+access.ProviderReturnPath("real"))
	stdin, err := issuer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := issuer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	issuer.Stderr = &said
	if err := issuer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = issuer.Wait() // it may be killed first
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://127.0.0.1:") {
			go io.Copy(io.Discard, stdout) //nolint:errcheck // so that it never waits for a reader
			return lines.Text()
		}
	}
	t.Fatalf("the issuer did not start:\n%s", said.String())
	return ""
}

// browser is a person at the pages of the issuer. It stops where the issuer sends it back to us.
type browser struct {
	*http.Client
	back *url.URL
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{}
	b.Client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), publicURL) {
			b.back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

var formAction = regexp.MustCompile(`action="([^"]+)"`)

// signIn goes to an address, signs in as someone, agrees, and gives the query that the issuer sends back.
func (b *browser) signIn(t *testing.T, address, name string) url.Values {
	t.Helper()
	b.back = nil
	resp, err := b.Get(address)
	for step := 0; err == nil && b.back == nil && step < 5; step++ {
		page, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		action := formAction.FindSubmatch(page)
		if action == nil {
			t.Fatalf("status %d, no form:\n%s", resp.StatusCode, page)
		}
		next, perr := resp.Request.URL.Parse(string(action[1]))
		if perr != nil {
			t.Fatal(perr)
		}
		form := url.Values{"prompt": {"consent"}}
		if strings.Contains(string(page), `value="login"`) {
			form = url.Values{"prompt": {"login"}, "login": {name}, "password": {"any"}}
		}
		resp, err = b.PostForm(next.String(), form)
	}
	if err != nil || b.back == nil {
		t.Fatalf("the issuer did not send back: %v", err)
	}
	resp.Body.Close()
	return b.back.Query()
}

type record struct{ s *storetest.Store }

func (r record) Update(ctx context.Context, f func(access.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(tx) })
}

func (r record) View(ctx context.Context, f func(access.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

// clear is a seal of glass: that tickets cannot be forged is tested where they are made.
type clear struct{}

func (clear) Seal(plain []byte, bound string) ([]byte, error) {
	return append([]byte(bound+"\x00"), plain...), nil
}

func (clear) Open(sealed []byte, bound string) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(sealed), bound+"\x00")
	if !ok {
		return nil, errors.New("it is bound to something else")
	}
	return []byte(plain), nil
}

// The whole way, from the button to the session, at an issuer that others wrote.
func TestSignInAtARealIssuer(t *testing.T) {
	t.Parallel()
	issuer := openReal(t)
	if issuer == "" {
		return
	}
	issuers := &oidc.Issuers{Client: &http.Client{Timeout: 5 * time.Minute}, Now: time.Now}
	s := &access.SignIn{
		Record: record{storetest.SQLite(t)}, Seal: clear{}, PublicURL: publicURL, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Slots: access.PasswordSlots(),
		Drivers: map[blueberry.ProviderKind]access.ProviderDriver{blueberry.ProviderOIDC: &oidc.Driver{Issuers: issuers}},
	}
	sealed, err := clear{}.Seal([]byte("secret of the client"), "identity_providers.client_secret:idp_1")
	if err != nil {
		t.Fatal(err)
	}
	p := blueberry.IdentityProvider{
		ID: "idp_1", Name: "real", Kind: blueberry.ProviderOIDC, Issuer: issuer, ClientID: "blueberry", ClientSecret: sealed, Scopes: []string{"groups"}, SignUp: true,
		CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	if err := s.Record.Update(t.Context(), func(tx access.Tx) error { return tx.PutProvider(t.Context(), p) }); err != nil {
		t.Fatal(err)
	}
	visit := func(b *browser, name string) (url.Values, access.ProviderReturn) {
		address, state, err := s.BeginProvider(t.Context(), "real", access.ProviderStart{ReturnTo: "/environments"})
		if err != nil {
			t.Fatal(err)
		}
		q := b.signIn(t, address, name)
		return q, access.ProviderReturn{Query: q, State: state, From: access.From{Address: "192.0.2.1"}}
	}
	person := newBrowser(t)
	q, answer := visit(person, "ada")
	if q.Get("iss") != issuer {
		t.Errorf("the issuer tells of itself as %q", q.Get("iss"))
	}
	e, err := s.FinishProvider(t.Context(), "real", answer)
	if err != nil {
		t.Fatal(err)
	}
	if e.ReturnTo != "/environments" || e.Session.Method != "oidc:real" || e.Secret == "" {
		t.Errorf("got %+v", e)
	}
	err = s.Record.View(t.Context(), func(tx access.Tx) error {
		u, err := tx.User(t.Context(), e.Session.UserID)
		if err != nil {
			return err
		}
		i, err := tx.Identity(t.Context(), "real", "ada")
		if u.Email != "ada@example.com" || u.Name != "Ada" || i.UserID != u.ID || !slices.Equal(i.Groups, []string{"builders", "readers"}) {
			t.Errorf("got %+v, %+v", u, i)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.FinishProvider(t.Context(), "real", answer); !errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("the answer again: got %v", err)
	}
	_, answer = visit(person, "ada")
	again, err := s.FinishProvider(t.Context(), "real", answer)
	if err != nil || again.Session.UserID != e.Session.UserID || again.Secret == e.Secret {
		t.Errorf("a second sign-in: got %+v, %v", again, err)
	}
	_, answer = visit(newBrowser(t), "eve")
	if _, err := s.FinishProvider(t.Context(), "real", answer); !errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("an address that is not verified: got %v", err)
	}
	_, stolen := visit(newBrowser(t), "ada")
	_, mine := visit(newBrowser(t), "eve")
	stolen.State = mine.State
	if _, err := s.FinishProvider(t.Context(), "real", stolen); !errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("the answer of another browser: got %v", err)
	}
	_, used := visit(newBrowser(t), "ada")
	used.Query.Set("code", q.Get("code"))
	if _, err := s.FinishProvider(t.Context(), "real", used); !errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("a code that was used: got %v", err)
	}
}
