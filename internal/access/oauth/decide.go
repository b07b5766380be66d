package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Consented reports whether a user need not be asked again: they allowed the client these scopes before, and the client has a secret, so that nobody else can
// pass itself off as it. A public client at a person's machine can be any program (RFC 8252 8.6), our own command line too.
func (s *Server) Consented(ctx context.Context, user blueberry.Actor, clientID string, scopes []string) bool {
	var known bool
	err := s.Record.View(ctx, func(tx Tx) error {
		c, err := tx.OAuthClient(ctx, clientID)
		if err != nil {
			return err
		}
		had, err := tx.Consent(ctx, user.UserID, clientID)
		known = err == nil && !c.Public && covers(had.Scopes, scopes)
		return err
	})
	if err != nil && !errors.Is(err, blueberry.NotFound) && ctx.Err() == nil {
		s.Logger.WarnContext(ctx, "consent could not be read, the user is asked again", "client", clientID, "error", err)
	}
	return err == nil && known
}

// Decide carries out what a person decided on the request in the address of r, and sends their browser back to the client. An *AskError that must be shown is
// given back, and nothing is written to w; so is any other error.
func (s *Server) Decide(ctx context.Context, w http.ResponseWriter, r *http.Request, user blueberry.Actor, allow bool) error {
	a, err := s.Asked(ctx, r)
	if wrong := (*AskError)(nil); errors.As(err, &wrong) && wrong.Redirect != "" {
		sendTo(w, wrong.Redirect)
		return nil
	}
	if err != nil {
		return err
	}
	if err := isPerson(user); err != nil {
		return err
	}
	if !allow {
		err := s.Record.Update(ctx, func(tx Tx) error {
			return tx.AppendAudit(ctx, blueberry.AuditEntry{
				At: s.now(), Actor: user, Action: actionAuthorize, Resource: a.Client.ID, Detail: "the person said no", Result: blueberry.AuditDenied,
			})
		})
		if err != nil {
			return fmt.Errorf("note decision: %w", err)
		}
		sendTo(w, s.sentBack(a, refuse(accessDenied, "the person said no")).Redirect)
		return nil
	}
	code, err := s.allow(ctx, a, user)
	if err != nil {
		return err
	}
	sendTo(w, s.back(a, url.Values{"code": {code}}))
	return nil
}

// isPerson refuses whoever acts by a token: consent is a person's, at a browser.
func isPerson(a blueberry.Actor) error {
	if a.Kind != blueberry.ActorUser || a.UserID == "" {
		return blueberry.Errorf(blueberry.Forbidden, "PERSON_NEEDED", "only a person who is signed in may let a program in")
	}
	return nil
}

// allow keeps the consent and makes the code.
func (s *Server) allow(ctx context.Context, a Ask, user blueberry.Actor) (code string, err error) {
	err = s.Record.Update(ctx, func(tx Tx) error {
		t := &turn{tx: tx, now: s.now(), client: a.Client, user: user.UserID}
		if err := t.consent(ctx, a.scopes); err != nil {
			return err
		}
		ar := fosite.NewAuthorizeRequest()
		ar.ID, ar.Client, ar.State = blueberry.NewID(blueberry.GrantingID, t.now), client{a.Client}, a.state
		ar.ResponseTypes, ar.RequestedScope, ar.GrantedScope = fosite.Arguments{"code"}, slices.Clone(a.scopes), slices.Clone(a.scopes)
		ar.Form = url.Values{"redirect_uri": {a.RedirectURI}, "code_challenge": {a.challenge}, "code_challenge_method": {"S256"}}
		u, err := url.Parse(a.RedirectURI)
		if err != nil {
			return fmt.Errorf("parse redirect URI: %w", err)
		}
		ar.RedirectURI = u
		out, err := engine(t).NewAuthorizeResponse(ctx, ar, &session{user: user.UserID})
		if t.broke != nil {
			return t.broke
		}
		if err != nil {
			return fmt.Errorf("make code: %w", err)
		}
		code = out.GetCode()
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			At: t.now, Actor: user, Action: actionAuthorize, Resource: a.Client.ID, Detail: "scopes " + strings.Join(a.scopes, " "),
		})
	})
	if err != nil {
		return "", fmt.Errorf("allow client: %w", err)
	}
	return code, nil
}

// consent adds scopes to what the user allowed the client before.
func (t *turn) consent(ctx context.Context, scopes []string) error {
	had, err := t.tx.Consent(ctx, t.user, t.client.ID)
	if err != nil && !errors.Is(err, blueberry.NotFound) {
		return fmt.Errorf("read consent: %w", err)
	}
	all := slices.Clone(had.Scopes)
	for _, scope := range scopes {
		if !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	err = t.tx.PutConsent(ctx, blueberry.Consent{UserID: t.user, ClientID: t.client.ID, Scopes: all, GrantedAt: t.now})
	if err != nil {
		return fmt.Errorf("keep consent: %w", err)
	}
	return nil
}

// sendTo sends the browser on by GET, whatever it came by, and lets no address of ours go with it.
func sendTo(w http.ResponseWriter, address string) {
	noStore(w)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
}
