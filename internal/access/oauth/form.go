package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Bounds of requests.
const (
	maxBody       = 64 << 10
	maxQuery      = 8 << 10
	maxParameters = 50
)

// form is the parameters of a request, each given once.
type form url.Values

func (f form) get(name string) string { return url.Values(f).Get(name) }

// readForm reads the body of a request. Parameters in its address are no part of it: an address is logged and kept in histories (RFC 6749 2.3.1).
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, &refusal{code: invalidRequest, text: "the body must be application/x-www-form-urlencoded", status: http.StatusUnsupportedMediaType}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return nil, &refusal{code: invalidRequest, text: "the body is larger than 64 KiB", status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return nil, refuse(invalidRequest, "the body could not be read")
	}
	f, twice, err := parseParameters(string(body))
	switch {
	case err != nil:
		return nil, err
	case twice != "":
		return nil, refuse(invalidRequest, twice+" is given twice")
	}
	return f, nil
}

// parseParameters reads a query or body. Of a parameter that is given twice it keeps none and tells the name: which of both counts is not ours to guess.
// Empty ones count as left out (RFC 6749 3.1).
func parseParameters(raw string) (f form, twice string, err error) {
	if strings.Count(raw, "&") >= maxParameters {
		return nil, "", refuse(invalidRequest, "there are too many parameters")
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, "", refuse(invalidRequest, "the parameters are not form-encoded")
	}
	f = form{}
	for name, all := range values {
		switch {
		case name == "":
			return nil, "", refuse(invalidRequest, "a parameter has no name")
		case len(all) > 1:
			if twice == "" || name < twice {
				twice = name
			}
		case strings.ContainsRune(all[0], 0):
			return nil, "", refuse(invalidRequest, "a parameter holds a zero byte")
		case all[0] != "":
			f[name] = all
		}
	}
	return f, twice, nil
}
