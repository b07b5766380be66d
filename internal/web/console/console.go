package console

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/web/static"
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
	Patience time.Duration // how long a browser is kept waiting for what a page asks elsewhere, before it is shown what is known; 0 means a second

	wakers     wakers
	renderings shares[rendering] // by renderingKey
	lists      shares[any]       // by listKey
	still      bool              // pages do not follow what changes: there is nothing that could
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

	follows *openPage // nil for a page that is only opened
}

// page is what a page shows now.
type page struct {
	Title string
	Here  string          // path of the part of the menu that it belongs to
	Body  templ.Component // all below the head of the page
	Watch interest        // what has it shown anew; the zero value nothing
}

// area is a part of the console: its pages, what its forms do, and where it stands in the menu.
type area struct {
	Menu  func(*visit) []menuItem                 // for who looks; nil for none
	Pages map[string]func(*visit) (page, error)   // by pattern of http.ServeMux
	Posts map[string]func(*visit) (string, error) // give the address to go on to
	Other map[string]func(*visit) error           // answer by themselves: files, scripts' questions
	Done  map[string]string                       // what the page after a form says, by the word in its address: ?done=word
}

// areas are all of them, in the order of the menu.
func areas() []area {
	return []area{
		homeArea(),
		environmentsArea(),
		plansArea(),
		pullsArea(),
		systemArea(), targetsArea(), jobsArea(), noticesArea(), policiesArea(), retentionArea(), emergenciesArea(),
		blueprintsArea(),
		configSetsArea(),
		peopleArea(),
		projectsArea(),
		serviceAccountsArea(),
		rolesArea(),
		programsArea(),
		auditArea(),
		preferencesArea(),
		accountArea(),
		viewsArea(),
		paletteArea(),
	}
}

// Routes gives the patterns of http.ServeMux with their handlers.
func (c *Console) Routes() map[string]http.Handler {
	out := map[string]http.Handler{}
	for _, a := range areas() {
		for pattern, build := range a.Pages {
			out[pattern] = c.Page(c.SignedIn(c.show(build)))
		}
		for pattern, do := range a.Posts {
			out[pattern] = c.Page(c.SignedIn(c.do(do)))
		}
		for pattern, answer := range a.Other {
			out[pattern] = c.Page(c.SignedIn(c.answer(answer)))
		}
	}
	return out
}

// answer lets a handler answer by itself; what goes wrong before it began is shown as a page.
func (c *Console) answer(do func(*visit) error) func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
	return func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
		v := c.visit(w, r, who)
		if err := do(v); err != nil {
			v.refuse(err)
		}
	}
}

func (c *Console) visit(w http.ResponseWriter, r *http.Request, who blueberry.Actor) *visit {
	return &visit{Console: c, w: w, r: r, ctx: r.Context(), who: who, api: c.client(who), now: c.Now()}
}

// show answers with a page, or with the changes of one that is open.
func (c *Console) show(build func(*visit) (page, error)) func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
	return func(w http.ResponseWriter, r *http.Request, who blueberry.Actor) {
		v := c.visit(w, r, who)
		if r.Header.Get("Hx-Request") == "true" {
			if followed, err := c.follow(v, build); err != nil {
				v.refuse(err)
				return
			} else if followed {
				return
			}
		}
		p, err := build(v)
		if err != nil {
			v.refuse(err)
			return
		}
		v.write(http.StatusOK, frameOf(v, p))
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
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding")
	var out io.Writer = v.w
	if static.TakesGzip(v.r) {
		h.Set("Content-Encoding", "gzip")
		z := packers.Get().(*gzip.Writer) //nolint:forcetypeassert // nothing else is put in
		z.Reset(v.w)
		defer func() {
			_ = z.Close() // the reader is gone
			packers.Put(z)
		}()
		out = z
	}
	v.w.WriteHeader(status)
	if err := c.Render(v.ctx, out); err != nil {
		v.Logger.DebugContext(v.ctx, "page was not written whole", "error", err) // the reader is gone
	}
}

// packers compress pages. Nobody can have a person's browser ask for pages to learn what is in them by their length: it sends the session with our own calls only,
// and with links that the person follows.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

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
