package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// challengeForm is base64url of a SHA-256 (RFC 7636 4.2).
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Ask is what a client asks of a person.
type Ask struct {
	Client      blueberry.OAuthClient
	Scopes      []ScopeText
	RedirectURI string // where the browser goes with the answer

	scopes    []string
	state     string
	challenge string
}

// ScopeNames are the scopes without their texts, for Consented.
func (a Ask) ScopeNames() []string { return slices.Clone(a.scopes) }

// AskError is a request of a client that no person is asked about.
type AskError struct {
	Code string // of RFC 6749 4.1.2.1: "invalid_request"
	Text string // for people

	// Redirect is where the browser goes with the error. It is empty until client and redirect URI are proven: then the error is shown, and nothing of the
	// request is followed.
	Redirect string
}

// Error gives code and text.
func (e *AskError) Error() string { return e.Code + ": " + e.Text }

// Asked reads the authorization request in the address of r, or gives an *AskError. It looks at nothing but the address, so it reads the same when a person's
// decision is posted to it.
func (s *Server) Asked(ctx context.Context, r *http.Request) (Ask, error) {
	shown := func(text string) error { return &AskError{Code: invalidRequest, Text: text} }
	if len(r.URL.RawQuery) > maxQuery {
		return Ask{}, shown("the address is too long")
	}
	f, twice, err := parseParameters(r.URL.RawQuery)
	if err != nil {
		return Ask{}, shown(refusalOf(err).description())
	}
	if f.get("client_id") == "" || f.get("redirect_uri") == "" {
		return Ask{}, shown("the request must name its client_id and redirect_uri, each once")
	}
	var c blueberry.OAuthClient
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		c, err = tx.OAuthClient(ctx, f.get("client_id"))
		return err
	})
	if err != nil && !errors.Is(err, blueberry.NotFound) {
		return Ask{}, err
	}
	if err != nil || c.Disabled {
		return Ask{}, &AskError{Code: invalidClient, Text: "the program that sent you here is not known"}
	}
	a := Ask{Client: c, RedirectURI: f.get("redirect_uri"), state: f.get("state"), challenge: f.get("code_challenge")}
	if !matchesRedirect(c, a.RedirectURI) {
		return Ask{}, shown("the program that sent you here wants you back at an address that it is not registered with")
	}
	if twice != "" {
		return Ask{}, s.sentBack(a, refuse(invalidRequest, twice+" is given twice"))
	}
	if refused := a.check(f); refused != nil {
		return Ask{}, s.sentBack(a, refused)
	}
	return a, nil
}

// check reads the rest of a request whose client and redirect URI are proven.
func (a *Ask) check(f form) *refusal {
	switch {
	case f.get("response_type") == "":
		return refuse(invalidRequest, "response_type is missing")
	case f.get("response_type") != "code":
		return refuse(unsupportedResponse, "response_type must be code")
	case f.get("response_mode") != "" && f.get("response_mode") != "query":
		return refuse(invalidRequest, "response_mode must be query")
	case f.get("request") != "":
		return refuse("request_not_supported", "request objects are not supported")
	case f.get("request_uri") != "":
		return refuse("request_uri_not_supported", "request_uri is not supported")
	case !slices.Contains(a.Client.Flows, blueberry.FlowCode):
		return refuse(unauthorizedClient, "the client has no authorization code flow")
	case a.challenge == "":
		return refuse(invalidRequest, "code_challenge is missing: PKCE is needed of every client")
	case f.get("code_challenge_method") != "S256":
		return refuse(invalidRequest, "code_challenge_method must be S256")
	case !challengeForm.MatchString(a.challenge):
		return refuse(invalidRequest, "code_challenge must be the base64url form of a SHA-256")
	}
	scopes, refused := askedScopes(a.Client, f.get("scope"))
	a.scopes, a.Scopes = scopes, ScopeTexts(scopes)
	return refused
}

// sentBack is a refusal that the client is told by the browser.
func (s *Server) sentBack(a Ask, r *refusal) *AskError {
	return &AskError{Code: r.code, Text: r.description(), Redirect: s.back(a, url.Values{"error": {r.code}, "error_description": {r.description()}})}
}

// back is the redirect URI with an answer. It names the issuer, so that a client of several servers sees who answers (RFC 9207).
func (s *Server) back(a Ask, answer url.Values) string {
	answer.Set("iss", s.Issuer)
	if a.state != "" {
		answer.Set("state", a.state)
	}
	joint := "?"
	if strings.Contains(a.RedirectURI, "?") {
		joint = "&" // what the client registered stays, byte for byte
	}
	return a.RedirectURI + joint + answer.Encode()
}
