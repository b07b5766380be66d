package activator

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of one activator.
const (
	Patience      = 60 * time.Second // that a request is held while its environment wakes
	maxHeld       = 1000             // requests held at once for one environment
	maxKnown      = 20_000           // hosts remembered, also those that are nobody's
	stateAge      = time.Second      // how long what is known of a host is believed
	maxReplayed   = 1 << 20          // bytes of a body that is kept to be sent once more
	maxHost       = 253              // characters of a DNS name
	flushEvery    = 5 * time.Second  // between two notes of who is used; below blueberry.IdleMargin
	settle        = 60 * time.Second // after a wake, that an ingress may need to learn of the pods
	lag           = 5 * time.Second  // of it, in which also what could do a thing twice is sent again
	firstRetry    = 100 * time.Millisecond
	longestRetry  = time.Second
	lookWhileHeld = 250 * time.Millisecond
)

// ProbeAgent is the User-Agent of the platform's own look at addresses, which is no use of an environment.
const ProbeAgent = "blueberry-probe"

// Environments is what the activator asks of the platform.
type Environments interface {
	// HostEnvironment reads the living environment that has the host, or NotFound.
	HostEnvironment(ctx context.Context, host string) (blueberry.Environment, error)
	// WakeForRequest asks for an environment to be awake; of one that is, nothing.
	WakeForRequest(ctx context.Context, id string) (blueberry.Environment, error)
	// Touch notes when environments were last used, by id.
	Touch(ctx context.Context, at map[string]time.Time) error
}

// Activator passes requests on to environments. It is an http.Handler.
type Activator struct {
	Environments Environments
	// Upstream is where a target's ingress is; nil when nobody said.
	Upstream func(target string) *url.URL
	Now      func() time.Time
	Logger   *slog.Logger
	// Transport reaches the ingresses; nil means one of its own.
	Transport http.RoundTripper

	once  sync.Once
	proxy http.Handler
	page  *template.Template

	mu      sync.Mutex
	known   map[string]*known    // by host
	used    map[string]time.Time // by environment id, since the last flush
	running map[string]int       // requests under way, by environment id
	held    map[string]int       // and held, by environment id
	wakings map[string]*waking   // by environment id
	woken   map[string]time.Time // when an environment was last seen to wake, by id
}

// known is what is believed of a host.
type known struct {
	env  blueberry.Environment // zero when the host is nobody's
	err  error
	at   time.Time     // when the look at it was begun
	done chan struct{} // closed when env and err are in
}

// asleep reports whether an environment cannot answer now because it sleeps, falls asleep or wakes.
func asleep(e blueberry.Environment) bool {
	return e.Sleep.Asleep || e.Phase == blueberry.Sleeping || e.Sleep.Step != ""
}
