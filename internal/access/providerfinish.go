package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ProviderReturn is what a browser brings back from a provider.
type ProviderReturn struct {
	Query url.Values
	State string // value of the cookie that BeginProvider gave
	From
}

// FinishProvider signs in who the provider vouches for, links the account there to the one that is signed in, or accepts an invitation, as it was begun.
// After linking there is no new session: Entered.Secret is empty.
func (s *SignIn) FinishProvider(ctx context.Context, name string, r ProviderReturn) (Entered, error) {
	st, err := s.takeState(ctx, r)
	if err != nil {
		s.auditDenied(ctx, r.From, "session:sign-in", "", "an answer of a provider came to a browser that had not asked, too late or again")
		return Entered{}, err
	}
	var p blueberry.IdentityProvider
	if err := s.Record.View(ctx, func(tx Tx) (err error) {
		p, err = s.provider(ctx, tx, name)
		return err
	}); err != nil {
		return Entered{}, err
	}
	if p.ID != st.ProviderID {
		return Entered{}, errState()
	}
	if refusal := r.Query.Get("error"); refusal != "" || r.Query.Get("code") == "" {
		s.auditDenied(ctx, r.From, "session:sign-in", p.ID, "the provider "+p.Name+" gave no code: "+clip(refusal, 60))
		return Entered{}, blueberry.Errorf(blueberry.Unauthenticated, "PROVIDER_REFUSED", "%s did not sign you in: %s", p.Name, errorWord(refusal))
	}
	driver, secret, err := s.driver(p)
	if err != nil {
		return Entered{}, err
	}
	claims, err := driver.Finish(ctx, p, secret, ProviderAnswer{
		Code: r.Query.Get("code"), Issuer: r.Query.Get("iss"), RedirectURL: s.PublicURL + ProviderReturnPath(p.Name), Nonce: st.Nonce, Verifier: st.Verifier,
	})
	if err != nil {
		return Entered{}, s.driverError(ctx, p, r.From, err)
	}
	return s.settle(ctx, p, claims, st, r.From)
}

// IDToken signs in with an ID token that a provider gave to an app of the installation: of Firebase, or of an issuer with the same client id.
func (s *SignIn) IDToken(ctx context.Context, provider, idToken string, from From) (Entered, error) {
	var p blueberry.IdentityProvider
	if err := s.Record.View(ctx, func(tx Tx) (err error) {
		p, err = s.provider(ctx, tx, provider)
		return err
	}); err != nil {
		return Entered{}, err
	}
	driver, _, err := s.driver(p)
	if err != nil {
		return Entered{}, err
	}
	claims, err := driver.IDToken(ctx, p, idToken, "")
	if err != nil {
		return Entered{}, s.driverError(ctx, p, from, err)
	}
	return s.settle(ctx, p, claims, providerState{ReturnTo: "/"}, from)
}

func errState() error {
	return blueberry.Errorf(blueberry.Unauthenticated, "STATE_MISMATCH", "this sign-in was not begun in this browser, or took too long: begin again")
}

// takeState proves that this browser asked for the answer, and that it comes for the first time. A state that does not match leaves the cookie's as it is, or
// any page could break a sign-in that is under way.
func (s *SignIn) takeState(ctx context.Context, r ProviderReturn) (providerState, error) {
	var st providerState
	if err := s.openTicket(forProvider, r.State, &st); err != nil {
		return st, errState()
	}
	if st.State == "" || subtle.ConstantTimeCompare([]byte(st.State), []byte(r.Query.Get("state"))) != 1 {
		return st, errState()
	}
	err := s.redeem(ctx, forProvider, r.State, &st)
	if errors.Is(err, blueberry.Unauthenticated) {
		return st, errState()
	}
	return st, err
}

// driverError notes what a provider or a browser did wrong. What is down is told as it is.
func (s *SignIn) driverError(ctx context.Context, p blueberry.IdentityProvider, from From, err error) error {
	if errors.Is(err, blueberry.Unauthenticated) {
		s.auditDenied(ctx, from, "session:sign-in", p.ID, "the answer of "+p.Name+" was refused: "+trouble(err))
	}
	return fmt.Errorf("sign in by %s: %w", p.Name, err)
}

// errorWord is an error code of OAuth, and nothing else that someone may have put into the address.
func errorWord(code string) string {
	for _, known := range []string{
		"access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable",
		"interaction_required", "login_required", "account_selection_required", "consent_required", "application_suspended", "redirect_uri_mismatch",
	} {
		if code == known {
			return known
		}
	}
	return "it gave no code"
}
