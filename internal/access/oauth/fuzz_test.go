package oauth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// FuzzAuthorizeQuery: whatever a query holds, nothing is sent anywhere but to what the client registered, and a request that passes has a challenge.
func FuzzAuthorizeQuery(f *testing.F) {
	for _, seed := range []string{
		"", "response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&code_challenge_method=S256&code_challenge=" + strings.Repeat("a", 43),
		"redirect_uri=http%3A%2F%2F127.0.0.1%3A80%2Fcb", "redirect_uri=http://127.0.0.1:80@evil/cb", "state=a&state=b", "%zz", "a;b", "scope=*:*", "=00", "=1&=2", "redirect_uri=http://[::1]:1/cb",
	} {
		f.Add(seed)
	}
	c := blueberry.OAuthClient{
		ID: "c", Public: true, RedirectURIs: []string{"https://app.example.com/cb", "http://127.0.0.1/cb", "http://[::1]/cb"},
		Flows: []blueberry.OAuthFlow{blueberry.FlowCode}, Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead},
	}
	s := &Server{Issuer: "https://blueberry.example.com"}
	f.Fuzz(func(t *testing.T, query string) {
		values, twice, err := parseParameters(query)
		if err != nil {
			return
		}
		for name, all := range values {
			if len(all) != 1 || all[0] == "" || name == twice {
				t.Fatalf("%q is kept as %q", name, all)
			}
		}
		a := Ask{Client: c, RedirectURI: values.get("redirect_uri"), state: values.get("state"), challenge: values.get("code_challenge")}
		if !matchesRedirect(c, a.RedirectURI) {
			return
		}
		to, err := url.Parse(s.back(a, url.Values{"code": {"x"}}))
		if err != nil {
			t.Fatalf("%q is sent to what is no address: %v", query, err)
		}
		local := slices.Contains([]string{"127.0.0.1", "::1"}, to.Hostname()) && to.Scheme == "http"
		if to.User != nil || to.Path != "/cb" || to.Fragment != "" || !local && (to.Scheme != "https" || to.Host != "app.example.com") {
			t.Fatalf("%q is sent to %s", query, to)
		}
		if q := to.Query(); q.Get("state") != a.state || q.Get("iss") != s.Issuer || q.Get("code") != "x" {
			t.Fatalf("%q: the answer is %s", query, to)
		}
		if a.check(values) == nil && (len(a.challenge) != 43 || values.get("response_type") != "code" || !covers([]string{"environments:read"}, a.scopes)) {
			t.Fatalf("%q passed", query)
		}
	})
}

// FuzzTokenBody: whatever a body and header hold, reading them ends with one client or a refusal in the characters of RFC 6749.
func FuzzTokenBody(f *testing.F) {
	f.Add("grant_type=client_credentials&client_id=a&client_secret=b", "", formType)
	f.Add("grant_type=x", "Basic YTpi", formType)
	f.Add("client_id=a&client_id=b", "Bearer x", formType)
	f.Add(`{"grant_type":"x"}`, "Basic !!", "application/json")
	f.Add("scope=%22%5C%0A", "basic YTo=", formType+"; charset=utf-8")
	f.Fuzz(func(t *testing.T, body, authorization, kind string) {
		r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Authorization", authorization)
		values, err := readForm(httptest.NewRecorder(), r)
		if err == nil {
			p, refused := readProof(r, values)
			if refused == nil {
				if p.id == "" || p.basic && values.get("client_secret") != "" {
					t.Fatalf("proof of %q with %q is %+v", body, authorization, p)
				}
				_, refused = askedScopes(blueberry.OAuthClient{Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}}, values.get("scope"))
			}
			if refused == nil {
				return
			}
			err = refused
		}
		told := refusalOf(err)
		if told == nil {
			t.Fatalf("%q fails with %v", body, err)
		}
		if d := told.description(); len(d) > maxDescription || strings.ContainsFunc(d, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
			t.Fatalf("%q is told as %q", body, d)
		}
	})
}

const formType = "application/x-www-form-urlencoded"
