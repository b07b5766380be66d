package oauth

import (
	"context"
	"errors"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// deviceHandler answers polls of programs that wait for a person (RFC 8628 3.4).
type deviceHandler struct {
	turn    *turn
	secrets oauth2.CoreStrategy
	helper  *oauth2.HandleHelper
}

var _ fosite.TokenEndpointHandler = (*deviceHandler)(nil)

// CanSkipClientAuth is false: public clients name themselves, others prove it.
func (h *deviceHandler) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest tells polls from other requests.
func (h *deviceHandler) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(string(blueberry.FlowDevice))
}

// HandleTokenEndpointRequest says whether the person has decided. It uses an approved authorization up before any token is made of it.
func (h *deviceHandler) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !r.GetClient().GetGrantTypes().Has(string(blueberry.FlowDevice)) {
		return refuse(unauthorizedClient, "the client has no device flow")
	}
	hash, ok := access.HashSecret(DevicePrefix, r.GetRequestForm().Get("device_code"))
	if !ok {
		return refuse(invalidGrant, "the device code is not known")
	}
	t := h.turn
	d, err := t.tx.DeviceByCode(ctx, hash)
	if errors.Is(err, blueberry.NotFound) || err == nil && d.ClientID != t.client.ID {
		return refuse(invalidGrant, "the device code is not known")
	}
	if err != nil {
		return t.fail("read device", err)
	}
	if err := h.judge(ctx, &d); err != nil {
		return err
	}
	r.(*fosite.AccessRequest).SetID(d.ID)
	r.SetSession(&session{user: d.UserID})
	r.SetRequestedScopes(d.Scopes)
	for _, scope := range d.Scopes {
		if !mayAsk(t.client, scope) {
			return refuse(invalidScope, "the client may no longer ask for the scope "+scope)
		}
		r.GrantScope(scope)
	}
	return nil
}

// judge refuses a poll, or marks the authorization as used.
func (h *deviceHandler) judge(ctx context.Context, d *blueberry.DeviceAuthorization) error {
	t := h.turn
	switch {
	case d.Status == blueberry.DeviceUsed:
		if err := t.end(ctx, d.ID); err != nil {
			return err
		}
		return refuse(invalidGrant, "the device code was used before")
	case d.Status == blueberry.DeviceDenied:
		return refuse(accessDenied, "the person said no")
	case !t.now.Before(d.ExpiresAt):
		return refuse(expiredToken, "nobody decided in time")
	}
	early := !d.PolledAt.IsZero() && t.now.Before(d.PolledAt.Add(d.Interval))
	d.PolledAt = t.now
	var answer *refusal
	switch {
	case early:
		d.Interval += blueberry.DeviceInterval // RFC 8628 3.5: by 5 seconds, for this and all polls that follow
		answer = refuse(slowDown, "it was asked before the interval was over; the interval is longer by 5 seconds now")
	case d.Status == blueberry.DevicePending || d.UserID != t.user:
		answer = refuse(authorizationPending, "the person has not decided yet")
	default:
		d.Status = blueberry.DeviceUsed
	}
	err := t.tx.UpdateDevice(ctx, *d)
	switch {
	case errors.Is(err, blueberry.Conflict):
		return refuse(slowDown, "it is asked twice at once") // and the other one has its answer
	case err != nil:
		return t.fail("update device", err)
	case answer != nil:
		return answer
	}
	return nil
}

// PopulateTokenEndpointResponse makes the tokens.
func (h *deviceHandler) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, out fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	if _, err := h.helper.IssueAccessToken(ctx, blueberry.AccessTokenLife, r, out); err != nil {
		return err
	}
	if !r.GetGrantedScopes().Has(OfflineAccess) || !r.GetClient().GetGrantTypes().Has(string(blueberry.FlowRefresh)) {
		return nil
	}
	refresh, signature, err := h.secrets.GenerateRefreshToken(ctx, r)
	if err != nil {
		return err
	}
	if err := h.turn.CreateRefreshTokenSession(ctx, signature, "", r.Sanitize(nil)); err != nil {
		return err
	}
	out.SetExtra("refresh_token", refresh)
	return nil
}
