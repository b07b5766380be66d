package docs

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/web/look"
)

// Site serves the documents. Every field must be set but Order.
type Site struct {
	Files    fs.FS                        // the documents, by area
	Document func() ([]byte, error)       // the OpenAPI document of the API that this server has
	Order    func(schema string) []string // in which the fields of a schema are shown; nil for that of their names
	Problems []Problem                    // the kinds of what the API refuses
	Address  string                       // of the server, in examples
	Version  string                       // of the product
	Logger   *slog.Logger
}

// shelf is all that can be read, made when the first page is asked for: a start does not wait for it.
type shelf struct {
	*library

	reference *reference
	index     *index
}

// picturePolicy lets a drawing have the style that stands in it, and nothing more.
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// Routes gives the patterns of http.ServeMux with their handlers.
func (s Site) Routes() map[string]http.Handler {
	open := sync.OnceValues(s.open)
	out := map[string]http.Handler{}
	for pattern, answer := range map[string]func(shelf, *http.Request) (page, int){
		"GET /docs":                      s.home,
		"GET /docs/search":               s.search,
		"GET /docs/api":                  s.apiIndex,
		"GET /docs/api/{tag}":            s.apiTag,
		"GET /docs/api/problems":         s.apiProblems,
		"GET /docs/api/schemas":          s.apiSchemas,
		"GET /docs/api/schemas/{schema}": s.apiSchema,
		"GET /docs/guide":                s.document,
		"GET /docs/guide/{name}":         s.document,
		"GET /docs/design":               s.designIndex,
		"GET /docs/design/{name}":        s.document,
		"GET /docs/cli":                  s.commandIndex,
		"GET /docs/cli/{name}":           s.document,
		"GET /docs/":                     s.nothing,
	} {
		out[pattern] = s.serve(open, func(sh shelf, w http.ResponseWriter, r *http.Request) {
			p, status := answer(sh, r)
			s.show(sh, w, r, p, status)
		})
	}
	out["GET /docs/search.json"] = s.serve(open, s.searchJSON)
	for _, pattern := range []string{"GET /docs/guide/pictures/{name}", "GET /docs/pictures/{name}", "GET /docs/blueprint.schema.json"} {
		out[pattern] = http.HandlerFunc(s.file)
	}
	return out
}

// serve opens the shelf. That it cannot be is a mistake in the documents, which the tests find.
func (s Site) serve(open func() (shelf, error), next func(shelf, http.ResponseWriter, *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sh, err := open()
		if err != nil {
			panic(fmt.Errorf("open the documents: %w", err)) // the gateway answers 500 and logs it
		}
		next(sh, w, r)
	})
}

func (s Site) open() (shelf, error) {
	l, err := openLibrary(s.Files)
	if err != nil {
		return shelf{}, err
	}
	document, err := s.Document()
	if err != nil {
		return shelf{}, err
	}
	r, err := openReference(document, s.Address, s.Order)
	if err != nil {
		return shelf{}, err
	}
	return shelf{library: l, reference: r, index: newIndex(places(l, r))}, nil
}

// places are all sections that can be found: those of documents, a command as a whole, each operation and each schema of the API.
func places(l *library, r *reference) (out []place) {
	for _, d := range l.all() {
		if d.Area == cliArea {
			out = append(out, place{Title: d.Title, Page: d.Title, Area: d.Area, Address: d.Address, text: d.ownText()})
			continue
		}
		for _, x := range d.Sections {
			p := place{Title: x.heading.Text, Page: d.Short, Area: d.Area, Address: d.Address, text: x.Text}
			if x.Level > 1 {
				p.Address += "#" + x.ID
			}
			out = append(out, p)
		}
	}
	for _, g := range r.Groups {
		out = append(out, place{Title: g.Name, Page: g.Name, Area: apiArea, Address: g.Address, text: g.Description})
		for _, o := range g.Operations {
			out = append(out, place{Title: o.Summary, Page: g.Name, Area: apiArea, Address: g.Address + "#" + o.ID, text: o.text()})
		}
	}
	for _, x := range r.Schemas {
		var fields []string
		for _, f := range x.Fields {
			fields = append(fields, f.Name)
		}
		out = append(out, place{Title: x.Name, Page: "Schemas", Area: apiArea, Minor: true, Address: schemaAddress(x.Name), text: strings.TrimSpace(x.Description + " " + strings.Join(fields, ", "))})
	}
	return out
}

// ownText is what a command says of itself: not what it has in common with all others.
func (d *document) ownText() string {
	var parts []string
	for _, x := range d.Sections {
		if x.ID != "options-inherited-from-parent-commands" && x.ID != "see-also" {
			parts = append(parts, x.Text)
		}
	}
	return strings.Join(parts, " ")
}

func (o operationView) text() string {
	parts := []string{o.Method + " " + o.Path + ".", o.Description}
	for _, p := range o.Parameters {
		parts = append(parts, p.Name+": "+p.Description)
	}
	if o.Body != nil {
		for _, f := range o.Body.Fields {
			parts = append(parts, f.Name+": "+f.Description)
		}
	}
	return strings.Join(parts, " ")
}

func schemaAddress(name string) string { return base + "/api/schemas/" + name }

// page is what stands in the frame.
type page struct {
	Title string
	Area  string
	Here  string // address in the contents
	Body  templ.Component
	On    []heading // what is on this page
	Query string
}

// show writes a page. It holds nothing of who reads it but the colours.
func (s Site) show(sh shelf, w http.ResponseWriter, r *http.Request, p page, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	look.Guard(h)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding, Cookie")
	if status >= http.StatusMultipleChoices && status < http.StatusBadRequest {
		h.Set("Location", p.Here)
	}
	theme := look.Choice(r, look.ThemeCookie, look.Themes)
	var b bytes.Buffer
	if err := frame(sh, p, theme, s.Version).Render(r.Context(), &b); err != nil {
		s.Logger.DebugContext(r.Context(), "page of the documents was not made", "path", r.URL.Path, "error", err) // the reader is gone
		return
	}
	write(w, r, status, b.Bytes())
}

// write sends it, compressed to who takes that.
func write(w http.ResponseWriter, r *http.Request, status int, content []byte) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(status)
		_, _ = w.Write(content) // the reader may be gone
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := gzip.NewWriter(w)
	_, _ = z.Write(content) // as above
	_ = z.Close()
}

func (s Site) home(sh shelf, _ *http.Request) (page, int) {
	return page{Title: "Documentation", Here: base, Body: homePage(sh, s.Problems, s.Version)}, http.StatusOK
}

func (s Site) nothing(_ shelf, r *http.Request) (page, int) {
	if to := strings.TrimSuffix(r.URL.Path, "/"); to != r.URL.Path && path.Clean(r.URL.Path) == to {
		return page{Here: to, Body: templ.NopComponent}, http.StatusMovedPermanently
	}
	return missing(r.URL.Path)
}

func missing(address string) (page, int) {
	query := strings.Join(wordsOf(strings.TrimPrefix(address, base)), " ")
	return page{Title: "There is no such page", Body: missingPage(query)}, http.StatusNotFound
}

// document is a page of the guide, of the design, or of a command. The name of its file leads there, too.
func (s Site) document(sh shelf, r *http.Request) (page, int) {
	d := sh.documents[r.URL.Path]
	if d == nil {
		to := addressOf(strings.TrimPrefix(r.URL.Path, base+"/"))
		if strings.HasSuffix(r.URL.Path, ".md") && sh.documents[to] != nil {
			return page{Here: to, Body: templ.NopComponent}, http.StatusMovedPermanently
		}
		return missing(r.URL.Path)
	}
	before, after := sh.beside(d)
	on := slices.DeleteFunc(slices.Clone(d.Headings), func(h heading) bool { return h.Level > 3 })
	return page{Title: d.Title, Area: d.Area, Here: d.Address, On: on, Body: documentPage(d, before, after)}, http.StatusOK
}

func (s Site) designIndex(sh shelf, _ *http.Request) (page, int) {
	return page{Title: "Design", Area: designArea, Here: base + "/design", Body: designPage(sh.design)}, http.StatusOK
}

func (s Site) commandIndex(sh shelf, _ *http.Request) (page, int) {
	return page{Title: "Commands", Area: cliArea, Here: base + "/cli", Body: commandsPage(sh.groups(), sh.documents[base+"/cli/"+rootCommand])}, http.StatusOK
}

func (s Site) apiIndex(sh shelf, _ *http.Request) (page, int) {
	return page{Title: "API", Area: apiArea, Here: base + "/api", Body: apiPage(sh.reference)}, http.StatusOK
}

func (s Site) apiTag(sh shelf, r *http.Request) (page, int) {
	i := slices.IndexFunc(sh.reference.Groups, func(g *operations) bool { return g.Address == r.URL.Path })
	if i < 0 {
		return missing(r.URL.Path)
	}
	g := sh.reference.Groups[i]
	var on []heading
	for _, o := range g.Operations {
		on = append(on, heading{ID: o.ID, Text: o.Summary, Level: 2})
	}
	return page{Title: g.Name, Area: apiArea, Here: g.Address, On: on, Body: operationsPage(g)}, http.StatusOK
}

func (s Site) apiProblems(_ shelf, r *http.Request) (page, int) {
	return page{Title: "Problems", Area: apiArea, Here: r.URL.Path, Body: problemsPage(s.Problems)}, http.StatusOK
}

func (s Site) apiSchemas(sh shelf, r *http.Request) (page, int) {
	return page{Title: "Schemas", Area: apiArea, Here: r.URL.Path, Body: schemasPage(sh.reference.Schemas)}, http.StatusOK
}

func (s Site) apiSchema(sh shelf, r *http.Request) (page, int) {
	x := sh.reference.schemas[r.PathValue("schema")]
	if x == nil {
		return missing(r.URL.Path)
	}
	return page{Title: x.Name, Area: apiArea, Here: base + "/api/schemas", Body: schemaPage(x)}, http.StatusOK
}

func (s Site) search(sh shelf, r *http.Request) (page, int) {
	query := strings.ToValidUTF8(bounded(r.URL.Query().Get("q"), maxQuery), "")
	return page{Title: "Search", Body: searchPage(query, sh.index.search(query)), Query: query}, http.StatusOK
}

// answer is a find as scripts take it.
type answer struct {
	Title   string `json:"title"`
	Page    string `json:"page"`
	Area    string `json:"area"`
	Address string `json:"address"`
	Excerpt string `json:"excerpt"`
}

// maxAnswers is how many finds a script is told: a list below what is typed.
const maxAnswers = 8

func (s Site) searchJSON(sh shelf, w http.ResponseWriter, r *http.Request) {
	items := []answer{}
	for _, f := range sh.index.search(r.URL.Query().Get("q")) {
		if len(items) == maxAnswers {
			break
		}
		var b strings.Builder
		for _, p := range f.Excerpt {
			b.WriteString(p.Text)
		}
		items = append(items, answer{f.Title, f.Page, areaNames()[f.Area], f.Address, b.String()})
	}
	content, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		panic(err) // texts can always be
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Vary", "Accept-Encoding")
	write(w, r, http.StatusOK, content)
}

// file serves what documents show or lead to beside one another.
func (s Site) file(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), base+"/")
	content, err := fs.ReadFile(s.Files, name)
	kind := map[string]string{".png": "image/png", ".svg": "image/svg+xml", ".json": "application/schema+json"}[path.Ext(name)]
	if err != nil || kind == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Security-Policy", picturePolicy)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(content) // the reader may be gone
}

// titleOf is the title of a page for the browser.
func titleOf(p page) string {
	area := areaNames()[p.Area]
	if area == "" || area == p.Title {
		return p.Title + " · Blueberry docs"
	}
	return p.Title + " · " + area + " · Blueberry docs"
}

func statusOf(status string) string {
	if status == "default" {
		return "4xx 5xx"
	}
	return cmp.Or(status, "–")
}
