package httpapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

// hookRoute is the pattern of the inbox. It is outside of /v1 and of sign-in: a call proves itself by its signature.
const hookRoute = http.MethodPost + " " + source.HookPath + "{id}"

// hooks is the inbox: what the hosts of repositories send. It says nothing of a body to the log.
type hooks struct {
	operations Repositories
	within     time.Duration // a body must be here
	reading    chan struct{} // holds a token for each body that is read: nobody has proven anything by then
	logger     *slog.Logger
}

// maxReading is how many deliveries are in memory at once; each may have blueberry.MaxDelivery bytes. The others wait.
const maxReading = 16

func (h hooks) mount(mux *http.ServeMux) { mux.Handle(hookRoute, h) }

// hookAnswer is what a host is told, which shows it to its people.
type hookAnswer struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
}

// ServeHTTP takes one delivery. It answers 202 to whatever is signed, also when nothing follows of it: a host shall not send that again.
func (h hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	case <-ctx.Done():
		return
	}
	c := source.Call{Repository: r.PathValue("id"), Header: r.Header, From: exchangeOf(ctx).call.Address, Stranger: exchangeOf(ctx).stranger}
	if r.Body != nil && r.Body != http.NoBody {
		data, wrong := wholeBody(w, r, blueberry.MaxDelivery, h.within)
		switch {
		case wrong == nil:
			c.Body, c.Size = data, int64(len(data))
		case wrong.Code == codeBodyTooLarge:
			c.Size = blueberry.MaxDelivery + 1
		default:
			writeProblem(w, r, wrong)
			return
		}
	}
	d, err := h.operations.Receive(ctx, c)
	if errors.Is(err, blueberry.TooMany) {
		return // it is answered
	}
	if err != nil {
		writeProblem(w, r, refuse(ctx, h.logger, err).Problem)
		return
	}
	if d.Verdict == blueberry.DeliveryRefused {
		writeProblem(w, r, refusedDelivery(d))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(hookAnswer{ID: d.ID, Verdict: string(d.Verdict), Reason: d.Reason}) // the host may be gone; there is no one to tell
}

func refusedDelivery(d blueberry.Delivery) *sdk.Problem {
	detail := "delivery " + d.ID + " is refused: " + d.Reason
	if d.Size > blueberry.MaxDelivery {
		return newProblem(http.StatusRequestEntityTooLarge, codeBodyTooLarge, detail)
	}
	return newProblem(http.StatusUnauthorized, "DELIVERY_REFUSED", detail)
}
