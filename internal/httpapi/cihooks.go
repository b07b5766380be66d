package httpapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// ciHookRoute is the pattern of the door of pipelines. It is outside of /v1 and of sign-in, as that of hosts is.
const ciHookRoute = http.MethodPost + " " + source.HookPath + "{id}" + source.CIHookPath

// isInbox reports whether calls of a route prove themselves by their signature, and are kept as deliveries.
func isInbox(route string) bool { return route == hookRoute || route == ciHookRoute }

// ciHooks is where pipelines report that have no API token.
type ciHooks struct {
	operations Repositories
	within     time.Duration
	reading    chan struct{}
	logger     *slog.Logger
}

// maxReadingCI is how many reports are read at once; each may have blueberry.MaxCIBody bytes. The others wait.
const maxReadingCI = 4

func (h ciHooks) mount(mux *http.ServeMux) { mux.Handle(ciHookRoute, h) }

// ciHookAnswer is what a pipeline is told.
type ciHookAnswer struct {
	hookAnswer
	Report string `json:"report,omitempty"` // id; empty when nothing was kept
}

// ServeHTTP takes one report. One that is signed and not valid is told every fault by field.
func (h ciHooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	case <-ctx.Done():
		return
	}
	c := source.Call{Repository: r.PathValue("id"), Header: r.Header, From: exchangeOf(ctx).call.Address, Stranger: exchangeOf(ctx).stranger}
	if r.Body != nil && r.Body != http.NoBody {
		data, wrong := wholeBody(w, r, blueberry.MaxCIBody, h.within)
		switch {
		case wrong == nil:
			c.Body, c.Size = data, int64(len(data))
		case wrong.Code == codeBodyTooLarge:
			c.Size = blueberry.MaxCIBody + 1
		default:
			writeProblem(w, r, wrong)
			return
		}
	}
	d, report, err := h.operations.ReceiveCI(ctx, c)
	switch {
	case errors.Is(err, blueberry.TooMany):
		return // it is answered
	case err != nil:
		writeProblem(w, r, refuse(ctx, h.logger, err).Problem)
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
