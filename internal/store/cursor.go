package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// position is what a cursor holds: the last row of the page before, and which query it is of.
type position struct {
	Query string `json:"q"`
	Text  string `json:"t,omitempty"` // the row's key, of a list that is sorted by a text
	Int   int64  `json:"i,omitempty"` // or by a number
	ID    string `json:"id"`
}

const maxCursor = 512 // characters; ours have about 120

// queryDigest binds a cursor to everything that decides on the order and the choice of rows. It keeps callers from mistakes, not from mischief: whoever
// may list may start anywhere.
func queryDigest(parts ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func encodeCursor(p position) (string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("encode cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// decodeCursor reads a cursor of the query with the digest; text says by what its list is sorted.
func decodeCursor(cursor, query string, text bool) (position, error) {
	if len(cursor) > maxCursor {
		return position{}, fmt.Errorf("cursor has %d characters", len(cursor))
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return position{}, fmt.Errorf("decode cursor: %w", err)
	}
	var p position
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return position{}, fmt.Errorf("decode cursor: %w", err)
	}
	if d.More() || p.ID == "" || text && p.Int != 0 || !text && p.Text != "" {
		return position{}, errors.New("cursor is of another form")
	}
	if p.Query != query {
		return position{}, errors.New("cursor is of another query")
	}
	return p, nil
}

// pageLimit is how many rows a page has: DefaultPageSize for 0, at most MaxPageSize.
func pageLimit(limit int) int {
	if limit <= 0 {
		limit = blueberry.DefaultPageSize
	}
	return min(limit, blueberry.MaxPageSize)
}

// likePart is the pattern of a LIKE … ESCAPE '\' that finds a text anywhere, in what is kept in lower case.
func likePart(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(clean(text))) + "%"
}
