package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Console serves the pages. Every field must be set but Logger.
type Console struct {
	API      func(actor blueberry.Actor) http.Handler                                                       // for one person
	SignedIn func(next func(w http.ResponseWriter, r *http.Request, user blueberry.Actor)) http.HandlerFunc // lets only people on
	Page     func(next http.HandlerFunc) http.Handler                                                       // sets what every page has
	Again    func(ctx context.Context, r *http.Request) (blueberry.Actor, error)                            // proves once more who looks, for a page that stays open
	Events   func(ctx context.Context, after int64) (events []blueberry.Event, newest int64, err error)     // that came after; waits for some
	Draining <-chan struct{}                                                                                // is closed when the server begins to stop
	Version  string                                                                                         // of the product
	Now      func() time.Time
	Logger   *slog.Logger

	wakers wakers
}

// visit is one call of a page.
type visit struct {
	*Console
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context
	who blueberry.Actor
	api *sdk.Client
	now time.Time
}

// page is what a page shows now.
type page struct {
	Title string
	Here  string          // path of the part of the menu that it belongs to
	Body  templ.Component // all below the head of the page
	Watch interest        // what has it shown anew; the zero value nothing
}

// Routes gives the patterns of http.ServeMux with their handlers.
func (c *Console) Routes() map[string]http.Handler {
	pages := map[string]func(*visit) (page, error){
		"GET /{$}": home, "GET /environments": environments, "GET /environments/{id}": environmentOverview, "GET /environments/{id}/timeline": environmentTimeline,
		"GET /environments/{id}/objects": environmentObjects, "GET /environments/{id}/objects/one": environmentObject, "GET /environments/{id}/logs": environmentLogs,
		"GET /environments/{id}/config": environmentConfig, "GET /environments/{id}/revisions": environmentRevisions, "GET /environments/{id}/manifests": environmentManifests,
		"GET /environments/new": newEnvironment, "GET /environments/{id}/change": changeForm, "GET /environments/{id}/rollback": rollbackForm,
		"GET /environments/{id}/{verb}": confirmVerb, "GET /pulls": pulls, "GET /pulls/{id}": pull, "GET /repositories": repositories, "GET /repositories/{id}": repository,
		"GET /deliveries/{id}": delivery,
	}
	posts := map[string]func(*visit) (string, error){
		"POST /environments/new": createEnvironment, "POST /environments/{id}/change": changeEnvironment, "POST /environments/{id}/rollback": rollbackEnvironment,
		"POST /environments/{id}/{verb}": doVerb, "POST /preferences": setPreference, "POST /pulls/{id}/approve": approvePull, "POST /branches/{id}/deploy": deployBranch,
		"POST /deliveries/{id}/replay": replayDelivery,
	}
	out := map[string]http.Handler{}
	for pattern, build := range pages {
		out[pattern] = c.Page(c.SignedIn(c.show(build)))
	}
	for pattern, do := range posts {
		out[pattern] = c.Page(c.SignedIn(c.do(do)))
	}
	return out
}

func (c *Console) visit(w http.ResponseWriter, r *http.Request, who blueberry.Actor) *visit {
	return &visit{Console: c, w: w, r: r, ctx: r.Context(), who: who, api: c.client(who), now: c.Now()}
}

// show answers with a page, or with the changes of one that is open.
func (c *Console) show(build func(*visit) (page, error)) func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
	return func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
		v := c.visit(w, r, who)
		p, err := build(v)
		switch {
		case err != nil:
			v.refuse(err)
		case r.Header.Get("Hx-Request") == "true" && p.Watch != (interest{}):
			c.follow(v, build, p)
		default:
			v.write(http.StatusOK, frameOf(v, p))
		}
	}
}

// do does what a form asks for, and leads on to a page.
func (c *Console) do(act func(*visit) (string, error)) func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
	return func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
		v := c.visit(w, r, who)
		if err := r.ParseForm(); err != nil {
			v.refuse(&sdk.Problem{Status: http.StatusBadRequest, Code: "FORM_UNREADABLE", Detail: "the form cannot be read"})
			return
		}
		to, err := act(v)
		var form again
		if errors.As(err, &form) {
			var p page
			if p, err = form.form(form.problem); err == nil {
				status := http.StatusOK
				if form.problem != nil {
					status = form.problem.Status
				}
				v.write(status, frameOf(v, p))
				return
			}
		}
		if err != nil {
			v.refuse(err)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

// may reports whether who looks may do something in a project; empty for anywhere.
func (v *visit) may(project string, g blueberry.Grant) bool {
	if project == "" {
		return v.who.CanSomewhere(g) == nil
	}
	return v.who.CanIn(project, g) == nil
}

func (v *visit) write(status int, c templ.Component) {
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	if err := c.Render(v.ctx, v.w); err != nil {
		v.Logger.DebugContext(v.ctx, "page was not written whole", "error", err) // the reader is gone
	}
}

// refuse shows what went wrong.
func (v *visit) refuse(err error) {
	var p *sdk.Problem
	if !errors.As(err, &p) {
		v.Logger.ErrorContext(v.ctx, "page failed", "path", v.r.URL.Path, "error", err)
		p = &sdk.Problem{Status: http.StatusInternalServerError, Code: "INTERNAL", Detail: "something went wrong; the log of the server says what"}
	}
	v.write(p.Status, frameOf(v, page{Title: problemTitle(p.Status), Body: problemBody(p)}))
}

func problemTitle(status int) string {
	switch status {
	case http.StatusNotFound:
		return "There is nothing here"
	case http.StatusForbidden:
		return "You may not see or do this"
	case http.StatusConflict, http.StatusPreconditionFailed:
		return "It has changed meanwhile"
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return "This cannot be done as asked"
	}
	return "That did not work"
}
