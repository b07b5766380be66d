package access

import (
	"net/url"
	"strings"
)

const maxReturnTo = 2000 // characters

// LocalPath reports whether a path, as it came along with a request, leads to a page of this server and nowhere else, however a browser reads it.
func LocalPath(path string) bool {
	if len(path) > maxReturnTo || !strings.HasPrefix(path, "/") || !plainPath(path) {
		return false
	}
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return plainPath(u.Path) // as a proxy or a page may undo the escapes once more
}

// plainPath reports whether no browser can take a path for an address: they skip tabs and line ends, and read a backslash as a slash.
func plainPath(path string) bool {
	return !strings.HasPrefix(path, "//") && !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f || r == 0xFFFD })
}
