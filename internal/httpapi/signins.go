package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// signIns are the routes by which one gets a session. They need no credential.
type signIns struct {
	operations SignIns
}

const answersCookie = "The secret of the session is told as a cookie alone, which no script can read: programs use API tokens or OAuth."

func (h signIns) mount(r *router) {
	h.mountSessions(r)
	register(r, huma.Operation{
		OperationID: "complete-setup", Method: http.MethodPost, Path: "/v1/setup", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary: "Make the first owner", Description: "By the link that the server tells at its start while there is no owner. " + answersCookie,
	}, h.setup)
	r.example(http.MethodPost, "/v1/setup", sdk.SetupRequest{Link: "bll_…", Email: "ada@example.com", Name: "Ada", Password: "correct horse battery staple"})
	register(r, huma.Operation{
		OperationID: "accept-invitation", Method: http.MethodPost, Path: "/v1/invitations/acceptance", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary: "Accept an invitation", Description: "Chooses a password and signs in. " + answersCookie,
	}, h.accept)
	r.example(http.MethodPost, "/v1/invitations/acceptance", sdk.AcceptInvitationRequest{Link: "bll_…", Name: "Ada", Password: "correct horse battery staple"})
	register(r, huma.Operation{
		OperationID: "request-reset", Method: http.MethodPost, Path: "/v1/resets", Tags: []string{tagSignIn}, DefaultStatus: http.StatusAccepted,
		Summary: "Ask for a new password", Description: "Sends a mail with a link to the address if there is such an account. The answer is the same if there is none.",
	}, h.requestReset)
	r.example(http.MethodPost, "/v1/resets", sdk.ResetRequest{Email: "ada@example.com"})
	register(r, huma.Operation{
		OperationID: "complete-reset", Method: http.MethodPost, Path: "/v1/resets/completion", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary:     "Choose a new password",
		Description: "By the link of the mail. It signs in, unless the account has a second factor: a mailbox is not enough for that. Every other session ends.",
	}, h.completeReset)
	r.example(http.MethodPost, "/v1/resets/completion", sdk.CompleteResetRequest{Link: "bll_…", Password: "correct horse battery staple"})
}

func (h signIns) mountSessions(r *router) {
	register(r, huma.Operation{
		OperationID: "sign-in-by-password", Method: http.MethodPost, Path: "/v1/sessions", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary: "Sign in by password",
		Description: "401 `SECOND_FACTOR_NEEDED` asks for the code as well, once the password was right; any other 401 does not say what was wrong. " +
			"429 `SIGN_IN_LOCKED` says when to try again. " + answersCookie,
	}, h.password)
	r.example(http.MethodPost, "/v1/sessions", sdk.PasswordSignInRequest{Email: "ada@example.com", Password: "correct horse battery staple"})
	register(r, huma.Operation{
		OperationID: "begin-passkey-sign-in", Method: http.MethodPost, Path: "/v1/sessions/passkey/options", Tags: []string{tagSignIn},
		Summary: "Begin to sign in by passkey", Description: "Gives the options for `navigator.credentials.get`, and a ticket that goes with the answer, once and within 5 minutes.",
	}, h.beginPasskey)
	register(r, huma.Operation{
		OperationID: "sign-in-by-passkey", Method: http.MethodPost, Path: "/v1/sessions/passkey", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary: "Sign in by passkey", Description: "A passkey counts as two factors. " + answersCookie,
	}, h.passkey)
	r.example(http.MethodPost, "/v1/sessions/passkey", sdk.PasskeyAnswer{Ticket: "bll_…", Response: map[string]any{"id": "8J3k", "type": "public-key"}})
	register(r, huma.Operation{
		OperationID: "sign-in-by-id-token", Method: http.MethodPost, Path: "/v1/sessions/id-token", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary: "Sign in by ID token", Description: "With the token that an identity provider gave to an app: an OpenID Connect issuer, or Firebase. " + answersCookie,
	}, h.idToken)
	r.example(http.MethodPost, "/v1/sessions/id-token", sdk.IDTokenSignInRequest{Provider: "google", IDToken: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"})
	register(r, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: "/v1/sessions/current", Tags: []string{tagSignIn}, DefaultStatus: http.StatusNoContent,
		Summary: "Sign out", Description: "Ends the session of the cookie. One that has ended already is fine.",
	}, h.signOut)
}

// Browser is what is known of the browser that signs in.
type Browser struct {
	strict
	Device string `cookie:"__Host-blueberry-device" maxLength:"4096" doc:"What an earlier sign-in gave this browser"`
}

func (b Browser) from(ctx context.Context) access.From {
	c := blueberry.CallOf(ctx)
	return access.From{Address: c.Address, UserAgent: c.UserAgent, Device: b.Device}
}

// entered is the answer to who came in.
type entered struct {
	SetCookie []string `header:"Set-Cookie" doc:"The session, and what knows this browser again"`
	Body      sdk.SignedIn
}

func enteredAnswer(e access.Entered, err error) (*entered, error) {
	if err != nil {
		return nil, err
	}
	out := &entered{}
	if e.Secret != "" {
		s := wireSession(e.Session, e.Session.ID)
		out.Body.Session = &s
		out.SetCookie = append(out.SetCookie, access.NewCookie(access.SessionCookie, e.Secret, blueberry.SessionLife).String())
	}
	if e.Device != "" {
		out.SetCookie = append(out.SetCookie, access.NewCookie(access.DeviceCookie, e.Device, access.DeviceLife).String())
	}
	return out, nil
}

type passwordInput struct {
	Browser
	Body body[sdk.PasswordSignInRequest]
}

func (h signIns) password(ctx context.Context, in *passwordInput) (*entered, error) {
	b := in.Body.Value
	return enteredAnswer(h.operations.Password(ctx, access.PasswordAttempt{Email: b.Email, Password: b.Password, Code: b.Code, From: in.from(ctx)}))
}

func ceremony(options json.RawMessage, ticket string, err error) (*answer[sdk.PasskeyCeremony], error) {
	if err != nil {
		return nil, err
	}
	out := sdk.PasskeyCeremony{Ticket: ticket}
	if err := json.Unmarshal(options, &out.Options); err != nil {
		return nil, err
	}
	return &answer[sdk.PasskeyCeremony]{Body: out}, nil
}

// response is what a browser answered, as JSON again.
func response(a sdk.PasskeyAnswer) (json.RawMessage, error) { return json.Marshal(a.Response) }

func (h signIns) beginPasskey(ctx context.Context, _ *struct{ strict }) (*answer[sdk.PasskeyCeremony], error) {
	return ceremony(h.operations.BeginPasskeySignIn(ctx))
}

type passkeyInput struct {
	Browser
	Body body[sdk.PasskeyAnswer]
}

func (h signIns) passkey(ctx context.Context, in *passkeyInput) (*entered, error) {
	r, err := response(in.Body.Value)
	if err != nil {
		return nil, err
	}
	return enteredAnswer(h.operations.FinishPasskeySignIn(ctx, in.Body.Value.Ticket, r, in.from(ctx)))
}

type idTokenInput struct {
	Browser
	Body body[sdk.IDTokenSignInRequest]
}

func (h signIns) idToken(ctx context.Context, in *idTokenInput) (*entered, error) {
	return enteredAnswer(h.operations.IDToken(ctx, in.Body.Value.Provider, in.Body.Value.IDToken, in.from(ctx)))
}

type signOutInput struct {
	strict
	Session string `cookie:"__Host-blueberry" maxLength:"512" doc:"The session that is to end"`
}

type signedOut struct {
	SetCookie string `header:"Set-Cookie" doc:"Takes the session out of the browser"`
}

func (h signIns) signOut(ctx context.Context, in *signOutInput) (*signedOut, error) {
	if in.Session != "" {
		if err := h.operations.SignOut(ctx, in.Session); err != nil {
			return nil, err
		}
	}
	return &signedOut{SetCookie: access.EndedCookie(access.SessionCookie).String()}, nil
}

type setupInput struct {
	Browser
	Body body[sdk.SetupRequest]
}

func (h signIns) setup(ctx context.Context, in *setupInput) (*entered, error) {
	b := in.Body.Value
	return enteredAnswer(h.operations.CompleteSetup(ctx, b.Link, access.NewOwner{Email: b.Email, Name: b.Name, Password: b.Password}, in.from(ctx)))
}

type acceptInput struct {
	Browser
	Body body[sdk.AcceptInvitationRequest]
}

func (h signIns) accept(ctx context.Context, in *acceptInput) (*entered, error) {
	b := in.Body.Value
	return enteredAnswer(h.operations.AcceptInvitation(ctx, b.Link, access.Acceptance{Name: b.Name, Password: b.Password}, in.from(ctx)))
}

type requestResetInput struct {
	Browser
	Body body[sdk.ResetRequest]
}

func (h signIns) requestReset(ctx context.Context, in *requestResetInput) (*nothing, error) {
	return &nothing{}, h.operations.RequestReset(ctx, in.Body.Value.Email, in.from(ctx))
}

type completeResetInput struct {
	Browser
	Body body[sdk.CompleteResetRequest]
}

func (h signIns) completeReset(ctx context.Context, in *completeResetInput) (*entered, error) {
	return enteredAnswer(h.operations.CompleteReset(ctx, in.Body.Value.Link, in.Body.Value.Password, in.from(ctx)))
}
