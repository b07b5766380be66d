package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// The errors of the protocol, by their names of RFC 6749 5.2, 4.1.2.1 and RFC 8628 3.5.
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	invalidGrant         = "invalid_grant"
	invalidScope         = "invalid_scope"
	unauthorizedClient   = "unauthorized_client"
	unsupportedGrantType = "unsupported_grant_type"
	unsupportedResponse  = "unsupported_response_type"
	accessDenied         = "access_denied"
	authorizationPending = "authorization_pending"
	slowDown             = "slow_down"
	expiredToken         = "expired_token"
	serverError          = "server_error"
)

// maxDescription bounds what a refusal repeats of a request.
const maxDescription = 300

// refusal is an answer of the protocol that is no success. It is kept, while any other error undoes what the request did.
type refusal struct {
	code   string // "invalid_grant"
	text   string // for people who write clients
	status int    // 0 means 400
	basic  bool   // the client tried HTTP Basic, and is told so
}

func (r *refusal) Error() string { return r.code + ": " + r.description() }

func refuse(code, text string) *refusal { return &refusal{code: code, text: text} }

// refusalOf turns an error of the library into ours; nil for what is no error of the protocol.
func refusalOf(err error) *refusal {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return r
	}
	var lib *fosite.RFC6749Error
	if !errors.As(err, &lib) || lib.CodeField >= http.StatusInternalServerError {
		return nil
	}
	text := lib.HintField
	if text == "" {
		text = lib.DescriptionField
	}
	return &refusal{code: lib.ErrorField, text: text, status: lib.CodeField}
}

// description is the text in the characters that RFC 6749 5.2 allows, without what looks like a secret.
func (r *refusal) description() string {
	text := strings.Map(func(c rune) rune {
		switch {
		case c == '"':
			return '\''
		case c < ' ' || c > '~' || c == '\\':
			return '?'
		}
		return c
	}, blueberry.Redact(r.text))
	if len(text) > maxDescription {
		text = text[:maxDescription]
	}
	return text
}

func (r *refusal) write(w http.ResponseWriter) {
	status := r.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if r.code == invalidClient {
		status = http.StatusUnauthorized
		if r.basic {
			w.Header().Set("WWW-Authenticate", `Basic realm="blueberry"`)
		}
	}
	writeJSON(w, status, map[string]any{"error": r.code, "error_description": r.description()})
}

// answer runs an endpoint. What is no refusal is logged and told as server_error.
func (s *Server) answer(endpoint func(ctx context.Context, r *http.Request, f form) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := readForm(w, r)
		var body any
		if err == nil {
			body, err = endpoint(r.Context(), r, f)
		}
		switch refused := refusalOf(err); {
		case err == nil && body == nil:
			noStore(w)
			w.WriteHeader(http.StatusOK)
		case err == nil:
			writeJSON(w, http.StatusOK, body)
		case refused != nil:
			refused.write(w)
		default:
			if r.Context().Err() == nil {
				s.Logger.ErrorContext(r.Context(), "OAuth request failed", "path", r.URL.Path, "error", err)
			}
			status := http.StatusInternalServerError
			if errors.Is(err, blueberry.Unavailable) {
				status = http.StatusServiceUnavailable
			}
			(&refusal{code: serverError, text: "the request could not be answered", status: status}).write(w)
		}
	})
}

func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache") // RFC 6749 5.1 asks for both
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	noStore(w)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
