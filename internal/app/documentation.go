package app

import (
	"cmp"

	written "github.com/blueberry-idp/blueberry/docs"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/web/docs"
)

// documentation is what is written about this version, at /docs. The API is asked for when the first page is: it serves the pages itself.
func (s *Server) documentation(api func() *httpapi.API) docs.Site {
	site := docs.Site{
		Files: written.Files, Address: cmp.Or(s.publicURL(), "http://127.0.0.1:7080"), Version: s.Version, Logger: s.Logger,
		Document: func() ([]byte, error) { return api().Document() }, Order: func(schema string) []string { return api().FieldOrder(schema) },
	}
	for _, k := range httpapi.ProblemKinds() {
		site.Problems = append(site.Problems, docs.Problem{Anchor: k.Anchor, Kind: k.Kind, Code: k.Code, Description: k.Means, Status: k.Status})
	}
	return site
}
