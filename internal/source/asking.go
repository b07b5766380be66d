package source

import (
	"net/http"
	"net/url"
	"strings"
)

// Bearer puts a token on requests as most hosts want it.
func Bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// Parts gives the parts of the name of the repository, between its slashes, each as it stands in the path of an address. HostError for a name that has another
// number of parts (0: two or more), or one that would name another place.
func (c *Connection) Parts(number int) ([]string, error) {
	parts := strings.Split(c.Repository, "/")
	wrong := len(parts) < 2 || number != 0 && len(parts) != number
	for i, x := range parts {
		wrong = wrong || x == "" || x == "." || x == ".."
		parts[i] = url.PathEscape(x)
	}
	if wrong {
		return nil, &HostError{Text: "the name of the repository is none that its kind of host has"}
	}
	return parts, nil
}

// HasNext reports whether a list goes on behind a page, as the header Link says.
func HasNext(h http.Header) bool {
	for _, x := range h.Values("Link") {
		if strings.Contains(x, `rel="next"`) {
			return true
		}
	}
	return false
}
