package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of what a host is asked.
const (
	maxHostAnswer = 16 << 20 // bytes
	longestPause  = time.Hour
	shortPause    = time.Minute // after a refusal for the number of calls that does not say for how long
	callTimeout   = 20 * time.Second
	// MaxSwept is how many pull requests one sweep reads at most, the newest change first.
	MaxSwept = 2000
)

// Connection is one host as it is spoken to for one repository.
type Connection struct {
	Client     *http.Client
	API        string // without a slash at its end
	Repository string // name, as the host calls it: "acme/shop"
	Access     blueberry.HostAPI
	Credential string // token, or private key of an App
	Now        func() time.Time
	Token      string              // that requests bear and Git clones with, made of the credential; Speaker.Connect sets it
	Sign       func(*http.Request) // puts it on a request; Speaker.Connect sets it
	Header     http.Header         // that every request has
}

// HostError is that a host did not do what it was asked. It holds nothing of the credential.
type HostError struct {
	Status int       // of HTTP; 0 when there was no answer
	Until  time.Time // before then the host wants no calls; zero for others
	Text   string
}

func (e *HostError) Error() string { return e.Text }

// HostStatus is the status of HTTP with which a host refused, or 0.
func HostStatus(err error) int {
	var e *HostError
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Call sends in as JSON, unless it is nil, and reads the answer into out, unless that is nil. path begins with a slash and may have a query; parts of it that
// come from outside are escaped by the caller. An answer that is no 2xx is a HostError, but 304, which is the answer to the header If-None-Match.
func (c *Connection) Call(ctx context.Context, method, path string, header http.Header, in, out any) (http.Header, int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var body io.Reader = http.NoBody
	if in != nil {
		js, err := json.Marshal(in)
		if err != nil {
			return nil, 0, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(js)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.API+path, body)
	if err != nil {
		return nil, 0, &HostError{Text: "the address of the API cannot be asked"}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "blueberry")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, from := range []http.Header{c.Header, header} {
		for name, values := range from {
			req.Header[name] = values
		}
	}
	if c.Sign != nil {
		c.Sign(req)
	}
	res, err := c.Client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return nil, 0, &HostError{Text: fmt.Sprintf("the host does not answer: %v", err)}
	}
	defer res.Body.Close()
	js, err := io.ReadAll(io.LimitReader(res.Body, maxHostAnswer+1))
	switch {
	case res.StatusCode == http.StatusNotModified:
		return res.Header, res.StatusCode, nil
	case res.StatusCode < 200 || res.StatusCode > 299:
		return res.Header, res.StatusCode, c.refusal(res, js)
	case err != nil || len(js) > maxHostAnswer:
		return res.Header, res.StatusCode, &HostError{Text: "the answer of the host could not be read in full"}
	case out == nil:
		return res.Header, res.StatusCode, nil
	}
	if err := json.Unmarshal(js, out); err != nil {
		return res.Header, res.StatusCode, &HostError{Status: res.StatusCode, Text: "the answer of the host is not what its API says: is the address that of an API?"}
	}
	return res.Header, res.StatusCode, nil
}

// refusal is what an answer means that is no 2xx.
func (c *Connection) refusal(res *http.Response, body []byte) error {
	e := &HostError{Status: res.StatusCode, Until: c.pause(res, body)}
	said := ""
	var js struct {
		Message any `json:"message"`
	}
	if json.Unmarshal(body, &js) == nil {
		if text, ok := js.Message.(string); ok && text != "" {
			said = ": " + short(c.without(text))
		}
	}
	switch {
	case !e.Until.IsZero():
		e.Text = fmt.Sprintf("the host wants no more calls before %s", e.Until.UTC().Format(time.RFC3339))
	case res.StatusCode == http.StatusUnauthorized:
		e.Text = "the host does not take the credential: it has ended, was revoked, or is another one's"
	case res.StatusCode == http.StatusForbidden:
		e.Text = "the credential may not do this" + said
	case res.StatusCode == http.StatusNotFound:
		e.Text = "the host knows no such thing, or the credential may not see it"
	case res.StatusCode/100 == 3:
		e.Text = "the repository has moved: the host names another address"
	default:
		e.Text = fmt.Sprintf("the host answered %d%s", res.StatusCode, said)
	}
	return e
}

// without is a text of the host without what nobody may read: some repeat what they were sent.
func (c *Connection) without(text string) string {
	for _, secret := range []string{c.Credential, c.Token} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}

// pause is when a host that is asked too often wants to be asked again; zero for any other answer. Hosts tell in seconds, by a time, or not at all.
func (c *Connection) pause(res *http.Response, body []byte) time.Time {
	now, h := c.Now(), res.Header
	spent := first(h, "X-RateLimit-Remaining", "RateLimit-Remaining") == "0"
	after, asked := retryAfter(h.Get("Retry-After"), now)
	limited := res.StatusCode == http.StatusTooManyRequests ||
		res.StatusCode == http.StatusForbidden && (spent || asked || strings.Contains(strings.ToLower(string(body[:min(len(body), 1000)])), "rate limit"))
	if !limited && (res.StatusCode != http.StatusServiceUnavailable || !asked) {
		return time.Time{}
	}
	if !asked && spent {
		if n, err := strconv.ParseInt(first(h, "X-RateLimit-Reset", "RateLimit-Reset"), 10, 64); err == nil && n > 0 {
			if after, asked = time.Unix(n, 0), true; n < 1<<30 { // some tell seconds from now
				after = now.Add(time.Duration(n) * time.Second)
			}
		}
	}
	if !asked {
		return now.Add(shortPause)
	}
	if after.Before(now.Add(time.Second)) {
		after = now.Add(time.Second)
	}
	if most := now.Add(longestPause); after.After(most) {
		return most
	}
	return after
}

func retryAfter(text string, now time.Time) (time.Time, bool) {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 1<<30 {
		return now.Add(time.Duration(n) * time.Second), true
	}
	at, err := http.ParseTime(text)
	return at, err == nil
}

func first(h http.Header, names ...string) string {
	for _, name := range names {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	return ""
}
