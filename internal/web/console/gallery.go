package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the kept answers
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/web/look"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Gallery is pages with the answers of the API that they are made of, so that each can be looked at, and checked, without a server that has everything.
// The file gallery.json is one; TestGallery writes it from real rooms.
type Gallery struct {
	At      time.Time             `json:"at"`     // when it is
	Who     string                `json:"who"`    // looks; they may do everything
	Newest  int64                 `json:"newest"` // event
	Pages   []GalleryPage         `json:"pages"`
	Answers map[string]KeptAnswer `json:"answers"` // by callKey

	Doors map[string]templ.Component `json:"-"` // pages outside of the console, whole, by their names: where people sign in
}

// GalleryPage is one page, or what a form is answered by.
type GalleryPage struct {
	Name string     `json:"name"`
	Path string     `json:"path"`           // with its query
	Form url.Values `json:"form,omitempty"` // that is sent to it; nil for a page that is read
}

// KeptAnswer is what the API said to one call.
type KeptAnswer struct {
	Status int    `json:"status"`
	Type   string `json:"type"` // of its content
	Body   string `json:"body"`
}

//go:embed gallery.json
var galleryFile []byte

// callKey names a call of the API. Calls of the same key have the same answer.
func callKey(r *http.Request, body []byte) string {
	key := r.Method + " " + r.URL.Path
	if q := r.URL.Query(); len(q) > 0 {
		key += "?" + q.Encode()
	}
	if len(body) > 0 {
		sum := sha256.Sum256(body)
		key += " " + hex.EncodeToString(sum[:6])
	}
	return key
}

// Keep passes calls on to a handler and keeps what it answers. Calls must come one after the other.
func (g *Gallery) Keep(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		a := &answer{header: w.Header()}
		h.ServeHTTP(a, r)
		if g.Answers == nil {
			g.Answers = map[string]KeptAnswer{}
		}
		g.Answers[callKey(r, body)] = KeptAnswer{Status: a.status, Type: a.header.Get("Content-Type"), Body: a.body.String()}
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body.Bytes()) // a page of the same process reads it
	})
}

// ServeHTTP answers a call of the API as it was answered when the gallery was made.
func (g *Gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	key := callKey(r, body)
	a, ok := g.Answers[key]
	if !ok {
		p, _ := json.Marshal(sdk.Problem{Status: http.StatusNotImplemented, Code: "ANSWER_NOT_KEPT", Detail: "the gallery has no answer to " + key + ": make it anew"})
		a = KeptAnswer{Status: http.StatusNotImplemented, Type: "application/problem+json", Body: string(p)}
	}
	w.Header().Set("Content-Type", a.Type)
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body) // a page of the same process reads it
}

// OpenGallery reads the gallery of this version.
func OpenGallery() (*Gallery, error) {
	var g Gallery
	if err := json.Unmarshal(galleryFile, &g); err != nil {
		return nil, fmt.Errorf("read the gallery: %w", err)
	}
	return &g, nil
}

// Routes gives the patterns of http.ServeMux with their handlers: /_gallery shows every component and leads to every page. They are for who works on the pages:
// they show nothing of the server and need nobody to be signed in.
func (g *Gallery) Routes(outer func(next http.HandlerFunc) http.Handler, logger *slog.Logger) map[string]http.Handler {
	who := blueberry.Actor{Name: g.Who, Grants: []blueberry.Grant{blueberry.GrantAll}}
	c := &Console{
		API:  func(blueberry.Actor) http.Handler { return g },
		Page: func(next http.HandlerFunc) http.Handler { return next },
		SignedIn: func(next func(w http.ResponseWriter, r *http.Request, user blueberry.Actor)) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { next(w, r, who) }
		},
		Events:  func(context.Context, int64) ([]blueberry.Event, int64, error) { return nil, g.Newest, nil },
		Version: "gallery", Now: func() time.Time { return g.At }, Logger: logger, still: true,
	}
	pages := http.NewServeMux()
	for pattern, h := range c.Routes() {
		pages.Handle(pattern, h)
	}
	return map[string]http.Handler{
		"GET /_gallery": outer(c.SignedIn(c.show(func(*visit) (page, error) {
			return page{Title: "Gallery", Here: "/_gallery", Body: galleryBody(g)}, nil
		}))),
		"GET /_gallery/pages/{n}": outer(func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.PathValue("n"))
			doors := g.doors()
			switch {
			case err != nil || n < 0 || n >= len(g.Pages)+len(doors):
				http.NotFound(w, r)
			case n < len(g.Pages):
				g.Pages[n].serve(pages, w, r)
			default:
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_ = g.Doors[doors[n-len(g.Pages)]].Render(look.WithTheme(r.Context(), r), w) // the reader is gone
			}
		}),
	}
}

// doors are the names of the pages outside of the console; they are numbered after those of it.
func (g *Gallery) doors() []string { return slices.Sorted(maps.Keys(g.Doors)) }

// serve has the page answer.
func (p GalleryPage) serve(pages http.Handler, w http.ResponseWriter, r *http.Request) {
	method, body := http.MethodGet, ""
	if p.Form != nil {
		method, body = http.MethodPost, p.Form.Encode()
	}
	inner, err := http.NewRequestWithContext(r.Context(), method, p.Path, strings.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	inner.RequestURI = p.Path
	inner.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range r.Cookies() {
		inner.AddCookie(cookie) // colours and density
	}
	pages.ServeHTTP(w, inner)
}

// Patterns are those of all pages that can be read.
func Patterns() (out []string) {
	for _, a := range areas() {
		for pattern := range a.Pages {
			out = append(out, pattern)
		}
	}
	slices.Sort(out)
	return out
}
