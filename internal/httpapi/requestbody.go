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
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	maxBody = 8 << 20  // bytes of a call of the API
	maxForm = 64 << 10 // bytes of what a page or an OAuth endpoint takes

	maxLarge = 4 // calls at once that may have more than maxBody
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
		limit := limit
		if x.route == ciReportRoute {
			limit = blueberry.MaxCIBody
			select { // reading one takes several times its size
			case g.large <- struct{}{}:
				defer func() { <-g.large }()
			case <-r.Context().Done():
				return
			}
		}
		data, wrong := wholeBody(w, r, limit, g.timeouts.Body)
		if wrong != nil {
			writeProblem(w, r, wrong)
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

// wholeBody reads the body to its end, within limits of size and time. Of one that it gives up it tells the problem, and has the answer end the connection.
func wholeBody(w http.ResponseWriter, r *http.Request, limit int64, within time.Duration) ([]byte, *sdk.Problem) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(within)) // the connection's clock, not ours; not every connection has one; the server's own limit is left then
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		_ = control.SetReadDeadline(time.Time{})
		return data, nil
	}
	cut(w, r)
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, codeBodyTooLarge, fmt.Sprintf("the body is over %d bytes", limit))
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, newProblem(http.StatusRequestTimeout, "BODY_TIMEOUT", fmt.Sprintf("the body did not arrive within %s", within))
	}
	return nil, newProblem(http.StatusBadRequest, "BODY_UNREADABLE", "the body could not be read to its end")
}

const codeBodyTooLarge = "BODY_TOO_LARGE"
