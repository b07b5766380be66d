package httpapi

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// account are the routes of one's own account.
type account struct {
	self     Account
	proofs   Proofs
	consents Consents
}

const needsSession = "Only a person who is signed in with a browser can do it, not a token."

func (h account) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-account", Method: http.MethodGet, Path: "/v1/account", Tags: []string{tagAccount},
		Summary: "Read one's own account", Description: "Who is asking, and what they may do.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "change-password", Method: http.MethodPost, Path: "/v1/account/password", Tags: []string{tagAccount}, DefaultStatus: http.StatusNoContent,
		Summary: "Change one's own password", Description: "Every other session ends. " + needsSession,
	}, h.changePassword)
	r.example(http.MethodPost, "/v1/account/password", sdk.ChangePasswordRequest{Old: "correct horse battery staple", New: "nine purple otters dancing"})
	h.mountTOTP(r)
	h.mountPasskeys(r)
	register(r, huma.Operation{
		OperationID: "unlink-identity", Method: http.MethodDelete, Path: "/v1/account/identities/{provider}", Tags: []string{tagAccount}, DefaultStatus: http.StatusNoContent,
		Summary: "Unlink an account at an identity provider", Description: "The last way in cannot be taken away. " + needsSession,
	}, h.unlink)
	register(r, huma.Operation{
		OperationID: "list-sign-in-ways", Method: http.MethodGet, Path: "/v1/account/sign-in-ways", Tags: []string{tagAccount},
		Summary: "List ways to sign in", Description: "Which identity providers can be linked, and whether there are passkeys. A password is always one.",
	}, h.ways)
	register(r, huma.Operation{
		OperationID: "list-consents", Method: http.MethodGet, Path: "/v1/account/consents", Tags: []string{tagAccount},
		Summary: "List OAuth clients that one has allowed",
	}, h.listConsents)
	register(r, huma.Operation{
		OperationID: "revoke-consent", Method: http.MethodDelete, Path: "/v1/account/consents/{client}", Tags: []string{tagAccount}, DefaultStatus: http.StatusNoContent,
		Summary: "Take back what one allowed an OAuth client", Description: "Its tokens end at once, on every server.",
	}, h.revokeConsent)
}

func (h account) mountTOTP(r *router) {
	code := sdk.CodeRequest{Code: "123456"}
	register(r, huma.Operation{
		OperationID: "begin-totp", Method: http.MethodPost, Path: "/v1/account/totp", Tags: []string{tagAccount},
		Summary: "Begin to set up an authenticator", Description: "Gives its secret. It counts once a code of it was confirmed. " + needsSession,
	}, h.beginTOTP)
	register(r, huma.Operation{
		OperationID: "confirm-totp", Method: http.MethodPost, Path: "/v1/account/totp/confirmation", Tags: []string{tagAccount},
		Summary: "Confirm an authenticator", Description: "From now on the password needs a code. Gives recovery codes, which nothing ever shows again. " + needsSession,
	}, h.confirmTOTP)
	r.example(http.MethodPost, "/v1/account/totp/confirmation", code)
	register(r, huma.Operation{
		OperationID: "remove-totp", Method: http.MethodPost, Path: "/v1/account/totp/removal", Tags: []string{tagAccount}, DefaultStatus: http.StatusNoContent,
		Summary: "Remove the authenticator", Description: "The password alone is enough then. " + needsSession,
	}, h.removeTOTP)
	r.example(http.MethodPost, "/v1/account/totp/removal", sdk.RemoveTOTPRequest{Password: "correct horse battery staple", Code: "123456"})
	register(r, huma.Operation{
		OperationID: "create-recovery-codes", Method: http.MethodPost, Path: "/v1/account/recovery-codes", Tags: []string{tagAccount},
		Summary: "Make new recovery codes", Description: "Those before stop working. " + needsSession,
	}, h.recoveryCodes)
	r.example(http.MethodPost, "/v1/account/recovery-codes", code)
}

func (h account) mountPasskeys(r *router) {
	register(r, huma.Operation{
		OperationID: "list-passkeys", Method: http.MethodGet, Path: "/v1/account/passkeys", Tags: []string{tagAccount},
		Summary: "List one's own passkeys",
	}, h.listPasskeys)
	register(r, huma.Operation{
		OperationID: "begin-passkey", Method: http.MethodPost, Path: "/v1/account/passkeys", Tags: []string{tagAccount},
		Summary:     "Begin to add a passkey",
		Description: "Gives the options for `navigator.credentials.create`, and a ticket that goes with the answer, once and within 5 minutes. " + needsSession,
	}, h.beginPasskey)
	r.example(http.MethodPost, "/v1/account/passkeys", sdk.BeginPasskeyRequest{Name: "laptop"})
	register(r, huma.Operation{
		OperationID: "confirm-passkey", Method: http.MethodPost, Path: "/v1/account/passkeys/confirmation", Tags: []string{tagAccount}, DefaultStatus: http.StatusCreated,
		Summary: "Add a passkey", Description: needsSession,
	}, h.confirmPasskey)
	r.example(http.MethodPost, "/v1/account/passkeys/confirmation", sdk.PasskeyAnswer{Ticket: "bll_…", Response: map[string]any{"id": "8J3k", "type": "public-key"}})
	register(r, huma.Operation{
		OperationID: "delete-passkey", Method: http.MethodDelete, Path: "/v1/account/passkeys/{id}", Tags: []string{tagAccount}, DefaultStatus: http.StatusNoContent,
		Summary: "Remove a passkey", Description: "The last way in cannot be taken away. " + needsSession,
	}, h.deletePasskey)
}

func wireAccount(s access.Self) sdk.Account {
	a := s.Actor
	out := sdk.Account{
		Kind: string(a.Kind), ID: a.ID, Name: a.Name, OnBehalfOf: a.OnBehalfOf, Credential: a.Credential, Emergency: a.Emergency,
		Grants: list(a.Grants, text), Projects: map[string][]string{},
	}
	for project, grants := range a.Projects {
		out.Projects[project] = list(grants, text)
	}
	if s.User != nil {
		d := wireUserDetail(s.Detail)
		out.User = &d
	}
	if s.Session != nil {
		session := wireSession(*s.Session, s.Session.ID)
		out.Session = &session
	}
	return out
}

func (h account) get(ctx context.Context, _ *struct{ strict }) (*answer[sdk.Account], error) {
	s, err := h.self.Self(ctx, actorOf(ctx))
	return answered(s, err, wireAccount)
}

func (h account) ways(ctx context.Context, _ *struct{ strict }) (*answer[sdk.SignInWays], error) {
	w, err := h.proofs.Ways(ctx)
	return answered(w, err, func(w access.Ways) sdk.SignInWays {
		return sdk.SignInWays{PasskeysOff: w.PasskeysOff, Providers: list(w.Providers, func(p blueberry.IdentityProvider) sdk.SignInProvider {
			return sdk.SignInProvider{Name: p.Name, Label: cmp.Or(p.Label, p.Name)}
		})}
	})
}

type changePasswordInput struct {
	strict
	Body body[sdk.ChangePasswordRequest]
}

func (h account) changePassword(ctx context.Context, in *changePasswordInput) (*nothing, error) {
	b := in.Body.Value
	return &nothing{}, h.proofs.ChangePassword(ctx, actorOf(ctx), b.Old, b.New, b.Code)
}

type onceInput struct {
	strict
	OnceHeader
}

func (h account) beginTOTP(ctx context.Context, _ *onceInput) (*answer[sdk.TOTPSetup], error) {
	s, err := h.proofs.BeginTOTP(ctx, actorOf(ctx))
	return answered(s, err, func(s access.TOTPSetup) sdk.TOTPSetup { return sdk.TOTPSetup{Secret: s.Secret, URL: s.URL, QR: s.QR} })
}

type codeInput struct {
	strict
	OnceHeader
	Body body[sdk.CodeRequest]
}

func wireCodes(codes []string) sdk.RecoveryCodes { return sdk.RecoveryCodes{Codes: codes} }

func (h account) confirmTOTP(ctx context.Context, in *codeInput) (*answer[sdk.RecoveryCodes], error) {
	codes, err := h.proofs.ConfirmTOTP(ctx, actorOf(ctx), in.Body.Value.Code)
	return answered(codes, err, wireCodes)
}

type removeTOTPInput struct {
	strict
	Body body[sdk.RemoveTOTPRequest]
}

func (h account) removeTOTP(ctx context.Context, in *removeTOTPInput) (*nothing, error) {
	return &nothing{}, h.proofs.RemoveTOTP(ctx, actorOf(ctx), in.Body.Value.Password, in.Body.Value.Code)
}

func (h account) recoveryCodes(ctx context.Context, in *codeInput) (*answer[sdk.RecoveryCodes], error) {
	codes, err := h.proofs.NewRecoveryCodes(ctx, actorOf(ctx), in.Body.Value.Code)
	return answered(codes, err, wireCodes)
}

func (h account) listPasskeys(ctx context.Context, _ *struct{ strict }) (*answer[sdk.PasskeyList], error) {
	s, err := h.self.Self(ctx, actorOf(ctx))
	return answered(s, err, func(s access.Self) sdk.PasskeyList {
		return sdk.PasskeyList{Items: list(s.Detail.Passkeys, wirePasskey)}
	})
}

type beginPasskeyInput struct {
	strict
	OnceHeader
	Body body[sdk.BeginPasskeyRequest]
}

func (h account) beginPasskey(ctx context.Context, in *beginPasskeyInput) (*answer[sdk.PasskeyCeremony], error) {
	return ceremony(h.proofs.BeginPasskey(ctx, actorOf(ctx), in.Body.Value.Name))
}

type confirmPasskeyInput struct {
	strict
	OnceHeader
	Body body[sdk.PasskeyAnswer]
}

func (h account) confirmPasskey(ctx context.Context, in *confirmPasskeyInput) (*answer[sdk.Passkey], error) {
	r, err := response(in.Body.Value)
	if err != nil {
		return nil, err
	}
	p, err := h.proofs.FinishPasskey(ctx, actorOf(ctx), in.Body.Value.Ticket, r)
	return answered(p, err, wirePasskey)
}

type passkeyByID struct {
	strict
	ID string `path:"id" doc:"Id of the passkey" example:"psk_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h account) deletePasskey(ctx context.Context, in *passkeyByID) (*nothing, error) {
	return &nothing{}, h.proofs.RemovePasskey(ctx, actorOf(ctx), in.ID)
}

type identityOf struct {
	strict
	Provider string `path:"provider" doc:"Name of the identity provider" example:"google"`
}

func (h account) unlink(ctx context.Context, in *identityOf) (*nothing, error) {
	return &nothing{}, h.proofs.RemoveIdentity(ctx, actorOf(ctx), in.Provider)
}

func (h account) listConsents(ctx context.Context, _ *struct{ strict }) (*answer[sdk.ConsentList], error) {
	found, err := h.consents.Consents(ctx, actorOf(ctx))
	return answered(found, err, func(found []oauth.ConsentView) sdk.ConsentList {
		return sdk.ConsentList{Items: list(found, wireConsent)}
	})
}

func wireConsent(c oauth.ConsentView) sdk.Consent {
	return sdk.Consent{
		ClientID: c.Client.ID, Client: c.Client.Name, Scopes: list(c.Scopes, func(s oauth.ScopeText) string { return s.Scope }), GrantedAt: instant(c.GrantedAt),
	}
}

type consentOf struct {
	strict
	Client string `path:"client" doc:"Id of the OAuth client" example:"cli_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h account) revokeConsent(ctx context.Context, in *consentOf) (*nothing, error) {
	return &nothing{}, h.consents.RevokeConsent(ctx, actorOf(ctx), in.Client)
}
