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
	maxBody  = 8 << 20          // bytes of a request
	bodyTime = 30 * time.Second // that a client may take to send it
)

// readBody reads the whole body before anything else is done with the request, within limits of size and time.
func (g *gateway) readBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(g.now().Add(bodyTime)) // not every connection has one; the server's own limit is left then
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			cut(w, r)
		} else {
			_ = control.SetReadDeadline(time.Time{})
		}
		var tooLarge *http.MaxBytesError
		var timeout net.Error
		switch {
		case errors.As(err, &tooLarge):
			g.refuse(w, r, blueberry.Errorf(blueberry.TooLarge, "BODY_TOO_LARGE", "the body is over %d bytes", maxBody))
			return
		case errors.As(err, &timeout) && timeout.Timeout():
			writeProblem(w, r, newProblem(http.StatusRequestTimeout, "BODY_TIMEOUT", fmt.Sprintf("the body did not arrive within %s", bodyTime)))
			return
		case err != nil:
			g.refuse(w, r, blueberry.Errorf(blueberry.Malformed, "BODY_UNREADABLE", "the body could not be read to its end"))
			return
		}
		if given := r.Header.Get("Content-Type"); len(data) > 0 && given != "" {
			if media, _, err := mime.ParseMediaType(given); err != nil || media != "application/json" {
				writeProblem(w, r, newProblem(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json"))
				return
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
		next.ServeHTTP(w, r)
	})
}
