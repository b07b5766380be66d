package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/web/look"
	"github.com/blueberry-idp/blueberry/internal/web/static"
)

// SignIn is how people come in, and how they prove who they are.
type SignIn interface {
	Ways(ctx context.Context) (access.Ways, error)
	Password(ctx context.Context, a access.PasswordAttempt) (access.Entered, error)
	SignOut(ctx context.Context, secret string) error
	CompleteSetup(ctx context.Context, link string, o access.NewOwner, from access.From) (access.Entered, error)
	InvitationOf(ctx context.Context, link string) (blueberry.User, error)
	AcceptInvitation(ctx context.Context, link string, a access.Acceptance, from access.From) (access.Entered, error)
	RequestReset(ctx context.Context, email string, from access.From) error
	CompleteReset(ctx context.Context, link, password string, from access.From) (access.Entered, error)
}

// Providers are sign-ins by someone else's word.
type Providers interface {
	BeginProvider(ctx context.Context, name string, s access.ProviderStart) (redirect, state string, err error)
	FinishProvider(ctx context.Context, name string, r access.ProviderReturn) (access.Entered, error)
}

// Passkeys are sign-ins by WebAuthn credentials.
type Passkeys interface {
	BeginPasskeySignIn(ctx context.Context) (options json.RawMessage, ticket string, err error)
	FinishPasskeySignIn(ctx context.Context, ticket string, response json.RawMessage, from access.From) (access.Entered, error)
}

// OAuth is the decisions of people about programs.
type OAuth interface {
	// Asked reads what a program asks for, or gives an *oauth.AskError.
	Asked(ctx context.Context, r *http.Request) (oauth.Ask, error)
	// Consented reports whether the user need not be asked again.
	Consented(ctx context.Context, user blueberry.Actor, clientID string, scopes []string) bool
	// Decide answers the program, or gives an error that must be shown.
	Decide(ctx context.Context, w http.ResponseWriter, r *http.Request, user blueberry.Actor, allow bool) error
	DeviceOf(ctx context.Context, user blueberry.Actor, userCode string) (oauth.DeviceAsk, error)
	DecideDevice(ctx context.Context, user blueberry.Actor, userCode string, allow bool) error
}

// Gate proves sessions.
type Gate interface {
	Authenticate(ctx context.Context, credential string) (blueberry.Actor, error)
}

// Sealer hides what a page carries for the server alone.
type Sealer interface {
	Seal(plain []byte, bound string) ([]byte, error)
	Open(sealed []byte, bound string) ([]byte, error)
}

// Pages serves them. Every field must be set but Logger.
type Pages struct {
	SignIn    SignIn
	Providers Providers
	Passkeys  Passkeys
	OAuth     OAuth
	Leases    Leases
	Gate      Gate
	Seal      Sealer
	Now       func() time.Time
	Logger    *slog.Logger
}

// Routes gives the patterns of http.ServeMux with their handlers.
func (p *Pages) Routes() map[string]http.Handler {
	routes := map[string]http.HandlerFunc{
		"GET /signin": p.signIn, "POST /signin": p.signInByPassword, "POST /signin/code": p.signInByCode, "POST /signout": p.signOut,
		"POST /signin/passkey/options": p.passkeySignInOptions, "POST /signin/passkey": p.passkeySignIn,
		"POST /signin/providers/{provider}": p.beginProvider, "GET " + access.ProviderReturnPath("{provider}"): p.finishProvider,
		"GET /setup": p.setup, "POST /setup": p.completeSetup, "GET /invitation": p.invitation, "POST /invitation": p.acceptInvitation,
		"GET /forgot": p.forgot, "POST /forgot": p.requestReset, "GET /reset": p.reset, "POST /reset": p.completeReset,
		"GET /extend": p.extend, "POST /extend": p.completeExtend,
		"GET " + oauth.AuthorizePath: p.SignedIn(p.authorize), "POST " + oauth.AuthorizePath: p.SignedIn(p.decide),
		"GET " + oauth.DevicePath: p.SignedIn(p.device), "POST " + oauth.DevicePath: p.SignedIn(p.decideDevice),
	}
	out := map[string]http.Handler{"GET /static/": http.StripPrefix("/static/", static.Handler())}
	for pattern, h := range routes {
		out[pattern] = p.Page(h)
	}
	return out
}

// Page sets what every page has: its policy, and that nobody keeps it.
func (p *Pages) Page(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		look.Guard(w.Header())
		next(w, r)
	})
}

// show writes a page.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := c.Render(look.WithTheme(r.Context(), r), w); err != nil {
		p.Logger.DebugContext(r.Context(), "page was not written whole", "error", err) // the reader is gone
	}
}

// form reads a form of bounded size; the gateway bounds it, too.
func form(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, blueberry.Errorf(blueberry.Malformed, "FORM_UNREADABLE", "the form cannot be read")
	}
	return r.PostForm, nil
}

// SignedIn lets only people on, and sends others to sign in and back.
func (p *Pages) SignedIn(next func(w http.ResponseWriter, r *http.Request, user blueberry.Actor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		secret := access.SessionOf(r)
		if secret != "" {
			user, err := p.Gate.Authenticate(r.Context(), secret)
			switch {
			case err == nil:
				next(w, r, user)
				return
			case !errors.Is(err, blueberry.Unauthenticated):
				p.refuse(w, r, err)
				return
			}
		}
		if r.Header.Get("Hx-Request") == "true" { // a page that is open: a redirect would be followed, and taken for news
			w.Header().Set("Hx-Refresh", "true")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		back := "/account"
		if r.Method == http.MethodGet {
			back = r.URL.RequestURI()
		}
		http.Redirect(w, r, "/signin?"+url.Values{"return_to": {back}}.Encode(), http.StatusSeeOther)
	}
}

// Again proves once more who looks at a page that stays open.
func (p *Pages) Again(ctx context.Context, r *http.Request) (blueberry.Actor, error) {
	return p.Gate.Authenticate(ctx, access.SessionOf(r))
}

// from is where the request comes from.
func (p *Pages) from(r *http.Request) access.From {
	call := blueberry.CallOf(r.Context())
	return access.From{Address: call.Address, UserAgent: call.UserAgent, Device: cookie(r, access.DeviceCookie)}
}
