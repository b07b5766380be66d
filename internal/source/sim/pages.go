package sim

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed pages
var files embed.FS

// pages are what a person sees. They need no JavaScript.
type pages struct {
	templates *template.Template
	css       []byte
}

func newPages() (*pages, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"short": func(sha string) string { return sha[:min(len(sha), 10)] },
		"time":  func(t time.Time) string { return t.Format("2 Jan 2006 15:04:05 UTC") },
	}).ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	css, err := files.ReadFile("pages/page.css")
	return &pages{t, css}, err
}

func (p *pages) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(p.css)
}

// shown is what a page shows.
type shown struct {
	Title      string
	Repository wireRepository
	Pull       wirePull
	Pulls      []wirePull
	Branches   []wireBranch
	Statuses   []wireStatus
	Comments   []wireComment
	All        []wireRepository
}

func (p *pages) home(w wire, c *call) (string, shown, error) {
	out := shown{Title: "Repositories"}
	for _, id := range slices.Sorted(maps.Keys(w.s.Repositories)) {
		if r := w.s.Repositories[id]; !r.Private || c.actor != "" {
			out.All = append(out.All, w.repository(r))
		}
	}
	return "home.html", out, nil
}

func (p *pages) repository(w wire, c *call) (string, shown, error) {
	r, err := c.repository(w.s)
	if err != nil {
		return "", shown{}, err
	}
	out := shown{Title: r.Owner + "/" + r.Name, Repository: w.repository(r)}
	for _, branch := range slices.Sorted(maps.Keys(r.Branches)) {
		out.Branches = append(out.Branches, wireBranch{Ref: branch, SHA: r.Branches[branch]})
	}
	for i := len(r.Pulls) - 1; i >= 0 && len(out.Pulls) < 200; i-- {
		out.Pulls = append(out.Pulls, w.pull(r, r.Pulls[i]))
	}
	return "repository.html", out, nil
}

func (p *pages) pull(w wire, c *call) (string, shown, error) {
	r, x, err := c.pulled(w.s, "n")
	if err != nil {
		return "", shown{}, err
	}
	out := shown{Title: x.Title, Repository: w.repository(r), Pull: w.pull(r, x)}
	for _, s := range r.latest(x.HeadSHA) {
		out.Statuses = append(out.Statuses, w.status(r, s))
	}
	slices.SortFunc(out.Statuses, func(a, b wireStatus) int { return strings.Compare(a.Context, b.Context) })
	for _, k := range x.Comments {
		out.Comments = append(out.Comments, w.comment(r, x, k))
	}
	return "pull.html", out, nil
}

// page serves a page to those who may see what is on it.
func (h *Host) page(f func(wire, *call) (string, shown, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r}
		var authentic bool
		if c.actor, authentic = h.actor(r); !authentic {
			h.challenge(w)
			return
		}
		var name string
		var data shown
		err := h.view(func(s *state) (err error) {
			name, data, err = f(wire{s, h.o.URL}, c)
			return err
		})
		switch {
		case err != nil && c.actor == "":
			h.challenge(w) // it may be there for those who have the token
			return
		case err != nil:
			http.Error(w, "there is no such page", http.StatusNotFound)
			return
		}
		var out bytes.Buffer
		if err := h.pages.templates.ExecuteTemplate(&out, name, data); err != nil {
			h.log.Error("cannot show a page", "page", name, "error", err)
			http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(out.Bytes())
	}
}
