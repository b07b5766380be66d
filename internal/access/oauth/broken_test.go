package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// brokenRecord is the real record with a disk that has no room for tokens of a kind.
type brokenRecord struct {
	oauth.Record
	kind blueberry.OAuthTokenKind
}

func (r brokenRecord) Update(ctx context.Context, f func(oauth.Tx) error) error {
	return r.Record.Update(ctx, func(tx oauth.Tx) error { return f(brokenTx{Tx: tx, kind: r.kind}) })
}

type brokenTx struct {
	oauth.Tx
	kind blueberry.OAuthTokenKind
}

var errDisk = errors.New("the disk is full")

func (t brokenTx) InsertOAuthToken(ctx context.Context, k blueberry.OAuthToken) error {
	if k.Kind == t.kind {
		return errDisk
	}
	return t.Tx.InsertOAuthToken(ctx, k)
}

func (t brokenTx) RevokeFamily(context.Context, string, time.Time) (int, error) { return 0, errDisk }

// TestReplayWhileTheRecordIsBroken: the library would tell a replay as refused although its family lives on.
func TestReplayWhileTheRecordIsBroken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	code := h.code(c)
	access := h.exchange(c, code).text("access_token")
	whole := h.Record
	h.Record = brokenRecord{Record: whole}
	if a := h.exchange(c, code); a.status != http.StatusInternalServerError {
		t.Errorf("a replay that ended nothing: %d %s, want server_error", a.status, a.raw)
	}
	h.Record = whole
	h.refused(h.exchange(c, code), "invalid_grant")
	if h.lives(access) {
		t.Error("the family lives")
	}
}

// TestBrokenRecord: a request that the record fails changes nothing, tells nothing, and works when it is sent again.
func TestBrokenRecord(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	code := h.code(c)
	_, refresh := h.tokens(c)
	device := h.post("/oauth/device_authorization", c)
	h.must(h.DecideDevice(t.Context(), h.person("ada"), device.text("user_code"), true))
	whole := h.Record
	tries := map[string]func() answer{
		"code":    func() answer { return h.exchange(c, code) },
		"refresh": func() answer { return h.refresh(c, refresh) },
		"device":  func() answer { return h.poll(c, device.text("device_code")) },
		"itself":  func() answer { return h.post("/oauth/token", c, "grant_type", "client_credentials") },
	}
	for _, kind := range []blueberry.OAuthTokenKind{blueberry.OAuthAccess, blueberry.OAuthRefresh} {
		h.Record = brokenRecord{Record: whole, kind: kind}
		for name, try := range tries {
			if kind == blueberry.OAuthRefresh && (name == "itself" || name == "device") { // they get none
				continue
			}
			if a := try(); a.status != http.StatusInternalServerError || a.text("error") != "server_error" || strings.Contains(a.raw, "disk") {
				t.Errorf("%s, no room for %s tokens: %d %s", name, kind, a.status, a.raw)
			}
		}
	}
	if !strings.Contains(h.logs.String(), "the disk is full") {
		t.Errorf("logs = %q, want the reason", h.logs)
	}
	h.Record = whole
	for name, try := range tries {
		if a := try(); a.status != http.StatusOK {
			t.Errorf("%s, sent again: %d %s", name, a.status, a.raw)
		}
	}
}
