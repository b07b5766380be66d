package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Idempotency remembers the answers of calls that carry an Idempotency-Key.
type Idempotency interface {
	// ReserveIdempotency takes the key for a call. It returns nil when the key is now ours, else what is known of the call that has it: its
	// answer, or one with Status 0 while it runs. A key without an answer for blueberry.IdempotencyPatience belongs to a process that died,
	// and is taken over.
	ReserveIdempotency(ctx context.Context, actor, key, requestDigest string, now time.Time) (*blueberry.IdempotentAnswer, error)
	// FinishIdempotency keeps the answer of a reserved key.
	FinishIdempotency(ctx context.Context, a blueberry.IdempotentAnswer) error
	// ReleaseIdempotency gives a reserved key back.
	ReleaseIdempotency(ctx context.Context, actor, key string) error
}

const keepTime = 5 * time.Second // to keep an answer after the client has gone

// idempotencyKey allows every kind of key that clients make: UUIDs, ULIDs, base64.
var idempotencyKey = regexp.MustCompile(`^[\x21-\x7e]{1,128}$`)

// takesKey reports whether calls of the method can be made once by their Idempotency-Key. A removal needs none: the second of two is taken for the first.
func takesKey(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// once lets a write with an Idempotency-Key do its work once: the same call again gets the same answer.
func (g *gateway) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if !takesKey(r.Method) || key == "" || forgets(r) {
			next.ServeHTTP(w, r)
			return
		}
		if !idempotencyKey.MatchString(key) {
			g.refuse(w, r, blueberry.Faults{{Field: "Idempotency-Key", Code: "pattern", Message: "must be 1 to 128 visible ASCII characters"}}.Err())
			return
		}
		digest, err := digestOf(r)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		actor := actorOf(r.Context()).Holder()
		known, err := g.idempotency.ReserveIdempotency(r.Context(), actor, key, digest, g.now())
		switch {
		case err != nil:
			g.refuse(w, r, fmt.Errorf("reserve idempotency key: %w", err))
		case known == nil:
			g.first(w, r, next, blueberry.IdempotentAnswer{Key: key, Actor: actor, RequestDigest: digest})
		case known.RequestDigest != digest:
			g.refuse(w, r, blueberry.Errorf(blueberry.Conflict, "IDEMPOTENCY_KEY_REUSED", "the key was used before with another request"))
		case known.Status == 0:
			w.Header().Set("Retry-After", "1")
			g.refuse(w, r, blueberry.Errorf(blueberry.Conflict, sdk.CodeIdempotencyInProgress, "the first call with this key still runs"))
		default:
			replay(w, known)
		}
	})
}

// forgets reports whether calls of the request's route are never remembered: nobody known asks, or the body holds a password.
func forgets(r *http.Request) bool {
	route := exchangeOf(r.Context()).route
	return publicRoutes()[route] || passwordRoutes()[route]
}

// first makes the call and keeps its answer; what may end differently next time is not kept.
func (g *gateway) first(w http.ResponseWriter, r *http.Request, next http.Handler, a blueberry.IdempotentAnswer) {
	rec := &recorder{ResponseWriter: w}
	kept := false
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), keepTime)
		defer cancel()
		var err error
		if kept {
			err = g.idempotency.FinishIdempotency(ctx, a)
		} else {
			err = g.idempotency.ReleaseIdempotency(ctx, a.Actor, a.Key)
		}
		if err != nil {
			g.logger.ErrorContext(ctx, "answer of an idempotent call not kept", "request_id", exchangeOf(r.Context()).id, "error", err)
		}
	}()
	next.ServeHTTP(rec, r)
	if rec.status < 200 || rec.status >= 500 || rec.status == statusClosed {
		return
	}
	a.Status, a.Body, a.CreatedAt, a.Header = rec.status, rec.body.Bytes(), g.now(), map[string]string{}
	if secretRoutes()[exchangeOf(r.Context()).route] && rec.status < 300 {
		a.Status, a.Body = http.StatusConflict, told(r) // with the Location of what was made
		a.Header["Content-Type"] = problemType
		if at := w.Header().Get("Location"); at != "" {
			a.Header["Location"] = at
		}
		kept = true
		return
	}
	for _, name := range []string{"Content-Type", "Location", "ETag"} {
		if v := w.Header().Get(name); v != "" {
			a.Header[name] = v
		}
	}
	kept = true
}

// told is the answer to a second call with the key of one whose answer told a secret.
func told(r *http.Request) []byte {
	p := newProblem(http.StatusConflict, "SECRET_TOLD", "the call was done, and its one answer told the secret; make a new one if it was lost")
	p.Instance, p.RequestID = exchangeOf(r.Context()).path, exchangeOf(r.Context()).id
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and numbers are always JSON
	}
	return data
}

func replay(w http.ResponseWriter, a *blueberry.IdempotentAnswer) {
	for name, v := range a.Header {
		w.Header().Set(name, v)
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client may be gone
}

// digestOf tells one request from another, and gives the body back for the route.
func digestOf(r *http.Request) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n%s\n", r.Method, r.URL.RequestURI(), r.Header.Get("If-Match"))
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return "", fmt.Errorf("read body: %w", err)
		}
		h.Write(data)
		r.Body = io.NopCloser(bytes.NewReader(data))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// recorder keeps a copy of the answer that it passes on.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (c *recorder) WriteHeader(status int) {
	if c.status == 0 && status >= 200 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write copies.
func (c *recorder) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *recorder) Unwrap() http.ResponseWriter { return c.ResponseWriter }
