package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// User codes: 8 letters of 20, without vowels so that none is a word, in two groups (RFC 8628 6.1). That is 34 bits for 10 minutes and a few tries.
const (
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// maxAgent bounds what is kept of a program's own name.
const maxAgent = 200

// startDevice begins a device authorization (RFC 8628 3.1).
func (s *Server) startDevice(ctx context.Context, r *http.Request, f form) (any, error) {
	p, refused := readProof(r, f)
	if refused != nil {
		return nil, refused
	}
	secret, hash := access.NewSecret(DevicePrefix)
	code := newUserCode()
	now := s.now()
	var c blueberry.OAuthClient
	err := s.Record.Update(ctx, func(tx Tx) (err error) {
		c = blueberry.OAuthClient{}
		if c, err = authenticate(ctx, tx, p); err != nil {
			return err
		}
		if !slices.Contains(c.Flows, blueberry.FlowDevice) {
			return refuse(unauthorizedClient, "the client has no device flow")
		}
		scopes, refused := askedScopes(c, f.get("scope"))
		if refused != nil {
			return refused
		}
		call := blueberry.CallOf(ctx)
		d := blueberry.DeviceAuthorization{
			ID: blueberry.NewID(blueberry.GrantingID, now), DeviceHash: hash, UserCodeHash: userCodeHash(code), ClientID: c.ID, Scopes: scopes,
			Address: call.Address, UserAgent: shortened(call.UserAgent), Status: blueberry.DevicePending,
			CreatedAt: now, ExpiresAt: now.Add(blueberry.DeviceCodeLife), Interval: blueberry.DeviceInterval,
		}
		if err := tx.InsertDevice(ctx, d); err != nil {
			return fmt.Errorf("keep device authorization: %w", err) // a user code that is taken is one in 25 thousand million
		}
		return nil // it gives nothing yet: the audit has the person's decision
	})
	if err != nil {
		return nil, s.denied(ctx, c, blueberry.Actor{}, actionDevice, err)
	}
	page := s.Issuer + DevicePath
	return map[string]any{
		"device_code": secret, "user_code": code, "verification_uri": page, "verification_uri_complete": page + "?" + url.Values{"user_code": {code}}.Encode(),
		"expires_in": int(blueberry.DeviceCodeLife.Seconds()), "interval": int(blueberry.DeviceInterval.Seconds()),
	}, nil
}

// newUserCode makes a code such as "WDJB-MJHT".
func newUserCode() string {
	var b strings.Builder
	for b.Len() < userCodeLength+1 {
		if b.Len() == userCodeLength/2 {
			b.WriteByte('-')
		}
		var random [1]byte
		_, _ = rand.Read(random[:])                                // it never fails: crypto/rand ends the process instead
		if n := int(random[0]); n < 256-256%len(userCodeLetters) { // so that each letter is as likely
			b.WriteByte(userCodeLetters[n%len(userCodeLetters)])
		}
	}
	return b.String()
}

// normalUserCode gives what a person typed in the form that is compared; empty for what can be no code.
func normalUserCode(typed string) string {
	if len(typed) > 4*userCodeLength {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '.' || r == '_' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
	if len(code) != userCodeLength || strings.Trim(code, userCodeLetters) != "" {
		return ""
	}
	return code
}

// userCodeHash is what the record keeps. It hides the code from whoever reads the record in passing, no more: the code is short, and lives for 10 minutes.
func userCodeHash(code string) []byte {
	h := sha256.Sum256([]byte(strings.ReplaceAll(code, "-", "")))
	return h[:]
}

func shortened(text string) string {
	if len(text) > maxAgent {
		text = text[:maxAgent]
	}
	return strings.ToValidUTF8(text, "?")
}
