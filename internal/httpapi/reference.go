package httpapi

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed reference
var referenceFiles embed.FS

// reference serves the document and a page for people made from it. Each is made when it is first asked for: a start does not wait for it.
type reference struct {
	doc     *huma.OpenAPI
	address string // of the server in examples
}

func (h reference) mount(mux *http.ServeMux) {
	serve := func(pattern, contentType string, content func() ([]byte, error), policy string) {
		once := sync.OnceValues(content)
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			data, err := once()
			if err != nil {
				panic(fmt.Errorf("make %s: %w", pattern, err)) // only a wrong template can do that; the gateway answers 500 and logs it
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Cache-Control", "no-cache")
			if policy != "" {
				w.Header().Set("Content-Security-Policy", policy)
			}
			_, _ = w.Write(data) // the client may be gone
		})
	}
	serve("GET /openapi.json", "application/openapi+json", func() ([]byte, error) { return documentJSON(h.doc) }, "")
	serve("GET /openapi.yaml", "application/openapi+yaml", h.doc.YAML, "")
	serve("GET /docs/page.css", "text/css; charset=utf-8", func() ([]byte, error) { return referenceFiles.ReadFile("reference/page.css") }, "")
	serve("GET /docs", "text/html; charset=utf-8", h.render, "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

func (h reference) render() ([]byte, error) {
	t, err := template.New("page.html").Funcs(template.FuncMap{"prose": prose}).ParseFS(referenceFiles, "reference/page.html")
	if err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, h.page()); err != nil {
		return nil, fmt.Errorf("execute template: %w", err)
	}
	return b.Bytes(), nil
}

// prose is text with `code` in it.
func prose(s string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(s, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String()) //nolint:gosec // each part was escaped
}
