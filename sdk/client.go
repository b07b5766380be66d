package sdk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls a Blueberry server. Set BaseURL and Token; the rest has defaults. A Client may be used by many goroutines at once and is not
// changed after its first call.
type Client struct {
	BaseURL    string       // "http://127.0.0.1:7080", with or without a path
	Token      string       // sent as Bearer token
	Tokens     TokenSource  // gives the token in its place, if set
	HTTPClient *http.Client // nil means http.DefaultClient. It must have no Timeout, or event streams end by it
	UserAgent  string       // empty means "blueberry-sdk"

	// Waits are the pauses before the second, third, … try of a call that may be repeated; after the last the call fails. Nil means MaxRetries pauses of
	// 1 s, 2 s, 4 s, …, each a little longer or shorter by chance, so that many clients do not come back at once. A server that asks for a longer pause gets
	// it, up to a minute. The caller's context ends a pause.
	Waits []time.Duration
	// MaxRetries is how often a call that may be repeated is tried again when Waits is nil. 0 means 2, below 0 never.
	MaxRetries int
	// Timeout of one try, streams apart. 0 means 60 s.
	Timeout time.Duration
	// Patience is how long a watch tries to get its stream back, and a call that may be repeated waits for an earlier try of its own on which the server still
	// works. 0 means 2 minutes; after these a server takes such a try for dead, and does the call.
	Patience time.Duration
	// OnRetry, if set, is told of each failed try before the pause that follows.
	OnRetry func(err error, wait time.Duration)
}

// Limits of one call.
const (
	defaultTimeout  = 60 * time.Second
	defaultPatience = 2 * time.Minute
	maxRetryAfter   = time.Minute
	maxRetries      = 2
	maxBackOff      = 32 * time.Second
	maxAnswer       = 64 << 20 // bytes: a rendering of 50 components is far below
)

func (c *Client) waits() []time.Duration {
	if c.Waits != nil {
		return c.Waits
	}
	n := c.MaxRetries
	if n == 0 {
		n = maxRetries
	}
	waits := make([]time.Duration, max(n, 0))
	for i := range waits {
		waits[i] = backOff(i)
	}
	return waits
}

func (c *Client) patience() time.Duration { return cmp.Or(c.Patience, defaultPatience) }

// backOff is the pause before the second, third, … try: 1 s, 2 s, 4 s, …, a fifth more or less.
func backOff(attempt int) time.Duration {
	wait := min(time.Second<<min(attempt, 10), maxBackOff)
	return wait - wait/5 + mathrand.N(2*wait/5)
}

// CallOption alters one call.
type CallOption func(*call)

// IfMatch lets the call succeed only while what it changes still has the version.
func IfMatch(version int64) CallOption {
	return func(c *call) { c.header.Set("If-Match", strconv.Quote(strconv.FormatInt(version, 10))) }
}

// IdempotencyKey makes calls with the same key one call. Without it each call of a method gets a key of its own.
func IdempotencyKey(key string) CallOption {
	return func(c *call) { c.header.Set("Idempotency-Key", key) }
}

// ApplyPlan lets a removal do just what the plan says.
func ApplyPlan(id string) CallOption {
	return func(c *call) { c.query.Set("plan_id", id) }
}

type call struct {
	method string
	path   string
	query  url.Values
	header http.Header
	body   any
	out    any
	single bool // the server does not remember it under a key, so it is never repeated: it signs in, or holds a password
}

func newCall(method string, path ...string) *call {
	var b strings.Builder
	b.WriteString("/v1")
	for _, p := range path {
		b.WriteString("/" + url.PathEscape(p))
	}
	return &call{method: method, path: b.String(), query: url.Values{}, header: http.Header{}}
}

func (c *call) set(name, value string) {
	if value != "" {
		c.query.Set(name, value)
	}
}

func (c *call) setInt(name string, value int64) {
	if value != 0 {
		c.query.Set(name, strconv.FormatInt(value, 10))
	}
}

// takesKey reports whether the server does calls of the method with one Idempotency-Key once.
func (c *call) takesKey() bool {
	return !c.single && (c.method == http.MethodPost || c.method == http.MethodPut || c.method == http.MethodPatch)
}

// repeatable reports whether doing the call twice is doing it once. The server takes the second of two removals for the first.
func (c *call) repeatable() bool {
	switch c.method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		return true
	}
	return c.header.Get("Idempotency-Key") != ""
}

// do makes the call, repeats it as the package promises, and decodes the answer.
func (c *Client) do(ctx context.Context, k *call, options ...CallOption) error {
	for _, o := range options {
		o(k)
	}
	if k.takesKey() && k.header.Get("Idempotency-Key") == "" {
		k.header.Set("Idempotency-Key", rand.Text())
	}
	var body []byte
	if k.body != nil {
		var err error
		if body, err = json.Marshal(k.body); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	waits, patience := c.waits(), c.patience()
	for tries, failed := 1, 0; ; tries++ {
		err := c.try(ctx, k, body)
		if err == nil || ctx.Err() != nil {
			return err
		}
		wait, again := c.pause(k, err, failed, waits)
		var p *Problem
		if errors.As(err, &p) && p.Code == CodeIdempotencyInProgress && len(waits) > 0 { // that is no failure: an answer is about to be there
			wait, again = min(max(backOff(tries-1-failed), p.RetryAfter), patience), patience > 0
			patience -= wait
		} else {
			failed++
		}
		if !again {
			return attempts(err, tries)
		}
		if c.OnRetry != nil {
			c.OnRetry(err, wait)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func attempts(err error, n int) error {
	var u *UnreachableError
	if errors.As(err, &u) {
		u.Attempts = n
	}
	return err
}

// pause tells whether a failed try is followed by another, and after how long.
func (c *Client) pause(k *call, err error, attempt int, waits []time.Duration) (time.Duration, bool) {
	if attempt >= len(waits) || !k.repeatable() {
		return 0, false
	}
	var p *Problem
	if errors.As(err, &p) {
		again := p.Status == http.StatusTooManyRequests || p.Status >= 500
		return max(min(p.RetryAfter, maxRetryAfter), waits[attempt]), again
	}
	var u *UnreachableError
	return waits[attempt], errors.As(err, &u)
}

// try makes the call once.
func (c *Client) try(ctx context.Context, k *call, body []byte) error {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	tryCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := c.send(tryCtx, k, body)
	if err != nil {
		return outerCause(ctx, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return outerCause(ctx, &UnreachableError{URL: c.BaseURL, Err: err})
	}
	if len(data) > maxAnswer {
		return fmt.Errorf("answer of %s is over %d bytes", k.path, maxAnswer)
	}
	if res.StatusCode >= 400 {
		return readProblem(res, data)
	}
	if k.out == nil {
		return nil
	}
	if err := json.Unmarshal(data, k.out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", k.path, err)
	}
	return nil
}

// outerCause tells the end of the caller's context from the end of one try.
func outerCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// send makes one request. A token that the server says is not valid is replaced once: the request was not done, so that sending it again is sending it once.
func (c *Client) send(ctx context.Context, k *call, body []byte) (*http.Response, error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	res, err := c.sendWith(ctx, k, body, token)
	source, ok := c.Tokens.(rejecter)
	if err != nil || !ok || !rejectsToken(res) {
		return res, err
	}
	res.Body.Close()
	source.Reject(token)
	if token, err = c.token(ctx); err != nil {
		return nil, err
	}
	return c.sendWith(ctx, k, body, token)
}

func (c *Client) token(ctx context.Context) (string, error) {
	if c.Tokens == nil {
		return c.Token, nil
	}
	return c.Tokens.Token(ctx)
}

// rejectsToken reports whether an answer says that the token is not valid (RFC 6750 3.1), and not only that more is needed.
func rejectsToken(res *http.Response) bool {
	return res.StatusCode == http.StatusUnauthorized && strings.Contains(res.Header.Get("WWW-Authenticate"), `error="invalid_token"`)
}

func (c *Client) sendWith(ctx context.Context, k *call, body []byte, token string) (*http.Response, error) {
	u := strings.TrimRight(c.BaseURL, "/") + k.path
	if len(k.query) > 0 {
		u += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, u, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("address of the server: %w", err)
	}
	for name, values := range k.header {
		req.Header[name] = values
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json, application/problem+json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	agent := c.UserAgent
	if agent == "" {
		agent = "blueberry-sdk"
	}
	req.Header.Set("User-Agent", agent)
	hc := c.HTTPClient
	if hc == nil {
		hc = http.DefaultClient
	}
	res, err := hc.Do(req)
	if err != nil {
		return nil, unreachable(c.BaseURL, err)
	}
	return res, nil
}

// unreachable says that no answer came. The URL is told by its base; its query may hold more than a log should.
func unreachable(base string, err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return &UnreachableError{URL: base, Err: err}
}

func readProblem(res *http.Response, data []byte) error {
	p := problemOf(res.StatusCode)
	if media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); media == "application/problem+json" {
		var told Problem
		if json.Unmarshal(data, &told) == nil && told.Status != 0 {
			p = &told
		}
	}
	p.RetryAfter = retryAfter(res)
	return p
}

// retryAfter is how long an answer asks to wait; 0 if it does not say.
func retryAfter(res *http.Response) time.Duration {
	told := res.Header.Get("Retry-After")
	if s, err := strconv.ParseUint(told, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(told); err == nil {
		return max(time.Until(at).Round(time.Second), 0)
	}
	return 0
}

// sleep waits, or returns the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
