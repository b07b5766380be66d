package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ProviderStart says what comes of a sign-in at a provider.
type ProviderStart struct {
	ReturnTo string           // local path to go on at; empty for "/"
	Link     *blueberry.Actor // who is signed in and wants the account there linked to their own; nil for a sign-in
	Invite   string           // secret of the invitation that is accepted so; empty for none
}

// providerState lies sealed in a cookie while a person is at the provider.
type providerState struct {
	ProviderID  string `json:"provider_id"`
	State       string `json:"state"`
	Nonce       string `json:"nonce"`
	Verifier    string `json:"verifier"`
	ReturnTo    string `json:"return_to"`
	LinkUser    string `json:"link_user,omitempty"`
	LinkSession string `json:"link_session,omitempty"`
	Invite      []byte `json:"invite,omitempty"` // hash of the link
}

// clientSecretBound binds the client secret of a provider to its row.
func clientSecretBound(id string) string { return "identity_providers.client_secret:" + id }

// ProviderReturnPath is where providers send browsers back to. Each has its own, so that the answer of one is never taken for another's.
func ProviderReturnPath(name string) string { return "/sign-in/" + name + "/return" }

// BeginProvider gives the address of the provider to send the browser to, and the value of a cookie that FinishProvider needs, for StateLife. Without
// the cookie the answer is worth nothing, so nobody can sign someone else in to an account of theirs.
func (s *SignIn) BeginProvider(ctx context.Context, name string, start ProviderStart) (redirect, state string, err error) {
	st := providerState{State: rand.Text(), Nonce: rand.Text(), Verifier: newVerifier(), ReturnTo: start.ReturnTo}
	if st.ReturnTo == "" {
		st.ReturnTo = "/"
	}
	if !LocalPath(st.ReturnTo) {
		return "", "", blueberry.Faults{{Field: "return_to", Code: "local_path", Message: "must be a path on this server, as /environments"}}.Err()
	}
	var p blueberry.IdentityProvider
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		if p, err = s.provider(ctx, tx, name); err != nil {
			return err
		}
		if start.Link != nil {
			u, err := s.self(ctx, tx, *start.Link)
			if err != nil {
				return err
			}
			st.LinkUser, st.LinkSession = u.ID, start.Link.Credential
		}
		if start.Invite != "" {
			l, _, err := s.userOfLink(ctx, tx, blueberry.LinkInvite, start.Invite)
			if err != nil {
				return err
			}
			st.Invite = l.Hash
		}
		return nil
	})
	if err != nil {
		return "", "", doing("begin sign-in", err)
	}
	st.ProviderID = p.ID
	driver, secret, err := s.driver(p)
	if err != nil {
		return "", "", err
	}
	redirect, err = driver.Begin(ctx, p, secret, ProviderAsk{RedirectURL: s.PublicURL + ProviderReturnPath(p.Name), State: st.State, Nonce: st.Nonce, Verifier: st.Verifier})
	if err != nil {
		return "", "", fmt.Errorf("begin sign-in at %s: %w", p.Name, err)
	}
	state, err = s.issue(ctx, forProvider, StateLife, st)
	return redirect, state, err
}

// provider reads one that is switched on.
func (s *SignIn) provider(ctx context.Context, tx Tx, name string) (blueberry.IdentityProvider, error) {
	p, err := tx.Provider(ctx, name)
	if err == nil && p.Disabled {
		return p, blueberry.Errorf(blueberry.NotFound, "IDENTITY_PROVIDER_NOT_FOUND", "there is no identity provider %q", name)
	}
	return p, err
}

// driver gives what speaks to a provider, and its client secret.
func (s *SignIn) driver(p blueberry.IdentityProvider) (ProviderDriver, string, error) {
	d := s.Drivers[p.Kind]
	if d == nil {
		return nil, "", fmt.Errorf("identity provider %s: there is no driver for the kind %q", p.Name, p.Kind)
	}
	if p.ClientSecret == nil {
		return d, "", nil
	}
	secret, err := s.Seal.Open(p.ClientSecret, clientSecretBound(p.ID))
	if err != nil {
		return nil, "", fmt.Errorf("open client secret of %s: %w", p.Name, err)
	}
	return d, string(secret), nil
}

// newVerifier is the secret of PKCE, 43 characters as RFC 7636 asks for.
func newVerifier() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}
