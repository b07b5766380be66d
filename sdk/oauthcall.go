package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// OAuthError is a refusal of an OAuth endpoint (RFC 6749 5.2).
type OAuthError struct {
	Code        string `json:"error"` // "invalid_grant"
	Description string `json:"error_description"`
	Status      int    `json:"-"`

	retryAfter time.Duration
}

// Error gives the description, or the code.
func (e *OAuthError) Error() string {
	if e.Description == "" {
		return e.Code
	}
	return e.Code + ": " + e.Description
}

// TokenPair is an access token, and the refresh token that gets the next pair.
type TokenPair struct {
	Access    string    `json:"access_token"`
	Refresh   string    `json:"refresh_token,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // of Access; zero means never
}

// String keeps the secrets out of logs.
func (p TokenPair) String() string {
	return "a pair of tokens until " + p.ExpiresAt.Format(time.RFC3339)
}

// GoString keeps the secrets out of logs.
func (p TokenPair) GoString() string { return "sdk.TokenPair{…}" }

// maxTokenAnswer bounds the answer of an OAuth endpoint, in bytes.
const maxTokenAnswer = 1 << 20

// oauthApp is a client of the server's OAuth endpoints.
type oauthApp struct {
	baseURL, id, secret string
	http                *http.Client
}

// tokenAnswer is what the token endpoint gives.
type tokenAnswer struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int64  `json:"expires_in"`
}

// pair asks the token endpoint. replay says that asking again, when nobody knows whether the first was heard, does no harm.
func (a oauthApp) pair(ctx context.Context, form url.Values, replay bool) (TokenPair, error) {
	var got tokenAnswer
	begin := time.Now()
	if err := a.repeated(ctx, "/oauth/token", form, &got, replay); err != nil {
		return TokenPair{}, err
	}
	return got.pair(begin)
}

// once asks the token endpoint one time.
func (a oauthApp) once(ctx context.Context, form url.Values) (TokenPair, error) {
	var got tokenAnswer
	begin := time.Now()
	if err := a.post(ctx, "/oauth/token", form, &got); err != nil {
		return TokenPair{}, err
	}
	return got.pair(begin)
}

// pair counts the life from when it was asked for, so that it is never thought longer than it is.
func (got tokenAnswer) pair(begin time.Time) (TokenPair, error) {
	if got.Access == "" {
		return TokenPair{}, errors.New("the token endpoint gave no token")
	}
	p := TokenPair{Access: got.Access, Refresh: got.Refresh}
	if got.ExpiresIn > 0 {
		p.ExpiresAt = begin.Add(time.Duration(got.ExpiresIn) * time.Second)
	}
	return p, nil
}

// repeated is post, with the pauses of a Client.
func (a oauthApp) repeated(ctx context.Context, path string, form url.Values, out any, replay bool) error {
	for attempt := 0; ; attempt++ {
		err := a.post(ctx, path, form, out)
		wait, again := oauthPause(err, attempt, replay)
		if err == nil || !again || ctx.Err() != nil {
			return attempts(err, attempt+1)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func oauthPause(err error, attempt int, replay bool) (time.Duration, bool) {
	if attempt >= maxRetries {
		return 0, false
	}
	var refused *OAuthError
	var unreachable *UnreachableError
	var dial *net.OpError
	switch {
	case errors.As(err, &refused):
		switch refused.Status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			return max(min(refused.retryAfter, maxRetryAfter), backOff(attempt)), true
		case http.StatusBadGateway, http.StatusGatewayTimeout:
			return backOff(attempt), replay
		}
	case errors.As(err, &unreachable):
		never := errors.As(err, &dial) && dial.Op == "dial" // nothing was sent
		return backOff(attempt), replay || never
	}
	return 0, false
}

// post asks an endpoint once. Who asks is told in the form: servers must take it there (RFC 6749 2.3.1), and nothing has to be escaped twice.
func (a oauthApp) post(ctx context.Context, path string, form url.Values, out any) error {
	form.Set("client_id", a.id)
	if a.secret != "" {
		form.Set("client_secret", a.secret)
	}
	address := strings.TrimRight(a.baseURL, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("address of the server: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	hc := http.DefaultClient
	if a.http != nil {
		hc = a.http
	}
	res, err := hc.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return unreachable(a.baseURL, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxTokenAnswer))
	if err != nil {
		return &UnreachableError{URL: a.baseURL, Err: err}
	}
	if res.StatusCode >= 300 {
		return oauthRefusal(res, data)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("answer of %s is not JSON", path) // the cause would repeat what may be a secret
	}
	return nil
}

func oauthRefusal(res *http.Response, data []byte) error {
	e := &OAuthError{}
	if json.Unmarshal(data, e) != nil || e.Code == "" {
		e = &OAuthError{Code: "http_" + strconv.Itoa(res.StatusCode), Description: problemOf(res.StatusCode).Detail}
	}
	e.Status, e.retryAfter = res.StatusCode, retryAfter(res)
	return e
}
