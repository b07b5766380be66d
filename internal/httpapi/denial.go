package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// noteTime is how long writing an entry may take after the client has gone.
const noteTime = 5 * time.Second

// note writes the audit entry of a call that no operation has written: a change that was refused, that failed or that is noted nowhere else, and each denial.
func (g *gateway) note(r *http.Request, x *exchange, w *counter) {
	now := g.now()
	for _, e := range g.flood.ended(now) {
		g.write(r.Context(), e)
	}
	if x.call.Noted() {
		return
	}
	refused := w.status >= 400 || w.status == 0
	denied := w.status == http.StatusUnauthorized || w.status == http.StatusForbidden || x.denied != ""
	switch {
	case x.actor.ID == "" && x.route == "" && !x.api:
		return // a stranger at a door that is not there
	case refused && (mutates(r.Method) || denied || w.status == http.StatusTooManyRequests):
	case !refused && isInbox(x.route):
		return // it is kept as a delivery
	case !refused && mutates(r.Method):
	default:
		return
	}
	e := blueberry.AuditEntry{
		At: now, Actor: x.actor, Action: actionOf(r, x), Resource: resourceOf(r), Project: projectOf(r, x), Detail: detailOf(x, w), Result: blueberry.AuditSucceeded,
		Caller: x.call.Caller,
	}
	switch {
	case denied:
		e.Result = blueberry.AuditDenied
	case refused:
		e.Result = blueberry.AuditFailed
	}
	if refused && (x.actor.ID == "" || w.status == http.StatusTooManyRequests) && !g.flood.first(floodKey{network(x.address), w.status}, e, now) {
		return
	}
	g.write(blueberry.WithCall(r.Context(), &x.call), e)
}

func (g *gateway) write(ctx context.Context, e blueberry.AuditEntry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	if err := g.audit.Note(ctx, e); err != nil {
		g.logger.ErrorContext(ctx, "audit entry not written", "request_id", e.Caller.RequestID, "action", e.Action, "result", e.Result, "error", err)
	}
}

// Flush writes the audit entries that wait for the end of their minute. It is called when the server stops.
func (a *API) Flush(ctx context.Context) {
	for _, e := range a.gateway.flood.ended(a.gateway.now().Add(floodWindow)) {
		a.gateway.write(ctx, e)
	}
}

// actionOf is the grant that was lacking, or what the route does in the form of one: "POST /v1/environments/{id}/extend" is "environments:extend".
func actionOf(r *http.Request, x *exchange) string {
	if x.denied != "" {
		return string(x.denied)
	}
	_, path, _ := strings.Cut(x.route, " ")
	var words []string
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/v1"), "/") {
		if part != "" && part[0] != '{' {
			words = append(words, part)
		}
	}
	verb := map[string]string{
		http.MethodGet: "read", http.MethodHead: "read", http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "update", http.MethodDelete: "delete",
	}[r.Method]
	switch {
	case len(words) == 0:
		return "request:" + strings.ToLower(clipped(r.Method, 16))
	case len(words) > 1 && r.Method == http.MethodPost:
		return words[0] + ":" + words[len(words)-1]
	case len(words) > 1:
		return words[0] + ":" + words[len(words)-1] + "-" + verb
	}
	return words[0] + ":" + verb
}

// resourceOf is what the last part of the path in braces stands for.
func resourceOf(r *http.Request) string {
	end := strings.LastIndexByte(r.Pattern, '}')
	begin := strings.LastIndexByte(r.Pattern[:end+1], '{')
	if begin < 0 {
		return ""
	}
	name := strings.TrimSuffix(r.Pattern[begin+1:end], "...")
	if name == "$" || strings.Contains(r.Pattern[:begin], secretSegment) {
		return ""
	}
	return clipped(blueberry.Redact(r.PathValue(name)), 200)
}

// projectOf is the one that the denial is about, or that the path names.
func projectOf(r *http.Request, x *exchange) string {
	if x.deniedIn != "" {
		return x.deniedIn
	}
	if strings.Contains(r.Pattern, " /v1/projects/{name}") && (x.problem == nil || x.problem.Status != http.StatusNotFound) {
		return clipped(r.PathValue("name"), blueberry.MaxProjectName)
	}
	return ""
}

// detailOf says why a call was refused, and which fields were wrong: not what stood in them.
func detailOf(x *exchange, w *counter) string {
	switch {
	case w.status == 0:
		return "the call was cut off"
	case x.problem == nil && w.Header().Get("Idempotency-Replayed") != "":
		return fmt.Sprintf("answered %d again, as the first call with this key", w.status)
	case x.problem == nil:
		return fmt.Sprintf("answered %d", w.status)
	}
	var b strings.Builder
	if x.denied != "" && x.problem.Status == http.StatusNotFound {
		b.WriteString("lacks the grant " + string(x.denied) + ": ")
	}
	b.WriteString(blueberry.Redact(x.problem.Detail))
	for i, f := range x.problem.Errors {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(blueberry.Redact(f.Field) + " " + f.Code)
	}
	return clipped(b.String(), 1000)
}

// clipped is no more than n bytes of a text that a client may have written, without what would break a line or a terminal.
func clipped(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	clean := func(c rune) bool { return c < ' ' || c == 0x7f || c == '\uFFFD' }
	if strings.ContainsFunc(text, clean) {
		text = strings.Map(func(c rune) rune {
			if clean(c) {
				return '?'
			}
			return c
		}, text)
	}
	return text
}
