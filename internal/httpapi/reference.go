package httpapi

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed reference
var referenceFiles embed.FS

// reference serves the document and a page for people made from it. Both are made once.
type reference struct {
	doc     *huma.OpenAPI
	address string // of the server in examples
}

func (h reference) mount(mux *http.ServeMux) error {
	asJSON, err := documentJSON(h.doc)
	if err != nil {
		return fmt.Errorf("encode document: %w", err)
	}
	asYAML, err := h.doc.YAML()
	if err != nil {
		return fmt.Errorf("encode document: %w", err)
	}
	style, err := referenceFiles.ReadFile("reference/page.css")
	if err != nil {
		return err
	}
	html, err := h.render()
	if err != nil {
		return err
	}
	serve := func(pattern, contentType string, content []byte, header ...string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Cache-Control", "no-cache")
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			_, _ = w.Write(content) // the client may be gone
		})
	}
	serve("GET /openapi.json", "application/openapi+json", asJSON)
	serve("GET /openapi.yaml", "application/openapi+yaml", asYAML)
	serve("GET /docs/page.css", "text/css; charset=utf-8", style)
	serve("GET /docs", "text/html; charset=utf-8", html,
		"Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return nil
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
