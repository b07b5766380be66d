package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// position is what a cursor of an impact holds: the last environment of the page before, and which question it is of.
type position struct {
	Query   string `json:"q"`
	Project string `json:"p"`
	Name    string `json:"n"`
}

const maxCursor = 512 // characters; ours have about 150

// before reports whether the position lies before an environment; none lies before every one.
func (p *position) before(u blueberry.ConfigUser) bool {
	if p == nil {
		return true
	}
	if c := strings.Compare(p.Project, u.Project); c != 0 {
		return c < 0
	}
	return p.Name < u.Name
}

// impactDigest binds a cursor to the question. It keeps callers from mistakes, not from mischief: whoever may ask may start anywhere.
func impactDigest(id string, r ImpactRequest) string {
	h := sha256.New()
	b, _ := json.Marshal([]any{id, r.Number, r.Content, r.Public, r.Search}) // it cannot fail for these types
	h.Write(b)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}

func encodePosition(id string, r ImpactRequest, last blueberry.ConfigUser) string {
	b, _ := json.Marshal(position{Query: impactDigest(id, r), Project: last.Project, Name: last.Name}) // it cannot fail for these types
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodePosition reads the cursor of a question; it is nil for the first page.
func decodePosition(id string, r ImpactRequest) (*position, error) {
	if r.Cursor == "" {
		return nil, nil //nolint:nilnil // there is no position before the first page, and that is no error
	}
	var p position
	ok := len(r.Cursor) <= maxCursor
	if ok {
		b, err := base64.RawURLEncoding.Strict().DecodeString(r.Cursor)
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		ok = err == nil && d.Decode(&p) == nil && !d.More() && p.Query == impactDigest(id, r)
	}
	if !ok {
		var f blueberry.Faults
		f.Add("cursor", "cursor", "is not a cursor of this query")
		return nil, f.Err()
	}
	return &p, nil
}
