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

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Actions of the audit.
const (
	actionToken      = "oauth:token"
	actionRevoke     = "oauth:revoke"
	actionIntrospect = "oauth:introspect"
	actionAuthorize  = "oauth:authorize"
	actionDevice     = "oauth:device"
	actionApproved   = "oauth:device-approved"
)

// token answers the token endpoint. Everything that a request changes is one transaction, refusals too: a replay that is refused ends a family.
func (s *Server) token(ctx context.Context, r *http.Request, f form) (any, error) {
	p, refused := readProof(r, f)
	if refused != nil {
		return nil, refused
	}
	flow := blueberry.OAuthFlow(f.get("grant_type"))
	switch {
	case flow == "":
		return nil, refuse(invalidRequest, "grant_type is missing")
	case !slices.Contains(blueberry.OAuthFlows(), flow):
		return nil, refuse(unsupportedGrantType, "there is no such grant_type here")
	}
	var c blueberry.OAuthClient
	var user string
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		if c, err = authenticate(ctx, tx, p); err != nil {
			return err
		}
		user, err = subject(ctx, tx, flow, f)
		return err
	})
	if err != nil {
		return nil, s.denied(ctx, c, blueberry.Actor{}, actionToken, err)
	}
	person, err := s.person(ctx, user)
	if err != nil {
		return nil, s.denied(ctx, c, person, actionToken, err)
	}
	return s.exchange(ctx, c, person, f)
}

// exchange runs one token request.
func (s *Server) exchange(ctx context.Context, c blueberry.OAuthClient, person blueberry.Actor, f form) (answer any, err error) {
	var refused *refusal
	err = s.Record.Update(ctx, func(tx Tx) error {
		t := &turn{tx: tx, now: s.now(), client: c, user: person.UserID}
		var given map[string]any
		given, refused = nil, nil
		scopes, err := t.run(ctx, f, &given)
		if t.broke != nil {
			return t.broke
		}
		if refused = refusalOf(err); err != nil && refused == nil {
			return err
		}
		answer = given
		return t.settle(ctx, clientActor(c, person), f, scopes, refused)
	})
	if err != nil {
		return nil, fmt.Errorf("answer token request: %w", err)
	}
	if refused != nil {
		return nil, refused
	}
	return answer, nil
}

// run has the library answer the request.
func (t *turn) run(ctx context.Context, f form, given *map[string]any) (scopes []string, err error) {
	flow := blueberry.OAuthFlow(f.get("grant_type"))
	switch flow {
	case blueberry.FlowRefresh:
		t.asked = splitScopes(f.get("scope"))
	case blueberry.FlowClient:
		asked, refused := askedScopes(t.client, f.get("scope"))
		if refused != nil {
			return nil, refused
		}
		if slices.Contains(asked, OfflineAccess) {
			return nil, refuse(invalidScope, "a client that acts for itself asks anew and needs no refresh token")
		}
		scopes = asked
	}
	library := engine(t)
	body := url.Values(f)
	r, err := library.NewAccessRequest(ctx, &http.Request{Method: http.MethodPost, Header: http.Header{}, PostForm: body, Form: body}, &session{user: t.user})
	if err != nil {
		return nil, err
	}
	if flow == blueberry.FlowClient {
		r.(*fosite.AccessRequest).SetID(blueberry.NewID(blueberry.GrantingID, t.now))
		for _, scope := range scopes {
			r.GrantScope(scope)
		}
	}
	out, err := library.NewAccessResponse(ctx, r)
	if err != nil {
		return nil, err
	}
	*given = out.ToMap()
	(*given)["token_type"] = "Bearer"
	return r.GetGrantedScopes(), nil
}

// settle notes how a request ended: a code that failed is burnt, what ended is told, the client was seen. Anyone can send what a public client may, so of its
// refusals only those are noted that ended something.
func (t *turn) settle(ctx context.Context, actor blueberry.Actor, f form, scopes []string, refused *refusal) error {
	if refused == nil {
		if err := t.tx.TouchOAuthClient(ctx, t.client.ID, t.now); err != nil {
			return fmt.Errorf("touch client: %w", err)
		}
		return t.note(ctx, actor, f, "scopes "+strings.Join(scopes, " "), "")
	}
	if refused.code == authorizationPending || refused.code == slowDown {
		return nil // it is asked every few seconds, and changes nothing
	}
	if t.code.ID != "" { // a code is good for one try
		if _, err := t.tx.RevokeOAuthToken(ctx, t.code.Hash, t.now); err != nil {
			return fmt.Errorf("burn code: %w", err)
		}
	}
	if t.client.Public && t.ended == 0 {
		return nil
	}
	detail := refused.Error()
	if t.ended > 0 {
		detail = fmt.Sprintf("%s; used a second time, so its family of %d live tokens was ended", detail, t.ended)
	}
	return t.note(ctx, actor, f, detail, blueberry.AuditDenied)
}

func (t *turn) note(ctx context.Context, actor blueberry.Actor, f form, detail string, result blueberry.AuditResult) error {
	err := t.tx.AppendAudit(ctx, blueberry.AuditEntry{
		At: t.now, Actor: actor, Action: actionToken, Resource: t.client.ID, Detail: f.get("grant_type") + ": " + detail, Result: result,
	})
	if err != nil {
		return fmt.Errorf("note token request: %w", err)
	}
	return nil
}

// subject is the user on whose account a request would give a token; empty for none, or for a secret that is not known.
func subject(ctx context.Context, tx Tx, flow blueberry.OAuthFlow, f form) (string, error) {
	var user string
	var err error
	switch flow {
	case blueberry.FlowCode:
		user, err = userOf(ctx, tx, blueberry.OAuthCode, CodePrefix, f.get("code"))
	case blueberry.FlowRefresh:
		user, err = userOf(ctx, tx, blueberry.OAuthRefresh, RefreshPrefix, f.get("refresh_token"))
	case blueberry.FlowDevice:
		if hash, ok := access.HashSecret(DevicePrefix, f.get("device_code")); ok {
			var d blueberry.DeviceAuthorization
			d, err = tx.DeviceByCode(ctx, hash)
			user = d.UserID
		}
	}
	if errors.Is(err, blueberry.NotFound) {
		return "", nil
	}
	return user, err
}

func userOf(ctx context.Context, tx Tx, kind blueberry.OAuthTokenKind, prefix, secret string) (string, error) {
	hash, ok := access.HashSecret(prefix, secret)
	if !ok {
		return "", nil
	}
	t, err := tx.OAuthTokenByHash(ctx, kind, hash)
	return t.UserID, err
}

// person reads what a user may do; an inactive or unknown one gets no token. No user gives an empty actor.
func (s *Server) person(ctx context.Context, user string) (blueberry.Actor, error) {
	if user == "" {
		return blueberry.Actor{}, nil
	}
	a, err := s.People.Person(ctx, user)
	if errors.Is(err, blueberry.NotFound) || errors.Is(err, blueberry.Forbidden) {
		return blueberry.Actor{}, refuse(invalidGrant, "the user on whose account it was asked can do nothing")
	}
	if err != nil {
		return blueberry.Actor{}, fmt.Errorf("read person: %w", err)
	}
	a.UserID = user
	return a, nil
}

// clientActor is who acts in the audit: a client, for a person or for itself.
func clientActor(c blueberry.OAuthClient, person blueberry.Actor) blueberry.Actor {
	if person.UserID == "" {
		return blueberry.Actor{Kind: blueberry.ActorClient, ID: c.ID, Name: c.Name}
	}
	return blueberry.Actor{Kind: blueberry.ActorClient, ID: c.ID, Name: person.Name, OnBehalfOf: person.Name, UserID: person.UserID}
}

// denied notes a refusal that came before anything could change, and gives it back. Of a client that proved nothing there is no entry: whoever sends nonsense
// would fill the audit. These calls are the gateway's to count.
func (s *Server) denied(ctx context.Context, c blueberry.OAuthClient, person blueberry.Actor, action string, refused error) error {
	r := refusalOf(refused)
	if r == nil {
		return refused
	}
	if c.ID == "" || c.Public {
		return r
	}
	err := s.Record.Update(ctx, func(tx Tx) error {
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			At: s.now(), Actor: clientActor(c, person), Action: action, Resource: c.ID, Detail: r.Error(), Result: blueberry.AuditDenied,
		})
	})
	if err != nil {
		return fmt.Errorf("note refusal: %w", err)
	}
	return r
}
