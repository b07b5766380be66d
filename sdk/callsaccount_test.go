package sdk_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// TestWhatSignsInIsNotRepeated: the server does not remember such a call, so a second one could use up a link or an attempt.
func TestWhatSignsInIsNotRepeated(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			t.Errorf("%s has the key %s", r.URL.Path, key)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer srv.Close()
	c := &sdk.Client{BaseURL: srv.URL, HTTPClient: srv.Client(), Waits: []time.Duration{time.Millisecond}}
	second := func(_ any, err error) error { return err }
	ctx := t.Context()
	for name, err := range map[string]error{
		"password":   second(c.SignInByPassword(ctx, sdk.PasswordSignInRequest{})),
		"invitation": second(c.AcceptInvitation(ctx, sdk.AcceptInvitationRequest{})),
		"reset":      second(c.CompleteReset(ctx, sdk.CompleteResetRequest{})),
		"change":     c.ChangePassword(ctx, sdk.ChangePasswordRequest{}),
	} {
		var p *sdk.Problem
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := calls.Load(); n != 4 {
		t.Errorf("4 calls were sent %d times", n)
	}
}
