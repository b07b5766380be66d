package blueberry

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// SavedView is a list that a person comes back to: a page of the console with its filter, under a name of theirs.
type SavedView struct {
	UserID string
	Name   string // unique among those of the person
	Page   string // "environments"; a path of the console is below it
	Query  string // of the page's address, as url.Values encodes it

	CreatedAt time.Time
}

// Bounds of SavedView.
const (
	MaxSavedViews     = 50 // of one person
	maxSavedViewName  = 60 // characters
	maxSavedViewPage  = 40
	maxSavedViewQuery = 2000 // bytes
)

// NewSavedView is what a valid wish becomes. It tells every fault at once.
func NewSavedView(v SavedView, now time.Time) (SavedView, error) {
	var f Faults
	v.Name, v.CreatedAt = strings.TrimSpace(v.Name), now
	switch {
	case v.Name == "":
		f.Add("name", "required", "is needed")
	case utf8.RuneCountInString(v.Name) > maxSavedViewName:
		f.Add("name", "too_long", "is longer than %d characters", maxSavedViewName)
	case !utf8.ValidString(v.Name) || strings.ContainsFunc(v.Name, func(r rune) bool { return !unicode.IsPrint(r) || r == '/' }) || v.Name == "." || v.Name == "..":
		f.Add("name", "characters", "may not have a slash, a line end or a sign that cannot be seen")
	}
	if v.Page == "" || len(v.Page) > maxSavedViewPage || strings.Trim(v.Page, "abcdefghijklmnopqrstuvwxyz-") != "" {
		f.Add("page", "unknown", "must be the word of a page, as environments")
	}
	if values, err := url.ParseQuery(v.Query); err != nil || len(v.Query) > maxSavedViewQuery {
		f.Add("query", "query", "must be the query of an address of at most %d bytes, as phase=failed&sort=name", maxSavedViewQuery)
	} else {
		values.Del("cursor") // a view begins at its beginning
		v.Query = values.Encode()
	}
	return v, f.Err()
}
