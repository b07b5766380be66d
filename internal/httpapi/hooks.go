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

// inbox reads calls that prove themselves by their signature. It says nothing of a body to the log.
type inbox struct {
	operations Repositories
	most       int64         // bytes of a body
	within     time.Duration // a body must be here
	reading    chan struct{} // holds a token for each body that is read: nobody has proven anything by then. The others wait
	logger     *slog.Logger
}

// call reads one. What is wrong with it is answered, and then it is not ok. Whoever is done with it gives its place to the next one.
func (in inbox) call(w http.ResponseWriter, r *http.Request) (c source.Call, done func(), ok bool) {
	ctx := r.Context()
	c = source.Call{Repository: r.PathValue("id"), Header: r.Header, From: exchangeOf(ctx).call.Address, Stranger: exchangeOf(ctx).stranger}
	if err := in.operations.Expects(ctx, c); err != nil { // who knows no repository takes no place
		cut(w, r)
		in.fail(w, r, err)
		return c, nil, false
	}
	select {
	case in.reading <- struct{}{}:
	case <-ctx.Done():
		return c, nil, false
	}
	done = func() { <-in.reading }
	if r.Body == nil || r.Body == http.NoBody {
		return c, done, true
	}
	data, wrong := wholeBody(w, r, in.most, in.within)
	switch {
	case wrong == nil:
		c.Body, c.Size = data, int64(len(data))
	case wrong.Code == codeBodyTooLarge:
		c.Size = in.most + 1
	default:
		done()
		if c.Stranger() { // it has proven nothing; else it is answered that there were too many such
			writeProblem(w, r, wrong)
		}
		return c, nil, false
	}
	return c, done, true
}

// fail answers an error. One that says that there were too many calls is answered.
func (in inbox) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, blueberry.TooMany) {
		writeProblem(w, r, refuse(r.Context(), in.logger, err).Problem)
	}
}

// hooks is what the hosts of repositories send.
type hooks struct{ inbox }

// maxReading is how many deliveries are in memory at once; each may have blueberry.MaxDelivery bytes.
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
	c, done, ok := h.call(w, r)
	if !ok {
		return
	}
	defer done()
	d, err := h.operations.Receive(r.Context(), c)
	if err != nil {
		h.fail(w, r, err)
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
