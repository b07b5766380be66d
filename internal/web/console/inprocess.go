package console

import (
	"bytes"
	"cmp"
	"io"
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// client calls the API inside of the process, as a person.
func (c *Console) client(who blueberry.Actor) *sdk.Client {
	return &sdk.Client{BaseURL: "http://inside", HTTPClient: &http.Client{Transport: inProcess{c.API(who)}}, MaxRetries: -1, UserAgent: "blueberry-console"}
}

// inProcess is a transport to a handler of the same process. The context of a call is that of the page.
type inProcess struct{ handler http.Handler }

// RoundTrip answers one call. An answer that the handler broke off is an error, as it is over a network.
func (p inProcess) RoundTrip(r *http.Request) (_ *http.Response, err error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := &answer{header: http.Header{}}
	defer func() {
		if x := recover(); x == http.ErrAbortHandler { //nolint:errorlint // a panic with this very value
			err = cmp.Or(r.Context().Err(), io.ErrUnexpectedEOF)
		} else if x != nil {
			panic(x)
		}
	}()
	p.handler.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// Flush implements http.Flusher: what is written is there at once.
func (a *answer) Flush() {}
