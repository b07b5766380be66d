package hosttest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// refused: whatever the host answers, the driver says what it means, and says nothing of the credential.
func (x Tongue) refused(t *testing.T) {
	says := func(status int, h http.Header, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range h {
				w.Header()[name] = values
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	echo := fmt.Sprintf(`{"message":"no: %s"}`, x.Credential)
	if strings.ContainsAny(x.Credential, "\n") {
		echo = `{"message":"no"}`
	}
	in := func(d time.Duration) string { return fmt.Sprint(noon.Add(d).Unix()) }
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		until  time.Time
	}{
		"revoked":          {says(401, nil, echo), 401, time.Time{}},
		"missing right":    {says(403, nil, echo), 403, time.Time{}},
		"gone":             {says(404, nil, echo), 404, time.Time{}},
		"moved":            {says(301, http.Header{"Location": {"https://zebra.example.com/"}}, "<html>"), 301, time.Time{}},
		"moved for now":    {says(307, http.Header{"Location": {"/zebra"}}, ""), 307, time.Time{}},
		"spent":            {says(403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {in(10 * time.Minute)}}, echo), 403, noon.Add(10 * time.Minute)},
		"spent, 429":       {says(429, http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {in(10 * time.Minute)}}, echo), 429, noon.Add(10 * time.Minute)},
		"too fast":         {says(403, http.Header{"Retry-After": {"30"}}, echo), 403, noon.Add(30 * time.Second)},
		"too fast, 429":    {says(429, http.Header{"Retry-After": {"30"}}, echo), 429, noon.Add(30 * time.Second)},
		"too fast, untold": {says(429, nil, echo), 429, noon.Add(time.Minute)},
		"broken":           {says(500, nil, echo), 500, time.Time{}},
		"bad gateway":      {says(502, nil, "<html>"+x.Credential), 502, time.Time{}},
		"busy":             {says(503, http.Header{"Retry-After": {"90"}}, ""), 503, noon.Add(90 * time.Second)},
		"no JSON":          {says(200, nil, "<html>"+x.Credential), 200, time.Time{}},
		"other JSON":       {says(200, nil, `"zebra"`), 200, time.Time{}},
		"too much":         {says(200, nil, `[`+strings.Repeat(" ", 17<<20)+`]`), 0, time.Time{}},
		"cut":              {says(200, http.Header{"Content-Length": {"1000"}}, `[{"id":`), 0, time.Time{}},
		"no answer":        {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			f, conn := x.open(t)
			f.with(func() { f.instead = c.answer })
			for what, err := range x.speak(t, conn, "pr-7") {
				var e *source.HostError
				switch {
				case what == "permission" && err == nil && c.status == http.StatusNotFound: // whom the host does not know may nothing
				case !errors.As(err, &e):
					t.Errorf("%s: %v", what, err)
				case e.Status != c.status || !e.Until.Equal(c.until):
					t.Errorf("%s: status %d until %s: %v", what, e.Status, e.Until, e)
				case strings.Contains(e.Error(), x.Credential) || strings.Contains(e.Error(), conn.Token) || len(e.Error()) > 400 || strings.Contains(e.Error(), stranger):
					t.Errorf("%s: %q", what, e)
				}
			}
		})
	}
	t.Run("hanging", func(t *testing.T) {
		f, conn := x.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		f.with(func() {
			f.instead = func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			}
		})
		_, err := x.Speaker.Changed(ctx, conn, time.Time{}, "")
		var e *source.HostError
		if !errors.As(err, &e) || e.Status != 0 || strings.Contains(e.Error(), "http") {
			t.Errorf("the error is %v", err)
		}
	})
}
