package activator

import (
	"errors"
	"net/http"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var errNoUpstream = errors.New("nobody has said where the ingress of this target is")

// pageText is what a person sees instead of an environment. Nothing of the platform but a name that is in the address already is told to who has not signed in.
const pageText = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{{if .Again}}<meta http-equiv="refresh" content="5">{{end}}
<title>{{.Title}}</title><style>
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;margin:0;padding:1rem}
main{max-width:34rem}h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:.5rem 0;opacity:.85}code{font-size:.95em}
</style></head><body><main><h1>{{.Title}}</h1><p>{{.Text}}</p><p><code>{{.Host}}</code></p></main></body></html>
`

// answer is what is told instead of passing a request on.
type answer struct {
	Title, Text, Host string
	Again             bool // it is worth asking again
	status            int
}

func answerOf(env blueberry.Environment, err error) answer {
	switch {
	case errors.Is(err, blueberry.NotFound):
		return answer{Title: "There is no environment here", Text: "It may have been removed, or the address has a typo.", status: http.StatusNotFound}
	case errors.Is(err, errGone):
		return answer{Title: "This environment is being removed", Text: "Its lease ended, or someone destroyed it.", status: http.StatusGone}
	case errors.Is(err, errSlow):
		return answer{Title: "Still waking", Text: "The environment slept and has not woken within a minute. This page tries again by itself.", Again: true, status: http.StatusServiceUnavailable}
	case errors.Is(err, errTooMany):
		return answer{Title: "Still waking", Text: "Very many requests wait for this environment. This page tries again by itself.", Again: true, status: http.StatusServiceUnavailable}
	case errors.Is(err, errNoUpstream):
		return answer{Title: "The environment has no way in", Text: "An operator has to say where the ingress of its target is: the gateway address of the target.", status: http.StatusBadGateway}
	case env.ID == "":
		return answer{Title: "Cannot look this up now", Text: "The platform's record does not answer. This page tries again by itself.", Again: true, status: http.StatusServiceUnavailable}
	}
	return answer{Title: "The environment does not answer", Text: "Its target's ingress could not be reached. This page tries again by itself.", Again: true, status: http.StatusBadGateway}
}

// refuse tells why a request is not passed on: as a page to who asks for one, else as one line.
func (a *Activator) refuse(w http.ResponseWriter, r *http.Request, host string, env blueberry.Environment, err error) {
	what := answerOf(env, err)
	what.Host = host
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if what.Again {
		h.Set("Retry-After", "5")
	}
	a.Logger.Debug("request not passed on", "host", host, "status", what.status, "error", err)
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, what.Title+": "+what.Text, what.status)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(what.status)
	_ = a.page.Execute(w, what) // who does not listen any more misses nothing
}
