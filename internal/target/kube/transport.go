package kube

import (
	"net/http"
	"strings"
	"syscall"
)

// transport tells at once that there is no connection. Without it the client library hides a lost connection: it repeats a read for ten seconds, and
// gives a watch that never began as one that has ended.
type transport struct{ next http.RoundTripper }

// RoundTrip makes one try.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil && req.Context().Err() == nil {
		return nil, &noConnection{err.Error()}
	}
	return resp, err
}

// WrappedRoundTripper lets the library find its own transport.
func (t transport) WrappedRoundTripper() http.RoundTripper { return t.next }

// noConnection keeps the text of an error but not its type, by which the library would try again.
type noConnection struct{ text string }

// Error gives the text, but for the two phrases by which the library would try again.
func (e *noConnection) Error() string {
	return strings.NewReplacer("connection reset by peer", "connection was reset", "use of closed network connection", "connection was closed").Replace(e.text)
}

// As answers as a refused connection: then a watch goes on from where it was, and does not list everything again.
func (e *noConnection) As(to any) bool {
	errno, ok := to.(*syscall.Errno)
	if ok {
		*errno = syscall.ECONNREFUSED
	}
	return ok
}
