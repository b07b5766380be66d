package httpapi

import (
	"encoding/base64"
	"encoding/json"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// jobCursor is what a cursor of the list of jobs holds. It is bound to the filter, so that it cannot be used with another.
type jobCursor struct {
	Before int64  `json:"b"`
	Filter string `json:"f,omitempty"`
}

func (c jobCursor) String() string {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // a number and a string are always JSON
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseJobCursor(s, filter string) (jobCursor, error) {
	var c jobCursor
	if s == "" {
		return c, nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || json.Unmarshal(data, &c) != nil || c.Before <= 0 || c.Filter != filter {
		return jobCursor{}, blueberry.Faults{{Field: "cursor", Code: "cursor", Message: "is not a cursor of this list with these filters"}}.Err()
	}
	return c, nil
}
