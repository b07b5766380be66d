package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestOpenRedirect: no address gets a browser that its client did not register, not even with an error.
func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	cli := h.client(func(w *oauth.ClientWish) {
		public(w)
		w.RedirectURIs = []string{"http://127.0.0.1/cb", "com.example.app:/cb"}
	})
	fixed := h.client(func(w *oauth.ClientWish) { w.RedirectURIs = []string{"http://127.0.0.1/cb"} })
	for name, x := range map[string]struct {
		client oauth.MadeClient
		uri    string
	}{
		"none":                          {c, ""},
		"elsewhere":                     {c, "https://evil.example.com/cb"},
		"longer path":                   {c, page + "/x"},
		"slash after it":                {c, page + "/"},
		"query added":                   {c, page + "?next=https://evil.example.com"},
		"fragment added":                {c, page + "#x"},
		"other scheme":                  {c, "http://app.example.com/cb"},
		"other case":                    {c, "https://APP.example.com/cb"},
		"port added":                    {c, "https://app.example.com:443/cb"},
		"user added":                    {c, "https://app.example.com@evil.example.com/cb"},
		"host goes on":                  {c, "https://app.example.com.evil.example.com/cb"},
		"path up":                       {c, "https://app.example.com/x/../cb"},
		"encoded":                       {c, "https://app.example.com/%63b"},
		"space before":                  {c, " " + page},
		"new line after":                {c, page + "\r\nSet-Cookie: a=b"},
		"javascript":                    {c, "javascript:alert(1)"},
		"data":                          {c, "data:text/html,x"},
		"no scheme":                     {c, "//evil.example.com/cb"},
		"loopback goes on":              {cli, "http://127.0.0.1.evil.example.com/cb"},
		"loopback as user":              {cli, "http://127.0.0.1:80@evil.example.com/cb"},
		"loopback, other path":          {cli, "http://127.0.0.1:80/other"},
		"loopback, other host":          {cli, "http://[::1]:80/cb"},
		"localhost for the address":     {cli, "http://localhost:80/cb"},
		"loopback by https":             {cli, "https://127.0.0.1:80/cb"},
		"loopback, no port":             {cli, "http://127.0.0.1:/cb"},
		"loopback, port too large":      {cli, "http://127.0.0.1:65536/cb"},
		"loopback, query":               {cli, "http://127.0.0.1:80/cb?x=y"},
		"loopback, written differently": {cli, "http://127.1:80/cb"},
		"loopback, backslash":           {cli, `http://127.0.0.1:80\@evil.example.com/cb`},
		"private scheme, other path":    {cli, "com.example.app:/other"},
		"any port without being public": {fixed, "http://127.0.0.1:8080/cb"},
	} {
		for _, wrong := range []string{"", "response_type"} { // a second fault changes nothing
			pairs := []string{"redirect_uri", x.uri}
			if wrong != "" {
				pairs = append(pairs, wrong, "token")
			}
			if to, status := h.visit(h.ask(x.client, pairs...)); to != nil || status != http.StatusBadRequest {
				t.Errorf("%s: status %d, sent to %v", name, status, to)
			}
		}
	}
	for name, uri := range map[string]string{"any port": "http://127.0.0.1:49152/cb", "no port": "http://127.0.0.1/cb", "private scheme": "com.example.app:/cb"} {
		if to, _ := h.visit(h.ask(cli, "redirect_uri", uri)); to == nil || to.Query().Get("code") == "" || !strings.HasPrefix(to.String(), uri) {
			t.Errorf("%s: sent to %v", name, to)
		}
	}
}

// TestUnprovenClientIsShown: nothing of a request is followed before its client is known.
func TestUnprovenClientIsShown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	off := h.client(nil)
	yes := true
	_, err := h.UpdateClient(t.Context(), owner, off.Client.ID, oauth.ClientChange{Disabled: &yes}, 0)
	h.must(err)
	base := h.ask(c)
	for name, address := range map[string]string{
		"unknown client":         h.ask(c, "client_id", "cli_unknown"),
		"no client":              h.ask(c, "client_id", ""),
		"disabled client":        h.ask(off),
		"client twice":           base + "&client_id=" + c.Client.ID,
		"redirect URI twice":     base + "&redirect_uri=" + url.QueryEscape("https://evil.example.com"),
		"not form-encoded":       base + "&x=%zz",
		"semicolons":             base + "&a;b",
		"far too long":           base + "&x=" + strings.Repeat("x", 9000),
		"hundreds of parameters": base + strings.Repeat("&x=y", 100),
	} {
		if to, status := h.visit(address); to != nil || status != http.StatusBadRequest {
			t.Errorf("%s: status %d, sent to %v", name, status, to)
		}
	}
}

// TestErrorsGoBackToAProvenClient: with state and issuer, and never with a code.
func TestErrorsGoBackToAProvenClient(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(func(w *oauth.ClientWish) { w.RedirectURIs = []string{page, page + "?tenant=a%20b"} })
	state := "a&b=c#d\r\nX: y\"><script>"
	for name, x := range map[string]struct {
		pairs []string
		add   string
		want  string
	}{
		"implicit":                 {pairs: []string{"response_type", "token"}, want: "unsupported_response_type"},
		"hybrid":                   {pairs: []string{"response_type", "code token"}, want: "unsupported_response_type"},
		"none":                     {pairs: []string{"response_type", ""}, want: "invalid_request"},
		"fragment":                 {pairs: []string{"response_mode", "fragment"}, want: "invalid_request"},
		"form post":                {pairs: []string{"response_mode", "form_post"}, want: "invalid_request"},
		"web message":              {pairs: []string{"response_mode", "web_message"}, want: "invalid_request"},
		"request object":           {pairs: []string{"request", "eyJhbGciOiJub25lIn0.e30."}, want: "request_not_supported"},
		"request URI":              {pairs: []string{"request_uri", "https://evil.example.com/r"}, want: "request_uri_not_supported"},
		"scope":                    {pairs: []string{"scope", "users:write"}, want: "invalid_scope"},
		"scope twice":              {add: "&scope=environments:create", want: "invalid_request"},
		"challenge twice":          {add: "&code_challenge=x", want: "invalid_request"},
		"unknown parameter twice":  {add: "&x=1&x=2", want: "invalid_request"},
		"redirect URI has a query": {pairs: []string{"redirect_uri", page + "?tenant=a%20b", "scope", "users:write"}, want: "invalid_scope"},
	} {
		to, status := h.visit(h.ask(c, append([]string{"state", state}, x.pairs...)...) + x.add)
		if to == nil || status != http.StatusSeeOther {
			t.Errorf("%s: status %d, sent to %v", name, status, to)
			continue
		}
		q := to.Query()
		if to.Host != "app.example.com" || to.Fragment != "" || q.Get("error") != x.want || q.Get("state") != state || q.Get("iss") != h.Issuer || q.Has("code") {
			t.Errorf("%s: sent to %v", name, to)
		}
		if strings.Contains(x.want, "scope") && len(x.pairs) > 2 && q.Get("tenant") != "a b" {
			t.Errorf("%s: the client's own query is lost: %v", name, to)
		}
	}
	if to, _ := h.visit(h.ask(c) + "&state=other"); to == nil || to.Query().Get("error") != "invalid_request" || to.Query().Has("state") {
		t.Errorf("state given twice: sent to %v, want no state: none of both is known to be the client's", to)
	}
	if to, _ := h.visit(h.ask(c, "state", "")); to == nil || to.Query().Has("state") || to.Query().Get("code") == "" {
		t.Errorf("no state: sent to %v", to)
	}
}

func TestPersonSaysNo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.ask(c), nil)
	h.must(err)
	r.Header.Set("Decision", "no")
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	h.must(err)
	defer res.Body.Close()
	to, err := res.Location()
	h.must(err)
	if to.Query().Get("error") != "access_denied" || to.Query().Get("iss") != h.Issuer || to.Query().Get("state") != "the-state" {
		t.Errorf("sent to %v", to)
	}
	if res.Header.Get("Referrer-Policy") != "no-referrer" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers = %v", res.Header)
	}
	if got := h.audit("oauth:authorize"); len(got) != 1 || got[0] != "denied: the person said no" {
		t.Errorf("audit = %q", got)
	}
}

// TestOnlyAPersonConsents: a token that acts for a user lets no other program in.
func TestOnlyAPersonConsents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	for _, kind := range []blueberry.ActorKind{blueberry.ActorToken, blueberry.ActorClient, blueberry.ActorJob} {
		actor := h.person("ada")
		actor.Kind = kind
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.ask(c), nil)
		h.must(err)
		if err := h.Decide(t.Context(), nil, r, actor, true); !isKind(err, blueberry.Forbidden) {
			t.Errorf("%s: error = %v, want forbidden", kind, err)
		}
		if _, err := h.DeviceOf(t.Context(), actor, "BCDF-GHJK"); !isKind(err, blueberry.Forbidden) {
			t.Errorf("%s on a device: error = %v, want forbidden", kind, err)
		}
	}
}
