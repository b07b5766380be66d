package app

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// health answers whether this process lives and whether it can serve.
type health struct {
	draining atomic.Bool

	mu   sync.Mutex
	last readiness
	at   time.Time
}

// get gives the last answer, or a new one when that is older than a second.
func (h *health) get(look func() readiness) readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.at) > time.Second {
		h.last, h.at = look(), time.Now()
	}
	return h.last
}

func (h *health) drain() { h.draining.Store(true) }

// readiness is the answer of /readyz.
type readiness struct {
	Ready    bool    `json:"ready"`
	NotReady []check `json:"not_ready,omitempty"` // what keeps the server from serving
	Warnings []check `json:"warnings,omitempty"`  // what is down, though requests are accepted and wait for it
}

type check struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Hint   string `json:"hint,omitempty"`
}

const readyCheck = 3 * time.Second

func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": s.Version})
}

// readyz is 503 when the server cannot serve, and names what is not ready. Anyone may ask, so the answer has no addresses and is made once a second.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	out := s.health.get(func() readiness { return s.lookReady(context.WithoutCancel(r.Context())) })
	if s.health.draining.Load() {
		out.NotReady = append(slices.Clone(out.NotReady), check{"server", "it is stopping", "ask another server"})
	}
	status := http.StatusOK
	if out.Ready = len(out.NotReady) == 0; !out.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, out)
}

func (s *Server) lookReady(ctx context.Context) (out readiness) {
	ctx, cancel := context.WithTimeout(ctx, readyCheck)
	defer cancel()
	if err := s.store.Ping(ctx); err != nil {
		s.Logger.Warn("record is not ready", "error", err)
		out.NotReady = append(out.NotReady, check{"record", "the database does not answer", "look at the database and at this server's log"})
	}
	if err := s.repository.Check(ctx); err != nil {
		s.Logger.Warn("GitOps repository is not ready", "error", err)
		out.Warnings = append(out.Warnings, check{"gitops", "the last exchange with the remote failed", "revisions wait until it is back; this server's log says more"})
	}
	targets, err := s.fleet.Targets(ctx, blueberry.System())
	if err == nil {
		for _, t := range targets {
			if !t.Reachable {
				out.Warnings = append(out.Warnings, check{"target " + t.Name, "it cannot be reached", "environments on it wait until it is back; `blueberry target list` says more"})
			}
		}
	}
	return out
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}
