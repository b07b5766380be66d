package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// ciHookRoute is the pattern of the door of pipelines. It is outside of /v1 and of sign-in, as that of hosts is.
const ciHookRoute = http.MethodPost + " " + source.HookPath + "{id}" + source.CIHookPath

// isInbox reports whether calls of a route prove themselves by their signature, and are kept as deliveries.
func isInbox(route string) bool { return route == hookRoute || route == ciHookRoute }

// ciHooks is where pipelines report that have no API token.
type ciHooks struct{ inbox }

// maxReadingCI is how many reports are read at once; each may have blueberry.MaxCIBody bytes.
const maxReadingCI = 4

func (h ciHooks) mount(mux *http.ServeMux) { mux.Handle(ciHookRoute, h) }

// ciHookAnswer is what a pipeline is told.
type ciHookAnswer struct {
	hookAnswer
	Report string `json:"report,omitempty"` // id; empty when nothing was kept
}

// ServeHTTP takes one report. One that is signed and not valid is told every fault by field.
func (h ciHooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, done, ok := h.call(w, r)
	if !ok {
		return
	}
	defer done()
	d, report, err := h.operations.ReceiveCI(r.Context(), c)
	switch {
	case err != nil:
		h.fail(w, r, err)
		return
	case d.Verdict == blueberry.DeliveryRefused:
		writeProblem(w, r, refusedDelivery(d))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(ciHookAnswer{hookAnswer{d.ID, string(d.Verdict), d.Reason}, report.ID}) // the caller may be gone; there is no one to tell
}
