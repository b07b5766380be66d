package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	maxBody = 8 << 20  // bytes of a call of the API
	maxForm = 64 << 10 // bytes of what a page or an OAuth endpoint takes
)

// readBody reads the whole body before anything else is done with the request, within limits of size and time.
func (g *gateway) readBody(limit int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		if !x.api && (x.route == "" || !mutates(r.Method)) { // nobody will look at it
			cut(w, r)
			r.Body = http.NoBody
			next.ServeHTTP(w, r)
			return
		}
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(g.timeouts.Body)) // the connection's clock, not ours; not every connection has one; the server's own limit is left then
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			cut(w, r)
		} else {
			_ = control.SetReadDeadline(time.Time{})
		}
		var tooLarge *http.MaxBytesError
		var timeout net.Error
		switch {
		case errors.As(err, &tooLarge):
			g.refuse(w, r, blueberry.Errorf(blueberry.TooLarge, "BODY_TOO_LARGE", "the body is over %d bytes", limit))
			return
		case errors.As(err, &timeout) && timeout.Timeout():
			writeProblem(w, r, newProblem(http.StatusRequestTimeout, "BODY_TIMEOUT", fmt.Sprintf("the body did not arrive within %s", g.timeouts.Body)))
			return
		case err != nil:
			g.refuse(w, r, blueberry.Errorf(blueberry.Malformed, "BODY_UNREADABLE", "the body could not be read to its end"))
			return
		}
		if given := r.Header.Get("Content-Type"); x.api && len(data) > 0 && given != "" {
			if media, _, err := mime.ParseMediaType(given); err != nil || media != "application/json" {
				writeProblem(w, r, newProblem(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json"))
				return
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
		next.ServeHTTP(w, r)
	})
}
