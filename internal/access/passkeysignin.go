package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// errClone is a sign count that did not go up: there may be two of the authenticator.
var errClone = errors.New("the sign count did not go up")

// BeginPasskeySignIn gives the options for navigator.credentials.get, as JSON, and a ticket for FinishPasskeySignIn. It names no account: the authenticator
// knows whose it is.
func (s *SignIn) BeginPasskeySignIn(ctx context.Context) (options json.RawMessage, ticket string, err error) {
	w, err := s.passkeys()
	if err != nil {
		return nil, "", err
	}
	assertion, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("begin passkey sign-in: %w", err)
	}
	options, err = json.Marshal(assertion)
	if err != nil {
		return nil, "", fmt.Errorf("write passkey options: %w", err)
	}
	ticket, err = s.issue(ctx, forPasskeySignIn, TicketLife, session)
	return options, ticket, err
}

// FinishPasskeySignIn signs in who the passkey belongs to. The authenticator has verified its person, so it counts as two factors; no lock-out is in its way,
// as there is nothing to guess.
func (s *SignIn) FinishPasskeySignIn(ctx context.Context, ticket string, response json.RawMessage, from From) (Entered, error) {
	w, err := s.passkeys()
	if err != nil {
		return Entered{}, err
	}
	var session webauthn.SessionData
	if err := s.redeem(ctx, forPasskeySignIn, ticket, &session); err != nil {
		return Entered{}, err
	}
	if len(response) > maxPasskeyReply {
		return Entered{}, refused()
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return Entered{}, refused()
	}
	p, user, err := s.passkeyOf(ctx, parsed.RawID)
	if err != nil {
		return Entered{}, err
	}
	if p.ID == "" || user.Status != blueberry.UserActive {
		s.auditDenied(ctx, from, "session:sign-in", user.ID, "the passkey is not known, or the account may not sign in")
		return Entered{}, refused()
	}
	renewed, err := assert(w, user, p, session, parsed)
	if errors.Is(err, errClone) {
		s.auditDenied(ctx, from, "credentials:passkey-cloned", p.ID, "refused the passkey "+p.Name+" of "+user.Email+": its sign count did not go up, so there may be two of it")
		return Entered{}, refused()
	}
	if err != nil {
		s.auditDenied(ctx, from, "session:sign-in", user.ID, "the passkey was refused: "+reasonOf(err))
		return Entered{}, refused()
	}
	return s.enterByPasskey(ctx, user, p, renewed, from)
}

// passkeyOf reads a passkey and whose it is; empty when it is not known.
func (s *SignIn) passkeyOf(ctx context.Context, credentialID []byte) (blueberry.Passkey, blueberry.User, error) {
	var p blueberry.Passkey
	var u blueberry.User
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		if p, err = tx.PasskeyByCredential(ctx, credentialID); err != nil {
			return err
		}
		u, err = tx.User(ctx, p.UserID)
		return err
	})
	if errors.Is(err, blueberry.NotFound) {
		return blueberry.Passkey{}, blueberry.User{}, nil
	}
	return p, u, doing("read passkey", err)
}

// assert proves the answer of the authenticator and gives the credential as it is to be kept now.
func assert(w *webauthn.WebAuthn, user blueberry.User, p blueberry.Passkey, session webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) ([]byte, error) {
	holder, err := holderOf(user, []blueberry.Passkey{p})
	if err != nil {
		return nil, err
	}
	session.UserVerification = protocol.VerificationRequired
	_, credential, err := w.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return holder, nil }, session, parsed)
	if err != nil {
		return nil, err
	}
	if credential.Authenticator.CloneWarning {
		return nil, errClone
	}
	return json.Marshal(credential)
}

func (s *SignIn) enterByPasskey(ctx context.Context, user blueberry.User, p blueberry.Passkey, renewed []byte, from From) (Entered, error) {
	e, err := s.entry(user, from, "passkey")
	if err != nil {
		return Entered{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		now, err := tx.PasskeyByCredential(ctx, p.CredentialID)
		if err != nil {
			return err
		}
		u, err := tx.User(ctx, user.ID)
		if err != nil {
			return err
		}
		if !bytes.Equal(now.Data, p.Data) || u.Status != blueberry.UserActive {
			return errProof // it moved on meanwhile: this answer was taken by another sign-in
		}
		now.Data, now.LastUsedAt = renewed, s.Now()
		return errors.Join(tx.PutPasskey(ctx, now), s.open(ctx, tx, e))
	})
	switch {
	case errors.Is(err, errProof) || errors.Is(err, blueberry.NotFound):
		return Entered{}, refused()
	case err != nil:
		return Entered{}, doing("sign in by passkey", err)
	}
	return e.entered, nil
}
