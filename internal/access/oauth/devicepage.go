package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DeviceAsk is a program that waits for a person.
type DeviceAsk struct {
	UserCode  string // "WDJB-MJHT", to be compared with what the program shows
	Client    blueberry.OAuthClient
	Scopes    []ScopeText
	Address   string // of the program
	UserAgent string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// DeviceOf finds the program that waits with a user code. It is a person's to ask: wrong codes are counted.
func (s *Server) DeviceOf(ctx context.Context, actor blueberry.Actor, userCode string) (DeviceAsk, error) {
	var ask DeviceAsk
	err := s.withDevice(ctx, actor, userCode, func(_ Tx, d blueberry.DeviceAuthorization, c blueberry.OAuthClient) error {
		code := normalUserCode(userCode)
		ask = DeviceAsk{
			UserCode: code[:userCodeLength/2] + "-" + code[userCodeLength/2:], Client: c, Scopes: ScopeTexts(d.Scopes),
			Address: d.Address, UserAgent: d.UserAgent, CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt,
		}
		return nil
	})
	if err != nil {
		return DeviceAsk{}, err
	}
	return ask, nil
}

// DecideDevice lets the program in, or does not.
func (s *Server) DecideDevice(ctx context.Context, actor blueberry.Actor, userCode string, allow bool) error {
	return s.withDevice(ctx, actor, userCode, func(tx Tx, d blueberry.DeviceAuthorization, c blueberry.OAuthClient) error {
		entry := blueberry.AuditEntry{
			At: s.now(), Actor: actor, Action: actionApproved, Resource: d.ID, Detail: "client " + c.ID + ", scopes " + strings.Join(d.Scopes, " "),
		}
		d.Status, d.UserID = blueberry.DeviceApproved, actor.UserID
		if !allow {
			d.Status, entry.Result, entry.Detail = blueberry.DeviceDenied, blueberry.AuditDenied, "the person said no to client "+c.ID
		}
		if err := tx.UpdateDevice(ctx, d); err != nil {
			return fmt.Errorf("decide device: %w", err)
		}
		if allow {
			t := &turn{tx: tx, now: s.now(), client: c, user: actor.UserID}
			if err := t.consent(ctx, d.Scopes); err != nil {
				return err
			}
		}
		return tx.AppendAudit(ctx, entry)
	})
}

// withDevice runs f on the pending authorization of a user code. A wrong code is counted and kept; five in a row make a person wait.
func (s *Server) withDevice(
	ctx context.Context, actor blueberry.Actor, userCode string, f func(Tx, blueberry.DeviceAuthorization, blueberry.OAuthClient) error,
) error {
	if err := isPerson(actor); err != nil {
		return err
	}
	keys := triesOf(ctx, actor)
	now := s.now()
	var wrong error
	err := s.Record.Update(ctx, func(tx Tx) error {
		wrong = nil
		if err := mayTry(ctx, tx, keys, now); err != nil {
			return err
		}
		d, c, err := waiting(ctx, tx, userCode, now)
		if errors.Is(err, blueberry.NotFound) {
			wrong = err
			if err := countTry(ctx, tx, keys, now); err != nil {
				return err
			}
			return tx.AppendAudit(ctx, blueberry.AuditEntry{
				At: now, Actor: actor, Action: actionApproved, Detail: "a user code that nobody waits with", Result: blueberry.AuditDenied,
			})
		}
		if err != nil {
			return err
		}
		return f(tx, d, c)
	})
	if err != nil {
		return err
	}
	return wrong
}

// waiting reads the pending authorization of a user code, with its client.
func waiting(ctx context.Context, tx Tx, userCode string, now time.Time) (blueberry.DeviceAuthorization, blueberry.OAuthClient, error) {
	none := blueberry.Errorf(blueberry.NotFound, "DEVICE_CODE_NOT_FOUND", "no program waits with this code; it may have run out")
	code := normalUserCode(userCode)
	if code == "" {
		return blueberry.DeviceAuthorization{}, blueberry.OAuthClient{}, none
	}
	d, err := tx.DeviceByUserCode(ctx, userCodeHash(code))
	if errors.Is(err, blueberry.NotFound) || err == nil && (d.Status != blueberry.DevicePending || !now.Before(d.ExpiresAt)) {
		return blueberry.DeviceAuthorization{}, blueberry.OAuthClient{}, none
	}
	if err != nil {
		return blueberry.DeviceAuthorization{}, blueberry.OAuthClient{}, fmt.Errorf("read device: %w", err)
	}
	c, err := tx.OAuthClient(ctx, d.ClientID)
	if errors.Is(err, blueberry.NotFound) || err == nil && c.Disabled {
		return blueberry.DeviceAuthorization{}, blueberry.OAuthClient{}, none
	}
	return d, c, err
}
