package sdk

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DeviceLogin lets a user in by a browser on any machine (RFC 8628). Set BaseURL and ID.
type DeviceLogin struct {
	BaseURL    string   // of the server
	ID         string   // of the OAuth client
	Scopes     []string // as "environments:read", "*:*" for all that the user may do, "offline_access" for a refresh token
	HTTPClient *http.Client
}

// DeviceCode is what the user is told, and what the program waits with.
type DeviceCode struct {
	UserCode  string        // to type, as "WDJB-MJHT"
	URL       string        // where to type it
	URLFilled string        // the same page with the code in it; may be empty
	ExpiresAt time.Time     // nobody can let the program in after this
	Interval  time.Duration // between two questions whether the user has decided

	secret string
}

// pollInterval is that of a server that names none (RFC 8628 3.2), and what slow_down adds.
const pollInterval = 5 * time.Second

// Start asks for a code.
func (d *DeviceLogin) Start(ctx context.Context) (DeviceCode, error) {
	var got struct {
		Secret    string `json:"device_code"`
		UserCode  string `json:"user_code"`
		URL       string `json:"verification_uri"`
		URLFilled string `json:"verification_uri_complete"`
		ExpiresIn int64  `json:"expires_in"`
		Interval  int64  `json:"interval"`
	}
	begin := time.Now()
	if err := d.app().repeated(ctx, "/oauth/device_authorization", url.Values{"scope": {strings.Join(d.Scopes, " ")}}, &got, true); err != nil {
		return DeviceCode{}, err
	}
	if got.Secret == "" || got.UserCode == "" || got.URL == "" {
		return DeviceCode{}, errors.New("the server gave no code")
	}
	code := DeviceCode{
		UserCode: got.UserCode, URL: got.URL, URLFilled: got.URLFilled, ExpiresAt: begin.Add(time.Duration(got.ExpiresIn) * time.Second),
		Interval: time.Duration(got.Interval) * time.Second, secret: got.Secret,
	}
	if code.Interval <= 0 {
		code.Interval = pollInterval
	}
	return code, nil
}

// Wait asks until the user has decided. A no is an OAuthError with the code access_denied, and no decision in time is one with expired_token.
func (d *DeviceLogin) Wait(ctx context.Context, code DeviceCode) (TokenPair, error) {
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code.secret}}
	for interval := code.Interval; ; {
		if !time.Now().Add(interval).Before(code.ExpiresAt) {
			return TokenPair{}, &OAuthError{Code: "expired_token", Description: "nobody decided in time", Status: http.StatusBadRequest}
		}
		if err := sleep(ctx, interval); err != nil {
			return TokenPair{}, err
		}
		pair, err := d.poll(ctx, form)
		if err == nil || ctx.Err() != nil {
			return pair, err
		}
		var refused *OAuthError
		var lost *UnreachableError
		switch {
		case errors.As(err, &lost):
			interval = min(2*interval, time.Minute) // RFC 8628 3.5
		case !errors.As(err, &refused):
			return TokenPair{}, err
		case refused.Code == "authorization_pending":
		case refused.Code == "slow_down":
			interval += pollInterval
		case refused.Status == http.StatusTooManyRequests || refused.Status >= 500:
			interval = max(min(refused.retryAfter, maxRetryAfter), interval)
		default:
			return TokenPair{}, err
		}
	}
}

func (d *DeviceLogin) poll(ctx context.Context, form url.Values) (TokenPair, error) {
	try, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	pair, err := d.app().once(try, form)
	if err != nil && try.Err() != nil && ctx.Err() == nil {
		err = &UnreachableError{URL: d.BaseURL, Err: err}
	}
	return pair, err
}

func (d *DeviceLogin) app() oauthApp {
	return oauthApp{baseURL: d.BaseURL, id: d.ID, http: d.HTTPClient}
}
