package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func (h *house) poll(c oauth.MadeClient, device string) answer {
	h.t.Helper()
	return h.post("/oauth/token", c, "grant_type", deviceGrant, "device_code", device)
}

func TestDevicePolls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(public)
	d := h.post("/oauth/device_authorization", c, "scope", "environments:read")
	if d.body["interval"] != 5.0 || d.body["expires_in"] != 600.0 || d.text("verification_uri") != h.Issuer+"/oauth/device" {
		t.Errorf("answer = %s", d.raw)
	}
	device := d.text("device_code")
	h.refused(h.poll(c, device), "authorization_pending")
	h.clock.add(5*time.Second - time.Microsecond)
	h.refused(h.poll(c, device), "slow_down") // the interval is 10 s from here
	h.clock.add(9 * time.Second)
	h.refused(h.poll(c, device), "slow_down") // and 15 s
	h.clock.add(15 * time.Second)
	h.refused(h.poll(c, device), "authorization_pending")
	h.must(h.DecideDevice(t.Context(), h.person("ada"), d.text("user_code"), true))
	h.clock.add(15 * time.Second)
	got := h.poll(c, device)
	if got.status != http.StatusOK || got.text("scope") != "environments:read" || got.text("refresh_token") != "" || got.body["expires_in"] != 3600.0 {
		t.Fatalf("answer = %d %s", got.status, got.raw)
	}
	if !h.lives(got.text("access_token")) {
		t.Error("the token does not live")
	}
	h.clock.add(15 * time.Second)
	h.refused(h.poll(c, device), "invalid_grant")
	if h.lives(got.text("access_token")) {
		t.Error("the tokens of a device code that was used twice live")
	}
}

// TestDeviceWithoutConsent: a program that was let in and comes late for its tokens gets none once the person took it back.
func TestDeviceWithoutConsent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(public)
	d, other := h.post("/oauth/device_authorization", c), h.post("/oauth/device_authorization", c)
	h.must(h.DecideDevice(t.Context(), h.person("ada"), d.text("user_code"), true))
	h.must(h.DecideDevice(t.Context(), h.person("bob"), other.text("user_code"), true))
	h.must(h.RevokeConsent(t.Context(), h.person("ada"), c.Client.ID))
	h.refused(h.poll(c, d.text("device_code")), "access_denied")
	if a := h.poll(c, other.text("device_code")); a.status != http.StatusOK {
		t.Errorf("bob took nothing back: %s", a.raw)
	}
}

func TestDeviceEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	denied, late, just := h.post("/oauth/device_authorization", c), h.post("/oauth/device_authorization", c), h.post("/oauth/device_authorization", c)
	ctx := t.Context()
	h.must(h.DecideDevice(ctx, h.person("ada"), denied.text("user_code"), false))
	h.refused(h.poll(c, denied.text("device_code")), "access_denied")
	if err := h.DecideDevice(ctx, h.person("bob"), denied.text("user_code"), true); !isKind(err, blueberry.NotFound) {
		t.Errorf("a decision was turned around: %v", err)
	}
	h.clock.add(10*time.Minute - time.Microsecond)
	h.must(h.DecideDevice(ctx, h.person("ada"), just.text("user_code"), true))
	if a := h.poll(c, just.text("device_code")); a.status != http.StatusOK {
		t.Errorf("at the last moment: %d %s", a.status, a.raw)
	}
	h.clock.add(time.Microsecond)
	h.refused(h.poll(c, late.text("device_code")), "expired_token")
	if err := h.DecideDevice(ctx, h.person("ada"), late.text("user_code"), true); !isKind(err, blueberry.NotFound) {
		t.Errorf("an expired code was decided: %v", err)
	}
	if got := strings.Join(h.audit("oauth:device-approved"), "\n"); !strings.Contains(got, "denied: the person said no to client") ||
		!strings.Contains(got, "succeeded: client "+c.Client.ID) {
		t.Errorf("audit =\n%s", got)
	}
}

// TestUserCodeGuessing: five wrong codes make a person wait, longer each time. A code of their own between does not help, nor does another account at the
// same place for long.
func TestUserCodeGuessing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(public)
	ctx := blueberry.WithCall(t.Context(), &blueberry.Call{Caller: blueberry.Caller{Address: "2001:db8:1:2:3::4"}})
	ada := h.person("ada")
	guess := func(actor blueberry.Actor, code string) time.Duration {
		t.Helper()
		_, err := h.DeviceOf(ctx, actor, code)
		var e *blueberry.Error
		if !errors.As(err, &e) {
			t.Fatalf("error = %v", err)
		}
		return e.RetryAfter
	}
	own := h.post("/oauth/device_authorization", c).text("user_code")
	for i := range 5 {
		if wait := guess(ada, "BCDF-GHJ"+string("BCDFG"[i])); wait != 0 {
			t.Fatalf("guess %d has to wait for %s", i+1, wait)
		}
		if _, err := h.DeviceOf(ctx, ada, own); i < 4 && err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.DeviceOf(ctx, ada, own); !isKind(err, blueberry.TooMany) {
		t.Fatalf("error = %v, want that ada has to wait", err)
	}
	if err := h.DecideDevice(ctx, ada, own, true); !isKind(err, blueberry.TooMany) {
		t.Fatalf("error = %v, want that deciding waits too", err)
	}
	if _, err := h.DeviceOf(ctx, h.person("bob"), own); err != nil {
		t.Errorf("ada's guesses lock bob out: %v", err)
	}
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		if wait := guess(ada, "BCDF-GHJK"); wait != want {
			t.Fatalf("wait = %s, want %s", wait, want)
		}
		h.clock.add(want)
		if wait := guess(ada, "BCDF-GHJK"); wait != 0 {
			t.Fatalf("still has to wait for %s", wait)
		}
	}
	for i := range 30 { // many accounts at one place
		actor := ada
		actor.UserID = fmt.Sprintf("usr_%d", i)
		actor.ID = actor.UserID
		if guess(actor, "BCDF-GHJK") > 0 {
			return
		}
	}
	t.Error("many accounts at one address guess on")
}

func TestUserCodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(public)
	seen := map[string]bool{}
	for range 50 {
		code := h.post("/oauth/device_authorization", c).text("user_code")
		if len(code) != 9 || code[4] != '-' || strings.Trim(strings.Replace(code, "-", "", 1), "BCDFGHJKLMNPQRSTVWXZ") != "" || seen[code] {
			t.Fatalf("user code = %q", code)
		}
		seen[code] = true
	}
	for _, typed := range []string{"", "-", "BCDFGHJ", "BCDFGHJKL", "AEIO-UAEI", strings.Repeat("-", 100) + "BCDFGHJK", "BCDF GHJK\x00", "ＢＣＤＦ-GHJK"} {
		if _, err := h.DeviceOf(context.WithoutCancel(t.Context()), blueberry.Actor{Kind: blueberry.ActorUser, UserID: "usr_" + typed}, typed); !isKind(err, blueberry.NotFound) {
			t.Errorf("%q: error = %v, want not found", typed, err)
		}
	}
}
