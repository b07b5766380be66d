package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const problemType = "application/problem+json"

// statusClosed is what the log says when the client left before the answer.
const statusClosed = 499

// kind is how one kind of error looks on the wire.
type kind struct {
	kind blueberry.Kind
	code string // when the error has none of its own
	doc  string // for the reference page
}

// kinds is the one table from kinds to statuses.
func kinds() []kind {
	return []kind{
		{blueberry.Malformed, "MALFORMED", "The request cannot be read."},
		{blueberry.Unauthenticated, "UNAUTHENTICATED", "The call has no token, or one that is not valid."},
		{blueberry.Forbidden, "FORBIDDEN", "The token lacks the grant that the detail names."},
		{blueberry.NotFound, "NOT_FOUND", "There is no such thing."},
		{blueberry.Conflict, "CONFLICT", "The state does not allow it, or the name is taken."},
		{blueberry.PreconditionFailed, "PRECONDITION_FAILED", "It has changed since the version that If-Match names."},
		{blueberry.TooLarge, "TOO_LARGE", "The request is larger than the server takes."},
		{blueberry.Invalid, "INVALID", "One or more fields are not valid; errors lists every fault."},
		{blueberry.TooMany, "TOO_MANY_REQUESTS", "Too many calls; Retry-After says when to come back."},
		{blueberry.Unavailable, "UNAVAILABLE", "Something that the server needs is down; the same call may succeed later."},
	}
}

// problem makes the problem document of an error. It reports false for an error that is not for users: its text is withheld.
func problem(err error) (*sdk.Problem, bool) {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		var k blueberry.Kind
		if !errors.As(err, &k) {
			if errors.Is(err, context.DeadlineExceeded) {
				return newProblem(http.StatusServiceUnavailable, "DEADLINE_EXCEEDED", "the call took longer than it may"), false
			}
			return newProblem(http.StatusInternalServerError, "INTERNAL", "the server failed; its log says why, under the request id"), false
		}
		e = &blueberry.Error{Kind: k}
	}
	for _, k := range kinds() {
		if k.kind != e.Kind {
			continue
		}
		p := newProblem(k.kind.Status(), cmp.Or(e.Code, k.code), e.Detail)
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, sdk.FieldError{Field: f.Field, Code: f.Code, Message: f.Message})
		}
		return p, true
	}
	return newProblem(http.StatusInternalServerError, "INTERNAL", "the server failed; its log says why, under the request id"), false
}

func newProblem(status int, code, detail string) *sdk.Problem {
	p := &sdk.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
	for _, k := range kinds() {
		if k.kind.Status() == status {
			p.Type = "/docs#" + k.anchor()
		}
	}
	return p
}

// anchor is where the reference page explains the kind.
func (k kind) anchor() string { return "problem-" + strings.ReplaceAll(string(k.kind), " ", "-") }

// refusal is a problem that huma can write.
type refusal struct {
	*sdk.Problem
	header http.Header
}

// GetStatus gives the HTTP status.
func (r refusal) GetStatus() int { return r.Status }

// GetHeaders gives the headers that belong to the problem.
func (r refusal) GetHeaders() http.Header { return r.header }

// ContentType says that it is a problem.
func (r refusal) ContentType(string) string { return problemType }

// refuse makes what an operation's error becomes on the wire, and logs the ones whose text is withheld.
func refuse(ctx context.Context, logger *slog.Logger, err error) refusal {
	x := exchangeOf(ctx)
	p, told := problem(err)
	p.Instance, p.RequestID = x.path, x.id
	if !told {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			p = newProblem(statusClosed, "CLIENT_CLOSED", "the client left before the answer")
		} else {
			logger.ErrorContext(ctx, "request failed", "request_id", x.id, "method", x.method, "path", x.path, "error", err)
		}
	}
	x.problem = p
	var e *blueberry.Error
	if errors.As(err, &e) {
		x.denied, x.deniedIn = e.Denied, e.DeniedIn
	}
	h := problemHeader(p)
	if wait := access.RetryAfter(err); wait != "" {
		h.Set("Retry-After", wait)
	}
	return refusal{Problem: p, header: h}
}

func problemHeader(p *sdk.Problem) http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(p))
	case http.StatusTooManyRequests:
		h.Set("Retry-After", "1")
	}
	return h
}

// challenge is what RFC 6750 wants told with a 401: no error to one who has said nothing, else what is wrong, in the few characters that it allows.
func challenge(p *sdk.Problem) string {
	if p.Code == "TOKEN_MISSING" {
		return `Bearer realm="blueberry"`
	}
	said := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, p.Detail)
	return `Bearer realm="blueberry", error="invalid_token", error_description="` + said + `"`
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, r *http.Request, p *sdk.Problem) {
	x := exchangeOf(r.Context())
	p.Instance, p.RequestID = x.path, x.id
	x.problem = p
	for name, values := range problemHeader(p) {
		if name != "Retry-After" || w.Header().Get(name) == "" { // who counts knows it better
			w.Header()[name] = values
		}
	}
	if !x.api && !isInbox(x.route) && strings.Contains(r.Header.Get("Accept"), "text/html") {
		writeProblemPage(w, p)
		return
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone; there is no one to tell
}

// problemPage is a problem for a person at a browser, where a page was asked for.
var problemPage = template.Must(template.New("problem").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>{{.Title}} · Blueberry</title><link rel="stylesheet" href="/static/app.css"></head>
<body class="door text-base-content"><main class="mx-auto w-full max-w-md px-4 pb-12 pt-2 sm:pt-10"><div class="paper p-5 sm:p-7"><h1>{{.Title}}</h1><p class="mt-3 wrap">{{.Detail}}</p><p class="faint mt-3 text-sm">Status {{.Status}}, request <code class="code">{{.RequestID}}</code></p></div></main></body></html>
`))

func writeProblemPage(w http.ResponseWriter, p *sdk.Problem) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.WriteHeader(p.Status)
	_ = problemPage.Execute(w, p) // the client may be gone; there is no one to tell
}

// transformProblem makes our problem of huma's own errors: what it finds before an operation is called.
func transformProblem(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := fromHuma(m)
	x := exchangeOf(ctx.Context())
	p.Instance, p.RequestID = x.path, x.id
	x.problem = p
	if f, ok := ctx.(*followed); ok {
		f.status = p.Status
	}
	return p, nil
}

func fromHuma(m *huma.ErrorModel) *sdk.Problem {
	switch m.Status {
	case http.StatusUnprocessableEntity:
	case http.StatusBadRequest:
		return newProblem(http.StatusBadRequest, "MALFORMED", m.Detail)
	case http.StatusNotAcceptable:
		return newProblem(m.Status, "NOT_ACCEPTABLE", "the answer can only be given as application/json")
	default:
		return newProblem(m.Status, strings.ToUpper(strings.ReplaceAll(http.StatusText(m.Status), " ", "_")), m.Detail)
	}
	var faults blueberry.Faults
	for _, d := range m.Errors {
		if d == nil {
			continue
		}
		if d.Location == "body" && d.Value != nil {
			if text, ok := d.Value.(string); ok {
				return newProblem(http.StatusBadRequest, "MALFORMED_JSON", syntaxDetail(text, d.Message))
			}
		}
		faults = append(faults, faultOf(d))
	}
	slices.SortStableFunc(faults, func(a, b blueberry.Fault) int { return cmp.Compare(a.Field, b.Field) })
	faults = slices.CompactFunc(faults, func(a, b blueberry.Fault) bool { return a == b })
	p, _ := problem(faults.Err())
	return p
}

// syntaxDetail says where JSON ends to be JSON, with line and column from 1.
func syntaxDetail(text, message string) string {
	var any any
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal([]byte(text), &any), &syntax) {
		return "the body is not JSON: " + message
	}
	before := text[:min(max(int(syntax.Offset)-1, 0), len(text))]
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndexByte(before, '\n')
	return fmt.Sprintf("the body is not JSON: line %d, column %d: %s", line, column, syntax.Error())
}

func statusKey(status int) string { return strconv.Itoa(status) }
