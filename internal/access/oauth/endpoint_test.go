package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const formKind = "application/x-www-form-urlencoded"

func TestClientProof(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c, open := h.client(nil), h.client(public)
	basic := func(id, secret string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}}
	}
	grant := "grant_type=client_credentials"
	id, secret := "client_id="+c.Client.ID, "client_secret="+c.Secret
	for name, x := range map[string]struct {
		body   string
		header http.Header
		want   string // empty for success
	}{
		"in the body":             {body: grant + "&" + id + "&" + secret},
		"by Basic":                {body: grant, header: basic(c.Client.ID, c.Secret)},
		"by Basic, id repeated":   {body: grant + "&" + id, header: basic(c.Client.ID, c.Secret)},
		"by Basic, encoded":       {body: grant, header: basic(strings.ReplaceAll(c.Client.ID, "_", "%5F"), c.Secret)},
		"by Basic and body":       {body: grant + "&" + id + "&" + secret, header: basic(c.Client.ID, c.Secret), want: "invalid_request"},
		"two ids":                 {body: grant + "&client_id=" + open.Client.ID, header: basic(c.Client.ID, c.Secret), want: "invalid_request"},
		"secret twice":            {body: grant + "&" + id + "&" + secret + "&" + secret, want: "invalid_request"},
		"no secret":               {body: grant + "&" + id, want: "invalid_client"},
		"no client":               {body: grant, want: "invalid_client"},
		"wrong secret":            {body: grant + "&" + id + "&client_secret=" + c.Secret[:len(c.Secret)-1] + "x", want: "invalid_client"},
		"wrong secret by Basic":   {body: grant, header: basic(c.Client.ID, "x"), want: "invalid_client"},
		"unknown client":          {body: grant + "&client_id=cli_x&" + secret, want: "invalid_client"},
		"secret of another":       {body: grant + "&client_id=" + h.client(nil).Client.ID + "&" + secret, want: "invalid_client"},
		"Bearer":                  {body: grant + "&" + id + "&" + secret, header: http.Header{"Authorization": {"Bearer x"}}, want: "invalid_client"},
		"assertion":               {body: grant + "&" + id + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=x", want: "invalid_client"},
		"public sends a secret":   {body: "grant_type=refresh_token&refresh_token=x&client_id=" + open.Client.ID + "&" + secret, want: "invalid_client"},
		"public acts for itself":  {body: grant + "&client_id=" + open.Client.ID, want: "invalid_grant"},
		"broken Basic":            {body: grant, header: http.Header{"Authorization": {"Basic !!"}}, want: "invalid_client"},
		"Basic, broken encoding":  {body: grant, header: basic("%zz", c.Secret), want: "invalid_client"},
		"Basic without a client":  {body: grant + "&" + id, header: basic("", c.Secret), want: "invalid_client"},
		"secret in an empty pair": {body: grant + "&" + id + "&client_secret=", want: "invalid_client"},
	} {
		a := h.send("/oauth/token", formKind, x.body, x.header)
		switch {
		case x.want == "" && a.status != http.StatusOK:
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		case x.want != "":
			if a.text("error") != x.want || (a.status == http.StatusUnauthorized) != (x.want == "invalid_client") {
				t.Errorf("%s: %d %s, want %s", name, a.status, a.raw, x.want)
			}
		}
		if strings.Contains(name, "by Basic") && x.want == "invalid_client" && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s: no challenge in %v", name, a.header)
		}
	}
	if wrong, unknown := h.send("/oauth/token", formKind, grant+"&"+id, nil), h.send("/oauth/token", formKind, grant+"&client_id=cli_x", nil); wrong.raw != unknown.raw {
		t.Errorf("a client that is not there is told apart: %s, %s", wrong.raw, unknown.raw)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.Client.ID}, "client_secret": {c.Secret}, "token": {"x"}}
	asJSON, err := json.Marshal(good)
	h.must(err)
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization"} {
		for name, x := range map[string]struct {
			kind, body string
			status     int
		}{
			"JSON":                  {"application/json", string(asJSON), http.StatusUnsupportedMediaType},
			"JSON that says form":   {formKind, string(asJSON), http.StatusUnauthorized},
			"multipart":             {"multipart/form-data; boundary=x", "--x--", http.StatusUnsupportedMediaType},
			"no type":               {"", good.Encode(), http.StatusUnsupportedMediaType},
			"empty":                 {formKind, "", http.StatusUnauthorized},
			"too large":             {formKind, good.Encode() + "&x=" + strings.Repeat("x", 64<<10), http.StatusRequestEntityTooLarge},
			"too many":              {formKind, good.Encode() + strings.Repeat("&x=y", 60), http.StatusBadRequest},
			"broken":                {formKind, good.Encode() + "&x=%zz", http.StatusBadRequest},
			"zero byte":             {formKind, good.Encode() + "&scope=a%00b", http.StatusBadRequest},
			"given twice":           {formKind, good.Encode() + "&grant_type=client_credentials", http.StatusBadRequest},
			"unknown, given twice":  {formKind, good.Encode() + "&x=1&x=1", http.StatusBadRequest},
			"with an unknown field": {formKind + "; charset=utf-8", good.Encode() + "&x=1", http.StatusOK},
		} {
			if a := h.send(path, x.kind, x.body, nil); a.status != x.status {
				t.Errorf("%s, %s: %d %s, want %d", path, name, a.status, a.raw, x.status)
			}
		}
	}
	if a := h.send("/oauth/token?"+good.Encode(), formKind, "x=1", nil); a.status != http.StatusUnauthorized {
		t.Errorf("parameters in the address count: %d %s", a.status, a.raw)
	}
	res, err := http.Get(h.web.URL + "/oauth/token?" + good.Encode())
	h.must(err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET = %d", res.StatusCode)
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, c := range map[string]oauth.MadeClient{"confidential": h.client(nil), "public": h.client(public)} {
		access, refresh := h.tokens(c)
		before := h.epoch()
		if a := h.post("/oauth/revoke", c, "token", access, "token_type_hint", "refresh_token"); a.status != http.StatusOK { // a wrong hint changes nothing
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
		if h.lives(access) || h.epoch() == before {
			t.Errorf("%s: the access token lives, or nobody hears", name)
		}
		next := h.refresh(c, refresh)
		if next.status != http.StatusOK {
			t.Fatalf("%s: the refresh token beside it ended: %s", name, next.raw)
		}
		h.post("/oauth/revoke", c, "token", next.text("refresh_token"))
		if h.lives(next.text("access_token")) {
			t.Errorf("%s: the family of a revoked refresh token lives", name)
		}
		h.refused(h.refresh(c, next.text("refresh_token")), "invalid_grant")
		epoch := h.epoch()
		for _, secret := range []string{"nonsense", access, next.text("refresh_token"), h.code(c), "bla_" + strings.Repeat("A", 50)} {
			if a := h.post("/oauth/revoke", c, "token", secret, "token_type_hint", "nonsense"); a.status != http.StatusOK || a.raw != "" {
				t.Errorf("%s: what is not known: %d %s, want 200 (RFC 7009 2.2)", name, a.status, a.raw)
			}
		}
		if h.epoch() != epoch {
			t.Errorf("%s: a revocation that ended nothing has every process forget", name)
		}
		h.refused(h.post("/oauth/revoke", c), "invalid_request")
	}
	if got := h.audit("oauth:revoke"); len(got) != 4 {
		t.Errorf("audit = %q, want the two that ended something, of each client", got)
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	access, refresh := h.tokens(c)
	got := h.post("/oauth/introspect", c, "token", access)
	for name, want := range map[string]any{
		"active": true, "scope": "environments:read offline_access", "client_id": c.Client.ID, "username": "ada@example.com", "sub": "usr_ada", "iss": h.Issuer,
		"token_type": "Bearer", "iat": float64(h.clock.now().Unix()), "exp": float64(h.clock.now().Unix() + 3600),
	} {
		if got.body[name] != want {
			t.Errorf("%s = %v, want %v", name, got.body[name], want)
		}
	}
	if a := h.post("/oauth/introspect", c, "token", refresh, "token_type_hint", "access_token"); a.body["active"] != true || a.body["token_type"] != nil {
		t.Errorf("refresh token = %s", a.raw)
	}
	self := h.post("/oauth/token", c, "grant_type", "client_credentials").text("access_token")
	if a := h.post("/oauth/introspect", c, "token", self); a.body["sub"] != c.Client.ID || a.body["username"] != nil {
		t.Errorf("a client's own token = %s", a.raw)
	}
	resource := h.client(func(w *oauth.ClientWish) { w.Grants = []blueberry.Grant{blueberry.GrantTokensRead} })
	if a := h.post("/oauth/introspect", resource, "token", access); a.body["active"] != true || a.body["client_id"] != c.Client.ID {
		t.Errorf("a client that was granted api-tokens:read = %s", a.raw)
	}
	somewhere := h.client(func(w *oauth.ClientWish) {
		w.Grants, w.Projects = []blueberry.Grant{blueberry.GrantTokensRead}, []string{"shop"}
	})
	if a := h.post("/oauth/introspect", somewhere, "token", access); a.body["active"] != false {
		t.Errorf("a client that was granted it in a project alone = %s", a.raw)
	}
	views, err := h.Tokens(t.Context(), owner, blueberry.OAuthTokenQuery{UserID: "*", ClientID: c.Client.ID})
	h.must(err)
	for _, v := range views {
		if v.Kind == blueberry.OAuthAccess && v.State != blueberry.OAuthIssued {
			t.Errorf("to be asked about is no use of a token: %+v", v)
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	res, err := http.Get(h.web.URL + "/.well-known/oauth-authorization-server")
	h.must(err)
	defer res.Body.Close()
	var m map[string]any
	h.must(json.NewDecoder(res.Body).Decode(&m))
	if m["issuer"] != h.Issuer || m["token_endpoint"] != h.Issuer+"/oauth/token" || m["authorization_response_iss_parameter_supported"] != true {
		t.Errorf("metadata = %v", m)
	}
	if methods, _ := m["code_challenge_methods_supported"].([]any); len(methods) != 1 || methods[0] != "S256" {
		t.Errorf("challenge methods = %v", methods)
	}
}

// TestNothingLeaks: no secret is in a log, an audit entry, or an error, after everything that can be done wrong with one.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	code := h.code(c)
	access, refresh := h.tokens(c)
	d := h.post("/oauth/device_authorization", c)
	next := h.refresh(c, refresh)
	secrets := []string{c.Secret, code, access, refresh, d.text("device_code"), next.text("access_token"), next.text("refresh_token"), verifier}
	var told strings.Builder
	for _, s := range secrets {
		for _, pairs := range [][]string{
			{"grant_type", s},
			{"grant_type", "client_credentials", "scope", s},
			{"grant_type", "refresh_token", "refresh_token", s, "scope", s},
			{"grant_type", "authorization_code", "code", s, "redirect_uri", s, "code_verifier", s},
			{"grant_type", "client_credentials", "client_id", s},
			{"grant_type", deviceGrant, "device_code", s},
		} {
			a := h.post("/oauth/token", c, pairs...)
			if a.status >= 500 {
				t.Errorf("%s = %d %s", pairs[1], a.status, a.raw)
			}
			if a.status >= 400 {
				told.WriteString(a.raw)
			}
		}
		to, _ := h.visit(h.ask(c, "scope", s))
		told.WriteString(to.String())
	}
	for _, action := range []string{"oauth:token", "oauth:authorize", "oauth:revoke", "oauth:device", "oauth:device-approved", "oauth-clients:write"} {
		told.WriteString(strings.Join(h.audit(action), "\n"))
	}
	told.WriteString(h.logs.String())
	for i, s := range secrets {
		if strings.Contains(told.String(), s) && s != verifier { // the verifier has no form by which it is known; it is spent with its code
			t.Errorf("secret %d is told", i)
		}
	}
}

// TestNonsenseIsNotInTheAudit: who proves nothing, or is a public client that anyone can be, does not fill it. What ends something is in it.
func TestNonsenseIsNotInTheAudit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c, open := h.client(nil), h.client(public)
	entries := func() int {
		n := 0
		for _, action := range []string{"oauth:token", "oauth:revoke", "oauth:introspect", "oauth:device"} {
			n += len(h.audit(action))
		}
		return n
	}
	wrong := oauth.MadeClient{Client: c.Client, Secret: "x"}
	for name, who := range map[string]oauth.MadeClient{"unknown": {Client: blueberry.OAuthClient{ID: "cli_x"}}, "a wrong secret": wrong, "public": open} {
		before := entries()
		for _, path := range []string{"/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization"} {
			h.post(path, who, "token", "x", "scope", "no such thing")
		}
		for _, grant := range []string{"client_credentials", "refresh_token", "authorization_code", deviceGrant} {
			h.post("/oauth/token", who, "grant_type", grant, "refresh_token", "x", "code", "x", "device_code", "x", "code_verifier", verifier, "redirect_uri", page)
		}
		if n := entries() - before; n != 0 {
			t.Errorf("%s: %d entries", name, n)
		}
	}
	before := entries()
	h.refused(h.refresh(c, "x"), "invalid_grant")
	if entries() != before+1 {
		t.Error("a client that proved itself: no entry")
	}
	_, refresh := h.tokens(open)
	h.refresh(open, refresh)
	before = entries()
	h.refused(h.refresh(open, refresh), "invalid_grant")
	if entries() != before+1 {
		t.Error("the replay of a public client's token: no entry")
	}
}
