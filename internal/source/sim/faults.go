package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// FaultPlan is what goes wrong on purpose.
type FaultPlan struct {
	Webhooks WebhookFaults `json:"webhooks,omitzero"`
	API      APIFaults     `json:"api,omitzero"`
}

// WebhookFaults are what goes wrong with webhooks. At most one thing happens to each; the same seed and the same webhooks give the same faults.
type WebhookFaults struct {
	Drop    float64 `json:"drop,omitempty"`    // probability that it is not sent
	Double  float64 `json:"double,omitempty"`  // probability that it is sent twice, with the same id
	Reorder float64 `json:"reorder,omitempty"` // probability that the one behind it is sent first
	Seed    uint64  `json:"seed,omitempty"`
	HoldMS  int     `json:"hold_ms,omitempty"` // how long it waits at most for one that passes; 0 means 2000
}

// FaultKind is how the API goes wrong.
type FaultKind string

// The kinds.
const (
	FaultRateLimited FaultKind = "rate_limited" // 429 with Retry-After
	FaultPrimary     FaultKind = "primary"      // 403, no calls left until X-RateLimit-Reset
	FaultRevoked     FaultKind = "revoked"      // 401
	FaultBroken      FaultKind = "broken"       // 500
	FaultLost        FaultKind = "lost"         // what is asked is done, and the connection ends without an answer
)

// APIFaults are what goes wrong with calls of the API.
type APIFaults struct {
	Kind       FaultKind `json:"kind,omitempty"`
	Calls      int       `json:"calls,omitempty"`       // how many; 0 means until another plan is set
	Method     string    `json:"method,omitempty"`      // only these, as POST; empty means all
	RetryAfter int       `json:"retry_after,omitempty"` // seconds that rate_limited and primary tell
}

func (p FaultPlan) check() []string {
	var wrong []string
	w := p.Webhooks
	if !(w.Drop >= 0 && w.Double >= 0 && w.Reorder >= 0 && w.Drop+w.Double+w.Reorder <= 1) {
		wrong = append(wrong, "webhooks: the probabilities must not be below 0, nor come to more than 1")
	}
	if w.HoldMS < 0 || w.HoldMS > 600_000 {
		wrong = append(wrong, "webhooks.hold_ms must be 0 to 600000")
	}
	if !slices.Contains([]FaultKind{"", FaultRateLimited, FaultPrimary, FaultRevoked, FaultBroken, FaultLost}, p.API.Kind) {
		wrong = append(wrong, "api.kind is none of rate_limited, primary, revoked, broken, lost")
	}
	if p.API.Calls < 0 || p.API.RetryAfter < 0 {
		wrong = append(wrong, "api.calls and api.retry_after must not be below 0")
	}
	return wrong
}

// faults is the plan in force, and how far it has come.
type faults struct {
	plan   FaultPlan
	left   int // calls; -1 for all
	random *rand.Rand
}

func (f *faults) set(p FaultPlan) {
	f.plan, f.left, f.random = p, p.API.Calls, rand.New(rand.NewPCG(p.Webhooks.Seed, 0)) //nolint:gosec // it has to be the same each time
	if p.API.Calls == 0 {
		f.left = -1
	}
}

// next gives what goes wrong with the next call; of no kind when nothing does.
func (f *faults) next(method string) APIFaults {
	a := f.plan.API
	if a.Kind == "" || f.left == 0 || a.Method != "" && a.Method != method {
		return APIFaults{}
	}
	if f.left > 0 {
		f.left--
	}
	return a
}

type fate int

const (
	fateNone fate = iota
	fateDrop
	fateDouble
	fateReorder
)

// webhook decides over the next webhook.
func (f *faults) webhook() fate {
	w := f.plan.Webhooks
	if w.Drop+w.Double+w.Reorder == 0 {
		return fateNone
	}
	switch x := f.random.Float64(); {
	case x < w.Drop:
		return fateDrop
	case x < w.Drop+w.Double:
		return fateDouble
	case x < w.Drop+w.Double+w.Reorder:
		return fateReorder
	}
	return fateNone
}

func (f *faults) hold() time.Duration {
	return time.Duration(cmp.Or(f.plan.Webhooks.HoldMS, 2000)) * time.Millisecond
}

// spoil answers a call that goes wrong before anything is done.
func (h *Host) spoil(w http.ResponseWriter, f APIFaults) bool {
	switch f.Kind {
	case FaultRateLimited:
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		h.refusal(w, refuse(http.StatusTooManyRequests, "too many requests"))
	case FaultPrimary:
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(h.now().Unix()+int64(f.RetryAfter), 10))
		h.refusal(w, refuse(http.StatusForbidden, "API rate limit exceeded"))
	case FaultRevoked:
		h.refusal(w, refuse(http.StatusUnauthorized, "token was revoked"))
	case FaultBroken:
		h.refusal(w, refuse(http.StatusInternalServerError, "broken on purpose"))
	default:
		return false
	}
	return true
}

// own reports whether a call to /sim/ has the token, and answers it when it has not.
func (h *Host) own(w http.ResponseWriter, r *http.Request) bool {
	if name, authentic := h.actor(r); !authentic || name == "" {
		h.refusal(w, refuse(http.StatusUnauthorized, "token is required"))
		return false
	}
	return true
}

func (h *Host) tell(w http.ResponseWriter, v any) {
	js, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		h.refusal(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	_, _ = w.Write(append(js, '\n'))
}

func (h *Host) getFaults(w http.ResponseWriter, r *http.Request) {
	if h.own(w, r) {
		h.mu.RLock()
		plan := h.faults.plan
		h.mu.RUnlock()
		h.tell(w, plan)
	}
}

func (h *Host) setFaults(w http.ResponseWriter, r *http.Request) {
	if !h.own(w, r) {
		return
	}
	var plan FaultPlan
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&plan); err != nil {
		h.refusal(w, wrong("the body is no plan of faults: %v", err))
		return
	}
	if _, err := d.Token(); err != io.EOF {
		h.refusal(w, wrong("the body is more than a plan of faults"))
		return
	}
	if faults := plan.check(); len(faults) > 0 {
		h.refusal(w, wrong("%s", fmt.Sprint(faults)))
		return
	}
	h.mu.Lock()
	h.faults.set(plan)
	for _, r := range h.state.Repositories { // what was held waits for nobody any more
		for _, x := range r.Hooks {
			for i := range x.Queue {
				x.Queue[i].Held = time.Time{}
			}
		}
	}
	h.mu.Unlock()
	h.nudge()
	h.tell(w, plan)
}

// Counts are what the host was asked to write, and how often it was asked at all.
type Counts struct {
	totals
	Comments []CommentCount `json:"comments"`
	Statuses []StatusCount  `json:"statuses"`
}

// CommentCount is how often comments of a pull request were written.
type CommentCount struct {
	Repository string `json:"repository"`
	Number     int    `json:"number"`
	Created    int64  `json:"created"`
	Edited     int64  `json:"edited"`
}

// StatusCount is how often a commit was given a status of a context.
type StatusCount struct {
	Repository string `json:"repository"`
	SHA        string `json:"sha"`
	Context    string `json:"context"`
	Created    int    `json:"created"`
}

// Counts counts.
func (h *Host) Counts() Counts {
	h.mu.RLock()
	defer h.mu.RUnlock()
	out := Counts{totals: h.state.Totals, Comments: []CommentCount{}, Statuses: []StatusCount{}}
	for _, id := range slices.Sorted(maps.Keys(h.state.Repositories)) {
		r := h.state.Repositories[id]
		name := r.Owner + "/" + r.Name
		for _, p := range r.Pulls {
			if p.CommentsCreated+p.CommentsEdited > 0 {
				out.Comments = append(out.Comments, CommentCount{name, p.Number, p.CommentsCreated, p.CommentsEdited})
			}
		}
		at := map[[2]string]int{}
		for _, x := range r.Statuses {
			key := [2]string{x.SHA, x.Context}
			if _, ok := at[key]; !ok {
				at[key] = len(out.Statuses)
				out.Statuses = append(out.Statuses, StatusCount{Repository: name, SHA: x.SHA, Context: x.Context})
			}
			out.Statuses[at[key]].Created++
		}
	}
	return out
}

func (h *Host) getCounts(w http.ResponseWriter, r *http.Request) {
	if h.own(w, r) {
		h.tell(w, h.Counts())
	}
}
