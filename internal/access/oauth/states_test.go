package oauth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestStates: Issued → Active → Expired or Revoked → Invalid, exactly at their moments by our clock.
func TestStates(t *testing.T) {
	t.Parallel()
	const moment = time.Microsecond // the finest that the record keeps
	for name, x := range map[string]struct {
		use, revoke time.Duration // after the issue; 0 for never
		at          time.Duration
		state       blueberry.OAuthTokenState
		since       time.Duration
		lives       bool
		reason      string
	}{
		"new":                {at: 0, state: blueberry.OAuthIssued, since: 0, lives: true, reason: "nobody used it"},
		"never used, last":   {at: time.Hour - moment, state: blueberry.OAuthIssued, since: 0, lives: true, reason: "3,600 s are not over"},
		"never used, over":   {at: time.Hour, state: blueberry.OAuthExpired, since: time.Hour, reason: "3,600 s are over"},
		"used":               {use: time.Minute, at: time.Minute, state: blueberry.OAuthActive, since: time.Minute, lives: true, reason: "the first use makes it active"},
		"used, last":         {use: time.Minute, at: time.Hour - moment, state: blueberry.OAuthActive, since: time.Minute, lives: true, reason: "use makes no life longer"},
		"used, over":         {use: time.Minute, at: time.Hour, state: blueberry.OAuthExpired, since: time.Hour, reason: "3,600 s are over"},
		"expired, last":      {at: 25*time.Hour - moment, state: blueberry.OAuthExpired, since: time.Hour, reason: "why it ended is told for 24 h"},
		"expired, over":      {at: 25 * time.Hour, state: blueberry.OAuthInvalid, since: 25 * time.Hour, reason: "then it is as if it had never been"},
		"revoked":            {revoke: time.Minute, at: time.Minute, state: blueberry.OAuthRevoked, since: time.Minute, reason: "at once"},
		"used, then revoked": {use: time.Second, revoke: time.Minute, at: time.Hour, state: blueberry.OAuthRevoked, since: time.Minute, reason: "revoked stays revoked"},
		"revoked, last":      {revoke: time.Minute, at: 24*time.Hour + time.Minute - moment, state: blueberry.OAuthRevoked, since: time.Minute, reason: "for 24 h"},
		"revoked, over":      {revoke: time.Minute, at: 24*time.Hour + time.Minute, state: blueberry.OAuthInvalid, since: 24*time.Hour + time.Minute, reason: "24 h after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			c := h.client(nil)
			issued := h.clock.now()
			secret := h.post("/oauth/token", c, "grant_type", "client_credentials").text("access_token")
			to := func(after time.Duration) { h.clock.add(issued.Add(after).Sub(h.clock.now())) }
			if x.use > 0 {
				to(x.use)
				if !h.lives(secret) {
					t.Fatal("cannot be used")
				}
			}
			if x.revoke > 0 {
				to(x.revoke)
				if a := h.post("/oauth/revoke", c, "token", secret); a.status != http.StatusOK || a.raw != "" {
					t.Fatalf("revoke = %d %s", a.status, a.raw)
				}
			}
			to(x.at)
			page, err := h.Tokens(t.Context(), owner, blueberry.OAuthTokenQuery{UserID: "*"})
			h.must(err)
			if len(page) != 1 || page[0].State != x.state || !page[0].Since.Equal(issued.Add(x.since)) {
				t.Errorf("token = %+v, want %s since %s: %s", page, x.state, issued.Add(x.since), x.reason)
			}
			if active := h.post("/oauth/introspect", c, "token", secret).body["active"]; active != x.lives {
				t.Errorf("introspection says active = %v, want %t: %s", active, x.lives, x.reason)
			}
			if h.lives(secret) != x.lives {
				t.Errorf("lives = %t, want %t: %s", !x.lives, x.lives, x.reason)
			}
		})
	}
}

// TestLivesOfTheOthers holds codes to 60 s, and refresh tokens to 30 days from their last rotation, at the moment before and at the moment.
func TestLivesOfTheOthers(t *testing.T) {
	t.Parallel()
	const month, moment = 30 * 24 * time.Hour, time.Microsecond
	h := newHouse(t)
	c := h.client(nil)
	early, late := h.code(c), h.code(c)
	h.clock.add(time.Minute - moment)
	first := h.exchange(c, early)
	if first.status != http.StatusOK {
		t.Errorf("a code at its last moment: %s", first.raw)
	}
	h.clock.add(moment)
	h.refused(h.exchange(c, late), "invalid_grant")

	h.clock.add(month - 2*moment)
	second := h.refresh(c, first.text("refresh_token"))
	if second.status != http.StatusOK {
		t.Errorf("a refresh token at its last moment: %s", second.raw)
	}
	h.clock.add(month - moment)
	third := h.refresh(c, second.text("refresh_token"))
	if third.status != http.StatusOK {
		t.Errorf("each rotation gives 30 days: %s", third.raw)
	}
	h.clock.add(month)
	h.refused(h.refresh(c, third.text("refresh_token")), "invalid_grant")
	h.refused(h.refresh(c, second.text("refresh_token")), "invalid_grant")
}

// TestFarFromTheSystemsTime: the library reads the system's clock in places. Ours decides, however far it is.
func TestFarFromTheSystemsTime(t *testing.T) {
	t.Parallel()
	for _, year := range []int{1999, 2250} {
		h := newHouse(t)
		h.clock.add(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Sub(h.clock.now()))
		c := h.client(nil)
		access, refresh := h.tokens(c)
		next := h.refresh(c, refresh)
		if !h.lives(access) || next.status != http.StatusOK || next.body["expires_in"] != 3600.0 {
			t.Errorf("%d: lives = %t, refresh = %d %s", year, h.lives(access), next.status, next.raw)
		}
	}
}

func TestWhoeverCanDoNothingGetsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	code := h.code(c)
	access, refresh := h.tokens(c)
	d := h.post("/oauth/device_authorization", c)
	h.must(h.DecideDevice(t.Context(), h.person("ada"), d.text("user_code"), true))
	h.dismiss("ada")
	h.refused(h.exchange(c, code), "invalid_grant")
	h.refused(h.refresh(c, refresh), "invalid_grant")
	h.refused(h.poll(c, d.text("device_code")), "invalid_grant")
	if a := h.post("/oauth/introspect", c, "token", access); a.body["active"] != false {
		t.Errorf("introspection = %s", a.raw)
	}
	yes := true
	self := h.post("/oauth/token", c, "grant_type", "client_credentials").text("access_token")
	_, err := h.UpdateClient(t.Context(), owner, c.Client.ID, oauth.ClientChange{Disabled: &yes}, 0)
	h.must(err)
	h.refused(h.post("/oauth/token", c, "grant_type", "client_credentials"), "invalid_client")
	if h.lives(self) {
		t.Error("the token of a disabled client lives")
	}
}
