package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What tickets are for. One for another purpose does not open.
const (
	forPasskey       = "passkey-registration"
	forPasskeySignIn = "passkey-sign-in"
	forProvider      = "provider-sign-in"
)

// TicketLife is how long a person may take to touch an authenticator.
const TicketLife = 5 * time.Minute

const maxTicket = 16 << 10 // characters

// ticket is what one half of a sign-in tells the other. It is sealed, and lies with the browser; the record keeps its hash, so that it is taken once.
type ticket struct {
	Purpose string          `json:"purpose"`
	Nonce   string          `json:"nonce"` // no two are the same
	Expires time.Time       `json:"expires"`
	Data    json.RawMessage `json:"data"`
}

// errTicket tells nothing of what is wrong with a ticket.
func errTicket() error {
	return blueberry.Errorf(blueberry.Unauthenticated, "TICKET_INVALID", "it took too long, or was done before: begin again")
}

func ticketBound(purpose string) string { return "ticket." + purpose }

// issue makes a ticket that holds data.
func (s *SignIn) issue(ctx context.Context, purpose string, life time.Duration, data any) (string, error) {
	now := s.Now()
	inner, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("write ticket: %w", err)
	}
	text, err := json.Marshal(ticket{Purpose: purpose, Nonce: rand.Text(), Expires: now.Add(life), Data: inner})
	if err != nil {
		return "", fmt.Errorf("write ticket: %w", err)
	}
	sealed, err := s.Seal.Seal(text, ticketBound(purpose))
	if err != nil {
		return "", fmt.Errorf("seal ticket: %w", err)
	}
	out := base64.RawURLEncoding.EncodeToString(sealed)
	err = s.Record.Update(ctx, func(tx Tx) error {
		return tx.InsertLink(ctx, blueberry.Link{
			ID: blueberry.NewID(blueberry.LinkID, now), Kind: blueberry.LinkTicket, Hash: hashOf(out), CreatedAt: now, ExpiresAt: now.Add(life),
		})
	})
	if err != nil {
		return "", fmt.Errorf("record ticket: %w", err)
	}
	return out, nil
}

// openTicket reads what is in a ticket for the purpose, and proves that this server made it and that its time is not over.
func (s *SignIn) openTicket(purpose, text string, data any) error {
	if text == "" || len(text) > maxTicket {
		return errTicket()
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return errTicket()
	}
	plain, err := s.Seal.Open(sealed, ticketBound(purpose))
	if err != nil {
		return errTicket()
	}
	var t ticket
	if json.Unmarshal(plain, &t) != nil || t.Purpose != purpose || !s.Now().Before(t.Expires) || json.Unmarshal(t.Data, data) != nil {
		return errTicket()
	}
	return nil
}

// redeem is openTicket that takes the ticket: a second time it does not open, whatever came of the first.
func (s *SignIn) redeem(ctx context.Context, purpose, text string, data any) error {
	if err := s.openTicket(purpose, text, data); err != nil {
		return err
	}
	err := s.Record.Update(ctx, func(tx Tx) error {
		l, err := s.liveLinkByHash(ctx, tx, blueberry.LinkTicket, hashOf(text))
		if err != nil {
			return err
		}
		return s.useLink(ctx, tx, l)
	})
	if errors.Is(err, blueberry.NotFound) {
		return errTicket()
	}
	if err != nil {
		return fmt.Errorf("take ticket: %w", err)
	}
	return nil
}
