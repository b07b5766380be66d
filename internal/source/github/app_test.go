package github_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/github"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

func privateKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// withApp has a host know an App, whose installation on acme/shop has the id 99. The token that it gives is the usual one.
func withApp(inner http.Handler, key *rsa.PrivateKey, now time.Time, asked *[]string) http.Handler {
	signed := func(r *http.Request) bool {
		var claims jwt.RegisteredClaims
		text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		_, err := jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("1234"), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
		return err == nil && now.Sub(claims.IssuedAt.Time) == time.Minute && claims.ExpiresAt.Sub(now) <= 10*time.Minute
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question := r.Method + " " + r.URL.EscapedPath()
		switch {
		case !strings.HasSuffix(question, "/installation") && !strings.Contains(question, "/app/"):
			inner.ServeHTTP(w, r)
			return
		case !signed(r):
			hosttest.JSON(w, 401, object{"message": "A JSON web token could not be decoded"})
		case question == "GET /api/v3/repos/acme/shop/installation":
			hosttest.JSON(w, 200, object{"id": 99, "app_id": 1234})
		case question == "POST /api/v3/app/installations/99/access_tokens":
			hosttest.JSON(w, 201, object{"token": token, "expires_at": "2026-01-31T13:00:00Z"})
		default:
			gone(w)
		}
		js, _ := io.ReadAll(r.Body)
		*asked = append(*asked, question+" "+string(js))
	})
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestApp(t *testing.T) {
	key := privateKey(t)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	lookUp, ask := "GET /api/v3/repos/acme/shop/installation ", `POST /api/v3/app/installations/99/access_tokens {"repositories":["shop"]}`
	for name, c := range map[string]struct {
		credential string
		access     blueberry.HostAPI
		asked      []string
		status     int // of the refusal; -1 for none
	}{
		"looked up":            {inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), blueberry.HostAPI{App: 1234}, []string{lookUp, ask}, -1},
		"known":                {inPEM("PRIVATE KEY", pkcs8), blueberry.HostAPI{App: 1234, Installation: 99}, []string{ask}, -1},
		"another App":          {inPEM("PRIVATE KEY", pkcs8), blueberry.HostAPI{App: 1235}, []string{lookUp}, 401},
		"another key":          {inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(privateKey(t))), blueberry.HostAPI{App: 1234}, []string{lookUp}, 401},
		"installation removed": {inPEM("PRIVATE KEY", pkcs8), blueberry.HostAPI{App: 1234, Installation: 98}, []string{`POST /api/v3/app/installations/98/access_tokens {"repositories":["shop"]}`}, 404},
		"no key":               {"-----BEGIN PRIVATE KEY-----\nzebra\n-----END PRIVATE KEY-----", blueberry.HostAPI{App: 1234}, nil, 0},
		"a token for a key":    {token, blueberry.HostAPI{App: 1234}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			server := httptest.NewServer(withApp(http.NotFoundHandler(), key, noon, &asked))
			defer server.Close()
			conn := &source.Connection{
				Client: server.Client(), API: server.URL + "/api/v3", Repository: "acme/shop", Access: c.access, Credential: c.credential, Now: func() time.Time { return noon },
			}
			err := github.Host{}.Connect(t.Context(), conn)
			if diff := cmp.Diff(c.asked, asked); diff != "" {
				t.Errorf("asked (-want +got)\n%s", diff)
			}
			var e *source.HostError
			switch {
			case c.status == -1 && err != nil:
				t.Fatal(err)
			case c.status == -1:
				if user, password := (github.Host{}).CloneAs(conn); user != "x-access-token" || password != token {
					t.Errorf("it clones as %q with %q", user, password)
				}
			case !errors.As(err, &e) || e.Status != c.status || conn.Sign != nil || strings.Contains(e.Text, "BEGIN") || strings.Contains(e.Text, token):
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestSpeaksAsApp: all that a token does, an App does. Its comments are those that it wrote, whatever its user is called.
func TestSpeaksAsApp(t *testing.T) {
	key := privateKey(t)
	var asked []string
	x := tongue()
	x.Access, x.Credential = blueberry.HostAPI{App: 1234}, inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
	token := x.Signed
	x.Signed = func(r *http.Request) bool {
		return token(r) || strings.HasSuffix(r.URL.Path, "/installation") || strings.Contains(r.URL.Path, "/app/")
	}
	x.Serve = func(f *hosttest.Forge) http.Handler { return withApp(serveApp(f), key, noon, &asked) }
	hosttest.Speaks(t, x)
}
