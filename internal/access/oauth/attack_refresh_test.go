package oauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestRefreshReplayEndsTheFamily(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	access, refresh := h.tokens(c)
	next := h.refresh(c, refresh)
	if next.status != http.StatusOK || next.text("scope") != "environments:read offline_access" {
		t.Fatalf("refresh = %d %s", next.status, next.raw)
	}
	before := h.epoch()
	h.refused(h.refresh(c, refresh), "invalid_grant")
	for name, secret := range map[string]string{"first access token": access, "second access token": next.text("access_token")} {
		if h.lives(secret) {
			t.Errorf("the %s lives after a replay", name)
		}
	}
	h.refused(h.refresh(c, next.text("refresh_token")), "invalid_grant")
	if h.epoch() == before {
		t.Error("no process hears that tokens ended")
	}
	if got := strings.Join(h.audit("oauth:token"), "\n"); !strings.Contains(got, "used a second time, so its family of 3 live tokens was ended") {
		t.Errorf("audit =\n%s", got)
	}
}

// TestRefreshRace: of those who present one refresh token at once, exactly one gets tokens, and the others end what it got.
func TestRefreshRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := houseOn(t, s)
		c := h.client(nil)
		_, refresh := h.tokens(c)
		const many = 8
		answers := make([]answer, many)
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() { answers[i] = h.refresh(c, refresh) })
		}
		wg.Wait()
		var won []answer
		for _, a := range answers {
			switch {
			case a.status == http.StatusOK:
				won = append(won, a)
			case a.text("error") != "invalid_grant":
				t.Errorf("a loser got %d %s", a.status, a.raw)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d of %d got tokens, want 1; logs: %s", len(won), many, h.logs)
		}
		if h.lives(won[0].text("access_token")) {
			t.Error("the family lives although its refresh token was used twice")
		}
		h.refused(h.refresh(c, won[0].text("refresh_token")), "invalid_grant")
	})
}

// TestCodeRace is the same for a code, and for a device code that was approved.
func TestCodeRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := houseOn(t, s)
		c := h.client(nil)
		code := h.code(c)
		device := h.post("/oauth/device_authorization", c, "scope", "environments:read")
		h.must(h.DecideDevice(t.Context(), h.person("ada"), device.text("user_code"), true))
		for name, claim := range map[string]func() answer{
			"code": func() answer { return h.exchange(c, code) },
			"device code": func() answer {
				return h.post("/oauth/token", c, "grant_type", deviceGrant, "device_code", device.text("device_code"))
			},
		} {
			var mu sync.Mutex
			var wg sync.WaitGroup
			got := map[string]int{}
			for range 6 {
				wg.Go(func() {
					a := claim()
					mu.Lock()
					defer mu.Unlock()
					got[fmt.Sprint(a.status, " ", a.text("error"))]++
				})
			}
			wg.Wait()
			if got["200 "] != 1 || got["500 server_error"] != 0 {
				t.Errorf("%s: answers = %v, want one success and no failure; logs: %s", name, got, h.logs)
			}
		}
	})
}

func TestRefreshNarrowsAndNeverGrows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	code := h.code(c, "scope", "environments:read environments:create offline_access")
	first := h.exchange(c, code)
	narrow := h.refresh(c, first.text("refresh_token"), "scope", "environments:read")
	if narrow.text("scope") != "environments:read offline_access" {
		t.Errorf("narrowed scope = %q", narrow.text("scope"))
	}
	wide := h.refresh(c, narrow.text("refresh_token"), "scope", "environments:create environments:read")
	if wide.text("scope") != "environments:read environments:create offline_access" {
		t.Errorf("scope = %q, want what the person allowed: narrowing an access token narrows no refresh token", wide.text("scope"))
	}
	for _, scope := range []string{"environments:delete", "*:*", "environments:read *:*", "nonsense"} {
		h.refused(h.refresh(c, wide.text("refresh_token"), "scope", scope), "invalid_scope")
	}
	last := h.refresh(c, wide.text("refresh_token"))
	if last.status != http.StatusOK {
		t.Errorf("a refusal for scopes used the refresh token up: %s", last.raw)
	}
	less := []blueberry.Grant{blueberry.GrantEnvironmentsRead}
	_, err := h.UpdateClient(t.Context(), owner, c.Client.ID, oauth.ClientChange{Grants: &less}, 0)
	h.must(err)
	h.refused(h.refresh(c, last.text("refresh_token")), "invalid_scope")
}

func TestScopesBeyondTheClient(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	online := h.client(func(w *oauth.ClientWish) {
		w.Flows = []blueberry.OAuthFlow{blueberry.FlowCode, blueberry.FlowClient, blueberry.FlowDevice}
	})
	for _, scope := range []string{"*:*", "users:write", "environments:read users:write", "environments:READ", "environments:*", "openid"} {
		to, _ := h.visit(h.ask(c, "scope", scope))
		if to == nil || to.Query().Get("error") != "invalid_scope" {
			t.Errorf("%s: sent to %v", scope, to)
		}
		h.refused(h.post("/oauth/token", c, "grant_type", "client_credentials", "scope", scope), "invalid_scope")
		h.refused(h.post("/oauth/device_authorization", c, "scope", scope), "invalid_scope")
	}
	if to, _ := h.visit(h.ask(online)); to == nil || to.Query().Get("error") != "invalid_scope" {
		t.Errorf("a client without refresh asks for offline_access: sent to %v", to)
	}
	if a := h.exchange(c, h.code(c, "scope", "environments:read")); a.status != http.StatusOK || a.text("refresh_token") != "" {
		t.Errorf("without offline_access: %d %s, want no refresh token", a.status, a.raw)
	}
}

// TestClientConfusion: what was issued to one client is of no use to another.
func TestClientConfusion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b, open := h.client(nil), h.client(nil), h.client(public)
	access, refresh := h.tokens(a)
	device := h.post("/oauth/device_authorization", a).text("device_code")
	for name, thief := range map[string]oauth.MadeClient{"confidential": b, "public": open} {
		h.refused(h.refresh(thief, refresh), "invalid_grant")
		h.refused(h.post("/oauth/revoke", thief, "token", refresh), "invalid_grant")
		h.refused(h.post("/oauth/revoke", thief, "token", access, "token_type_hint", "access_token"), "invalid_grant")
		h.refused(h.post("/oauth/token", thief, "grant_type", deviceGrant, "device_code", device), "invalid_grant")
		if !h.lives(access) {
			t.Errorf("%s client ended the token of another", name)
		}
	}
	if got := h.post("/oauth/introspect", b, "token", access); got.status != http.StatusOK || strings.TrimSpace(got.raw) != `{"active":false}` {
		t.Errorf("introspection by another client = %s", got.raw)
	}
	h.refused(h.post("/oauth/introspect", open, "token", access), "invalid_client")
	if h.refresh(a, refresh).status != http.StatusOK {
		t.Error("the thief's tries ended the refresh token")
	}
}

func TestFlowsThatAClientDoesNotHave(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	only := func(flow blueberry.OAuthFlow, uris ...string) oauth.MadeClient {
		return h.client(func(w *oauth.ClientWish) { w.Flows, w.RedirectURIs = []blueberry.OAuthFlow{flow}, uris })
	}
	self, code := only(blueberry.FlowClient), only(blueberry.FlowCode, page)
	h.refused(h.post("/oauth/token", code, "grant_type", "client_credentials"), "unauthorized_client")
	h.refused(h.post("/oauth/token", self, "grant_type", "authorization_code", "code", "x"), "unauthorized_client")
	h.refused(h.refresh(self, "x"), "unauthorized_client")
	h.refused(h.post("/oauth/device_authorization", self), "unauthorized_client")
	h.refused(h.post("/oauth/token", self, "grant_type", deviceGrant, "device_code", "x"), "unauthorized_client")
	h.refused(h.post("/oauth/token", self, "grant_type", "password", "username", "ada", "password", "x"), "unsupported_grant_type")
	h.refused(h.post("/oauth/token", self, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), "unsupported_grant_type")
	h.refused(h.post("/oauth/token", self), "invalid_request")
}
