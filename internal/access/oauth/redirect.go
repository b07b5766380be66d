package oauth

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of what a client registers.
const (
	maxRedirectURIs = 20
	maxRedirectURI  = 2000
)

// loopbacks are the addresses for which RFC 8252 7.3 lets a program on a person's machine choose the port as it starts.
var loopbacks = []string{"http://127.0.0.1", "http://[::1]"}

// privateUse is a scheme as RFC 8252 7.1 asks for: a domain turned around, so that it has a dot.
var privateUse = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// matchesRedirect reports whether a client registered the address. It compares characters, and never what a parser makes of them.
func matchesRedirect(c blueberry.OAuthClient, asked string) bool {
	if slices.Contains(c.RedirectURIs, asked) {
		return true
	}
	if !c.Public {
		return false
	}
	for _, host := range loopbacks {
		path, ok := afterPort(asked, host)
		if !ok {
			continue
		}
		if slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
			had, ok := afterPort(registered, host)
			return ok && had == path
		}) {
			return true
		}
	}
	return false
}

// afterPort is what follows "http://host" and ":port" in an address.
func afterPort(address, host string) (string, bool) {
	rest, ok := strings.CutPrefix(address, host)
	if !ok {
		return "", false
	}
	if port, ok := strings.CutPrefix(rest, ":"); ok {
		end := strings.IndexFunc(port, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(port)
		}
		if n, err := strconv.Atoi(port[:end]); err != nil || n < 1 || n > 65535 {
			return "", false
		}
		rest = port[end:]
	}
	return rest, true
}

// checkRedirectURI notes what is wrong with an address that a client registers.
func checkRedirectURI(f *blueberry.Faults, field, address string) {
	u, err := url.Parse(address)
	switch {
	case address == "":
		f.Add(field, "required", "is needed")
	case len(address) > maxRedirectURI:
		f.Add(field, "too_long", "has %d bytes, at most %d are allowed", len(address), maxRedirectURI)
	case err != nil || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\\\"<>^`{|}", r) }):
		f.Add(field, "url", "is no address in printable ASCII")
	case strings.Contains(address, "*"):
		f.Add(field, "wildcard", "must be one address, without *")
	case strings.Contains(address, "#"):
		f.Add(field, "fragment", "must have no fragment")
	case u.User != nil:
		f.Add(field, "userinfo", "must have no user name in it")
	case slices.ContainsFunc(strings.Split(u.Path, "/"), func(part string) bool { return part == ".." || part == "." }):
		f.Add(field, "path", "must have no . or .. in its path")
	case reserved(u.Query()):
		f.Add(field, "query", "must not have code, state, iss, scope or error in its query")
	default:
		checkScheme(f, field, address, u)
	}
}

// checkScheme allows https, http to the machine itself, and private-use schemes.
func checkScheme(f *blueberry.Faults, field, address string, u *url.URL) {
	scheme, _, _ := strings.Cut(address, ":")
	switch {
	case scheme == "https" && u.Hostname() != "":
	case scheme == "https":
		f.Add(field, "host", "must name a host")
	case scheme == "http" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname()):
	case scheme == "http":
		f.Add(field, "scheme", "must be https; http is for 127.0.0.1, [::1] and localhost alone")
	case !privateUse.MatchString(scheme):
		f.Add(field, "scheme", "must be https, http to this machine, or a scheme of the program's own with a dot in it, as com.example.app")
	case u.Opaque != "":
		f.Add(field, "path", "must have a / after the scheme, as com.example.app:/callback")
	}
}

func reserved(query url.Values) bool {
	for _, name := range []string{"code", "state", "iss", "scope", "error", "error_description"} {
		if query.Has(name) {
			return true
		}
	}
	return false
}
