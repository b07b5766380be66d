package oauth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
)

func TestRegistryTellsEveryFault(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.CreateClient(t.Context(), owner, oauth.ClientWish{
		Public: true, Flows: []blueberry.OAuthFlow{blueberry.FlowClient, blueberry.FlowRefresh, "implicit"},
		RedirectURIs: []string{page}, Grants: []blueberry.Grant{"environments:fly"}, Projects: []string{"Shop", "shop", "shop"},
	})
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid {
		t.Fatalf("error = %v", err)
	}
	got := map[string]bool{}
	for _, f := range e.Fields {
		got[f.Field+" "+f.Code] = true
	}
	want := map[string]bool{
		"name required": true, "flows[2] enum": true, "flows public": true, "flows refresh": true, "redirect_uris unused": true, "grants[0] unknown": true,
		"projects[0] pattern": true, "projects[2] duplicate": true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
	}
}

func TestRedirectURIsThatCanBeRegistered(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for uri, want := range map[string]string{
		"https://app.example.com/cb":                 "",
		"https://app.example.com:8443/cb?a=b":        "",
		"http://127.0.0.1/cb":                        "",
		"http://127.0.0.1:8080/cb":                   "",
		"http://[::1]/cb":                            "",
		"http://localhost:3000/cb":                   "",
		"com.example.app:/cb":                        "",
		"com.example.app://cb":                       "",
		"":                                           "required",
		"/cb":                                        "scheme",
		"app.example.com/cb":                         "scheme",
		"//app.example.com/cb":                       "scheme",
		"http://app.example.com/cb":                  "scheme",
		"http://127.0.0.1.example.com/cb":            "scheme",
		"http://localhost.example.com/cb":            "scheme",
		"http://127.0.0.2/cb":                        "scheme",
		"HTTPS://app.example.com/cb":                 "scheme",
		"javascript:alert(1)":                        "scheme",
		"data:text/html,x":                           "scheme",
		"vbscript:x":                                 "scheme",
		"file:///etc/passwd":                         "scheme",
		"myapp:/cb":                                  "scheme",
		"com.example.app:cb":                         "path",
		"https:///cb":                                "host",
		"https://*.example.com/cb":                   "wildcard",
		"https://app.example.com/*":                  "wildcard",
		"https://app.example.com/cb#x":               "fragment",
		"https://app.example.com/cb#":                "fragment",
		"https://user@app.example.com/cb":            "userinfo",
		"https://app.example.com/a/../cb":            "path",
		"https://app.example.com/%2e%2e/cb":          "path",
		"https://app.example.com/cb?code=1":          "query",
		"https://app.example.com/cb?iss=x":           "query",
		"https://app.example.com/c b":                "url",
		"https://app.example.com\\@evil.com":         "url",
		"https://app.exämple.com/cb":                 "url",
		"https://app.example.com/cb\n":               "url",
		"https://a.com/" + strings.Repeat("a", 2000): "too_long",
	} {
		_, err := h.CreateClient(t.Context(), owner, oauth.ClientWish{
			Name: "x", Flows: []blueberry.OAuthFlow{blueberry.FlowCode}, RedirectURIs: []string{uri}, Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead},
		})
		var e *blueberry.Error
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", uri, err)
		case want != "" && (!errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Code != want || e.Fields[0].Field != "redirect_uris[0]"):
			t.Errorf("%q: error = %v, want %s", uri, err, want)
		}
	}
}

// TestNobodyGivesWhatTheyDoNotHold: a client is no way to more than its maker has.
func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	maker := blueberry.Actor{
		Kind: blueberry.ActorUser, ID: "usr_m", UserID: "usr_m", Name: "m@example.com",
		Grants:   []blueberry.Grant{blueberry.GrantClientsWrite, blueberry.GrantClientsRead, blueberry.GrantBlueprintsRead},
		Projects: map[string][]blueberry.Grant{"shop": {blueberry.GrantEnvironmentsRead}},
	}
	wish := func(projects []string, grants ...blueberry.Grant) oauth.ClientWish {
		return oauth.ClientWish{Name: "x", Flows: []blueberry.OAuthFlow{blueberry.FlowClient}, Grants: grants, Projects: projects}
	}
	for name, x := range map[string]struct {
		wish oauth.ClientWish
		want blueberry.Kind
	}{
		"what they hold in a project": {wish: wish([]string{"shop"}, blueberry.GrantEnvironmentsRead, blueberry.GrantBlueprintsRead)},
		"what they hold everywhere":   {wish: wish(nil, blueberry.GrantBlueprintsRead)},
		"a project's everywhere":      {wish: wish(nil, blueberry.GrantEnvironmentsRead), want: blueberry.Forbidden},
		"more in the project":         {wish: wish([]string{"shop"}, blueberry.GrantEnvironmentsDelete), want: blueberry.Forbidden},
		"everything":                  {wish: wish(nil, blueberry.GrantAll), want: blueberry.Forbidden},
		"everything in the project":   {wish: wish([]string{"shop"}, blueberry.GrantAll), want: blueberry.Forbidden},
		"another project":             {wish: wish([]string{"bank"}, blueberry.GrantEnvironmentsRead), want: blueberry.Forbidden},
	} {
		_, err := h.CreateClient(t.Context(), maker, x.wish)
		if x.want == "" && err != nil || x.want != "" && !isKind(err, x.want) {
			t.Errorf("%s: error = %v, want %q", name, err, x.want)
		}
	}
	strong := h.client(func(w *oauth.ClientWish) { w.Grants = []blueberry.Grant{blueberry.GrantAll} })
	if _, err := h.RotateClientSecret(t.Context(), maker, strong.Client.ID); !isKind(err, blueberry.Forbidden) {
		t.Errorf("the secret of a stronger client was taken: %v", err)
	}
	uris := []string{"https://evil.example.com/cb"}
	if _, err := h.UpdateClient(t.Context(), maker, strong.Client.ID, oauth.ClientChange{RedirectURIs: &uris}, 0); !isKind(err, blueberry.Forbidden) {
		t.Errorf("the answers of a stronger client were led elsewhere: %v", err)
	}
	emergency, program := owner, owner
	emergency.Emergency = "emg_1"
	program.Kind, program.ID = blueberry.ActorClient, strong.Client.ID
	for name, lent := range map[string]blueberry.Actor{"in an emergency": emergency, "by OAuth": program} {
		if _, err := h.CreateClient(t.Context(), lent, wish(nil, blueberry.GrantBlueprintsRead)); !isKind(err, blueberry.Forbidden) {
			t.Errorf("%s a client was made, which stays: %v", name, err)
		}
		if _, err := h.RotateClientSecret(t.Context(), lent, strong.Client.ID); !isKind(err, blueberry.Forbidden) {
			t.Errorf("%s a secret was made, which stays: %v", name, err)
		}
	}
	ada := h.person("ada")
	for name, err := range map[string]error{
		"create": second(h.CreateClient(t.Context(), ada, wish([]string{"shop"}, blueberry.GrantEnvironmentsRead))),
		"list":   second(h.Clients(t.Context(), ada, "", 0)),
		"read":   second(h.Client(t.Context(), ada, strong.Client.ID)),
		"change": second(h.UpdateClient(t.Context(), ada, strong.Client.ID, oauth.ClientChange{}, 0)),
		"rotate": second(h.RotateClientSecret(t.Context(), ada, strong.Client.ID)),
		"delete": h.DeleteClient(t.Context(), ada, strong.Client.ID, 0),
	} {
		var e *blueberry.Error
		if !errors.As(err, &e) || e.Kind != blueberry.Forbidden || !strings.HasPrefix(string(e.Denied), "oauth-clients:") {
			t.Errorf("%s: error = %v, want forbidden with the grant", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestClientLife(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	if !strings.HasPrefix(c.Secret, "blk_") || c.Client.Version != 1 {
		t.Fatalf("made = version %d", c.Client.Version)
	}
	rotated, err := h.RotateClientSecret(t.Context(), owner, c.Client.ID)
	h.must(err)
	h.refused(h.post("/oauth/token", c, "grant_type", "client_credentials"), "invalid_client")
	if a := h.post("/oauth/token", rotated, "grant_type", "client_credentials"); a.status != http.StatusOK {
		t.Errorf("the new secret: %d %s", a.status, a.raw)
	}
	name := "Shop CD"
	if _, err := h.UpdateClient(t.Context(), owner, c.Client.ID, oauth.ClientChange{Name: &name}, 1); !isKind(err, blueberry.PreconditionFailed) {
		t.Errorf("a change of an old version: %v", err)
	}
	before := h.epoch()
	changed, err := h.UpdateClient(t.Context(), owner, c.Client.ID, oauth.ClientChange{Name: &name}, rotated.Client.Version)
	h.must(err)
	read, err := h.Client(t.Context(), owner, c.Client.ID)
	h.must(err)
	if changed.Name != name || changed.Version != read.Version || read.LastUsedAt.IsZero() || h.epoch() == before {
		t.Errorf("changed = %+v, read = %+v", changed, read)
	}
	access, _ := h.tokens(rotated)
	h.must(h.DeleteClient(t.Context(), owner, c.Client.ID, changed.Version))
	if h.lives(access) {
		t.Error("the token of a client that is gone lives")
	}
	if _, err := h.RotateClientSecret(t.Context(), owner, h.client(public).Client.ID); !isKind(err, blueberry.Conflict) {
		t.Errorf("a public client got a secret: %v", err)
	}
	if got := h.audit("oauth-clients:write"); len(got) != 5 {
		t.Errorf("audit = %q", got)
	}
	h.must(h.store.View(t.Context(), func(tx *store.Tx) error {
		entries, err := tx.Audit(t.Context(), blueberry.AuditQuery{Action: "oauth-clients:write", Limit: 50})
		for _, e := range entries {
			if strings.Contains(string(e.Before)+string(e.After), "secret") {
				t.Errorf("an entry tells of secrets: %s %s", e.Before, e.After)
			}
		}
		return err
	}))
}

func TestCLIIsThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.must(h.EnsureCLI(t.Context()))
	h.must(h.EnsureCLI(t.Context()))
	if got := h.audit("oauth-clients:write"); len(got) != 1 {
		t.Errorf("audit = %q, want one entry: the second start changes nothing", got)
	}
	yes, name := true, "x"
	if _, err := h.UpdateClient(t.Context(), owner, blueberry.CLIClientID, oauth.ClientChange{Name: &name}, 0); !isKind(err, blueberry.Conflict) {
		t.Errorf("the CLI was renamed: %v", err)
	}
	if err := h.DeleteClient(t.Context(), owner, blueberry.CLIClientID, 0); !isKind(err, blueberry.Conflict) {
		t.Errorf("the CLI was removed: %v", err)
	}
	_, err := h.UpdateClient(t.Context(), owner, blueberry.CLIClientID, oauth.ClientChange{Disabled: &yes}, 0)
	h.must(err)
	h.must(h.EnsureCLI(t.Context()))
	if c, err := h.Client(t.Context(), owner, blueberry.CLIClientID); err != nil || !c.Disabled {
		t.Errorf("a start switched the CLI on again: %+v, %v", c, err)
	}
}

func TestConsents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.person("ada"), h.person("bob")
	c, open := h.client(nil), h.client(public)
	access, refresh := h.tokens(c)
	h.tokens(open)
	for name, x := range map[string]struct {
		actor  blueberry.Actor
		client string
		scopes []string
		want   bool
	}{
		"the same":         {ada, c.Client.ID, []string{"environments:read", "offline_access"}, true},
		"less":             {ada, c.Client.ID, []string{"environments:read"}, true},
		"more":             {ada, c.Client.ID, []string{"environments:read", "environments:create"}, false},
		"someone else":     {bob, c.Client.ID, []string{"environments:read"}, false},
		"a public client":  {ada, open.Client.ID, []string{"environments:read"}, false},
		"no such client":   {ada, "cli_x", nil, false},
		"nobody signed in": {blueberry.Actor{}, c.Client.ID, nil, false},
	} {
		if got := h.Consented(t.Context(), x.actor, x.client, x.scopes); got != x.want {
			t.Errorf("%s: consented = %t", name, got)
		}
	}
	given, err := h.Consents(t.Context(), ada)
	h.must(err)
	if len(given) != 2 || len(given[0].Scopes) != 2 {
		t.Errorf("consents = %+v", given)
	}
	if err := h.RevokeConsent(t.Context(), bob, c.Client.ID); !isKind(err, blueberry.NotFound) {
		t.Errorf("bob took back what he never gave: %v", err)
	}
	before := h.epoch()
	h.must(h.RevokeConsent(t.Context(), ada, c.Client.ID))
	if h.lives(access) || h.epoch() == before {
		t.Error("the token of a consent that was taken back lives, or nobody hears")
	}
	h.refused(h.refresh(c, refresh), "invalid_grant")
	if given, err = h.Consents(t.Context(), ada); err != nil || len(given) != 1 || given[0].Client.ID != open.Client.ID {
		t.Errorf("consents = %+v, %v", given, err)
	}
}

func TestTokenViews(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.person("ada"), h.person("bob")
	c := h.client(nil)
	access, refresh := h.tokens(c)
	h.post("/oauth/token", c, "grant_type", "client_credentials")
	count := func(actor blueberry.Actor, q blueberry.OAuthTokenQuery) int {
		t.Helper()
		page, err := h.Tokens(t.Context(), actor, q)
		h.must(err)
		return len(page)
	}
	if n := count(ada, blueberry.OAuthTokenQuery{}); n != 3 {
		t.Errorf("ada sees %d tokens, want her code, access and refresh token", n)
	}
	if n := count(bob, blueberry.OAuthTokenQuery{}); n != 0 {
		t.Errorf("bob sees %d tokens", n)
	}
	if n := count(owner, blueberry.OAuthTokenQuery{UserID: "*"}); n != 4 {
		t.Errorf("the owner sees %d tokens", n)
	}
	if _, err := h.Tokens(t.Context(), bob, blueberry.OAuthTokenQuery{UserID: "usr_ada"}); !isKind(err, blueberry.Forbidden) {
		t.Errorf("bob asks for ada's: %v", err)
	}
	if _, err := h.Tokens(t.Context(), blueberry.Actor{Kind: blueberry.ActorClient, Name: "x"}, blueberry.OAuthTokenQuery{}); !isKind(err, blueberry.Forbidden) {
		t.Errorf("a client asks for all: %v", err)
	}
	program := ada
	program.Kind, program.ID = blueberry.ActorClient, c.Client.ID
	if _, err := h.Tokens(t.Context(), program, blueberry.OAuthTokenQuery{}); !isKind(err, blueberry.Forbidden) {
		t.Errorf("a program that acts for ada asks for her tokens: %v", err)
	}
	if _, err := h.Consents(t.Context(), program); !isKind(err, blueberry.Forbidden) {
		t.Errorf("a program that acts for ada asks for her consents: %v", err)
	}
	if err := h.RevokeConsent(t.Context(), program, c.Client.ID); !isKind(err, blueberry.Forbidden) {
		t.Errorf("a program that acts for ada takes back her consents: %v", err)
	}
	program.ID, program.Person = blueberry.CLIClientID, true
	if n := count(program, blueberry.OAuthTokenQuery{}); n != 3 {
		t.Errorf("ada sees %d tokens by the CLI", n)
	}
	mine, err := h.Tokens(t.Context(), ada, blueberry.OAuthTokenQuery{})
	h.must(err)
	id := map[blueberry.OAuthTokenKind]string{}
	for _, v := range mine {
		id[v.Kind] = v.ID
	}
	for _, not := range []string{id[blueberry.OAuthAccess], "tok_x", "", id[blueberry.OAuthAccess] + "0", blueberry.NewID(blueberry.TokenID, h.clock.now())} {
		if err := h.RevokeToken(t.Context(), bob, not); !isKind(err, blueberry.NotFound) {
			t.Errorf("bob ends %q: %v", not, err)
		}
	}
	h.must(h.RevokeToken(t.Context(), ada, id[blueberry.OAuthAccess]))
	if h.lives(access) {
		t.Error("the access token lives")
	}
	next := h.refresh(c, refresh)
	if next.status != http.StatusOK {
		t.Fatalf("the end of an access token ended its family: %s", next.raw)
	}
	h.must(h.RevokeToken(t.Context(), owner, id[blueberry.OAuthRefresh]))
	if h.lives(next.text("access_token")) {
		t.Error("the family of a revoked refresh token lives")
	}
	reader := blueberry.Actor{Name: "r", Grants: []blueberry.Grant{blueberry.GrantTokensRead}}
	if err := h.RevokeToken(t.Context(), reader, id[blueberry.OAuthAccess]); !isKind(err, blueberry.Forbidden) {
		t.Errorf("who may only read ends one: %v", err)
	}
}

func TestScopeTexts(t *testing.T) {
	t.Parallel()
	for _, s := range oauth.ScopeTexts(oauth.Scopes()) {
		if s.Text == "" || strings.ContainsAny(s.Text, ":*_") || strings.HasPrefix(s.Text, " ") {
			t.Errorf("%s reads %q", s.Scope, s.Text)
		}
	}
	if got := oauth.GrantsOf([]string{"environments:read", oauth.OfflineAccess}); !slices.Equal(got, []blueberry.Grant{blueberry.GrantEnvironmentsRead}) {
		t.Errorf("grants = %v", got)
	}
}
