package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// registration is what lies between the two halves of adding a passkey.
type registration struct {
	UserID  string               `json:"user_id"`
	Name    string               `json:"name,omitempty"`
	Session webauthn.SessionData `json:"session"`
}

// BeginPasskey gives the options for navigator.credentials.create, as JSON, and a ticket for FinishPasskey.
func (s *SignIn) BeginPasskey(ctx context.Context, actor blueberry.Actor, name string) (options json.RawMessage, ticket string, err error) {
	var faults blueberry.Faults
	checkPasskeyName(&faults, name)
	if err := faults.Err(); err != nil {
		return nil, "", err
	}
	var user blueberry.User
	var have []blueberry.Passkey
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		if user, err = s.self(ctx, tx, actor); err != nil {
			return err
		}
		have, err = tx.Passkeys(ctx, user.ID)
		return err
	})
	if err != nil {
		return nil, "", doing("begin passkey", err)
	}
	return s.beginNamed(ctx, user, have, name)
}

func (s *SignIn) beginRegistration(ctx context.Context, user blueberry.User, have []blueberry.Passkey) (json.RawMessage, string, error) {
	return s.beginNamed(ctx, user, have, "")
}

func (s *SignIn) beginNamed(ctx context.Context, user blueberry.User, have []blueberry.Passkey, name string) (json.RawMessage, string, error) {
	w, err := s.passkeys()
	if err != nil {
		return nil, "", err
	}
	if len(have) >= maxPasskeys {
		return nil, "", blueberry.Errorf(blueberry.Conflict, "TOO_MANY_PASSKEYS", "there are %d passkeys already: remove one first", len(have))
	}
	holder, err := holderOf(user, have)
	if err != nil {
		return nil, "", err
	}
	creation, session, err := w.BeginRegistration(holder, webauthn.WithExclusions(webauthn.Credentials(holder.keys).CredentialDescriptors()))
	if err != nil {
		return nil, "", fmt.Errorf("begin passkey: %w", err)
	}
	options, err := json.Marshal(creation)
	if err != nil {
		return nil, "", fmt.Errorf("write passkey options: %w", err)
	}
	ticket, err := s.issue(ctx, forPasskey, TicketLife, registration{UserID: user.ID, Name: name, Session: *session})
	return options, ticket, err
}

// FinishPasskey adds the passkey that the browser made. Whoever it belongs to must be signed in as when it was begun.
func (s *SignIn) FinishPasskey(ctx context.Context, actor blueberry.Actor, ticket string, response json.RawMessage) (blueberry.Passkey, error) {
	var user blueberry.User
	if err := s.Record.View(ctx, func(tx Tx) (err error) {
		user, err = s.self(ctx, tx, actor)
		return err
	}); err != nil {
		return blueberry.Passkey{}, doing("add passkey", err)
	}
	p, err := s.register(ctx, user, ticket, "", response)
	if err != nil {
		return blueberry.Passkey{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		if _, err := s.self(ctx, tx, actor); err != nil {
			return err
		}
		return s.keepPasskey(ctx, tx, actor, p)
	})
	if err != nil {
		return blueberry.Passkey{}, doing("add passkey", err)
	}
	return p, nil
}

// register proves what an authenticator answered for a user, and gives the passkey to keep.
func (s *SignIn) register(ctx context.Context, user blueberry.User, ticket, name string, response json.RawMessage) (blueberry.Passkey, error) {
	var faults blueberry.Faults
	if checkPasskeyName(&faults, name); len(faults) > 0 {
		return blueberry.Passkey{}, faults.Err()
	}
	w, err := s.passkeys()
	if err != nil {
		return blueberry.Passkey{}, err
	}
	var r registration
	if err := s.redeem(ctx, forPasskey, ticket, &r); err != nil {
		return blueberry.Passkey{}, err
	}
	if r.UserID != user.ID {
		return blueberry.Passkey{}, errTicket()
	}
	credential, err := create(w, keyholder{user: user}, r.Session, response)
	if err != nil {
		return blueberry.Passkey{}, blueberry.Errorf(blueberry.Invalid, "PASSKEY_REFUSED", "the passkey is not what was asked for: %s", reasonOf(err))
	}
	data, err := json.Marshal(credential)
	if err != nil {
		return blueberry.Passkey{}, fmt.Errorf("write passkey: %w", err)
	}
	now := s.Now()
	if name == "" {
		name = r.Name
	}
	if name == "" {
		name = "Passkey of " + now.UTC().Format("2 January 2006")
	}
	return blueberry.Passkey{
		ID: blueberry.NewID(blueberry.PasskeyID, now), UserID: user.ID, Name: name, CredentialID: credential.ID, Data: data, CreatedAt: now,
	}, nil
}

func create(w *webauthn.WebAuthn, holder keyholder, session webauthn.SessionData, response json.RawMessage) (*webauthn.Credential, error) {
	if len(response) > maxPasskeyReply {
		return nil, errors.New("it is too large")
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, err
	}
	return w.CreateCredential(holder, session, parsed)
}

// reasonOf is what of an error of a ceremony people may read; the rest of it is for developers of the library.
func reasonOf(err error) string {
	var e *protocol.Error
	if errors.As(err, &e) {
		return strings.ToLower(clip(e.Details, 200))
	}
	return "it cannot be read"
}

// keepPasskey writes a passkey with its audit entry.
func (s *SignIn) keepPasskey(ctx context.Context, tx Tx, actor blueberry.Actor, p blueberry.Passkey) error {
	switch other, err := tx.PasskeyByCredential(ctx, p.CredentialID); {
	case err == nil && other.ID != p.ID:
		return blueberry.Errorf(blueberry.Conflict, "PASSKEY_TAKEN", "this passkey is known already")
	case err != nil && !errors.Is(err, blueberry.NotFound):
		return err
	}
	if err := tx.PutPasskey(ctx, p); err != nil {
		return err
	}
	return s.audit(ctx, tx, blueberry.AuditEntry{Actor: actor, Action: "credentials:passkey-added", Resource: p.ID, Detail: "added the passkey " + p.Name})
}

// RemovePasskey removes one of the actor's. The last way to sign in stays.
func (s *SignIn) RemovePasskey(ctx context.Context, actor blueberry.Actor, id string) error {
	err := s.Record.Update(ctx, func(tx Tx) error {
		user, err := s.self(ctx, tx, actor)
		if err != nil {
			return err
		}
		w, err := s.waysOf(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		name := ""
		for _, p := range w.passkeys {
			if p.ID == id {
				name = p.Name
			}
		}
		if name != "" && w.count() == 1 {
			return errLastWay()
		}
		if err := tx.DeletePasskey(ctx, user.ID, id); err != nil {
			return err
		}
		return s.audit(ctx, tx, blueberry.AuditEntry{Actor: actor, Action: "credentials:passkey-removed", Resource: id, Detail: "removed the passkey " + name})
	})
	return doing("remove passkey", err)
}

// ways are how a person can sign in.
type ways struct {
	password   bool
	passkeys   []blueberry.Passkey
	identities []blueberry.Identity
}

func (w ways) count() int {
	n := len(w.passkeys) + len(w.identities)
	if w.password {
		n++
	}
	return n
}

func errLastWay() error {
	return blueberry.Errorf(blueberry.Conflict, "LAST_WAY_IN", "it is the only way left to sign in: add another one first")
}

func (s *SignIn) waysOf(ctx context.Context, tx Tx, userID string) (ways, error) {
	c, err := tx.Credentials(ctx, userID)
	if err != nil {
		return ways{}, err
	}
	passkeys, err := tx.Passkeys(ctx, userID)
	if err != nil {
		return ways{}, err
	}
	identities, err := tx.IdentitiesOf(ctx, userID)
	if err != nil {
		return ways{}, err
	}
	providers, err := tx.Providers(ctx)
	identities = slices.DeleteFunc(identities, func(i blueberry.Identity) bool { // nobody comes in by one that is switched off
		return !slices.ContainsFunc(providers, func(p blueberry.IdentityProvider) bool { return p.Name == i.Provider && !p.Disabled })
	})
	return ways{password: c.Password != "", passkeys: passkeys, identities: identities}, err
}

func checkPasskeyName(f *blueberry.Faults, name string) { checkLine(f, "name", name, maxPasskeyName) }
