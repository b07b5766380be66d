package source

import (
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Host is one kind of host: how its deliveries are signed, and what they say. It keeps nothing, and what it is given may be anything.
type Host interface {
	// Named gives what the headers call the delivery and its event; either may be empty. Nothing of it is proven.
	Named(h http.Header) (id, event string)
	// Signed reports whether one of the secrets signed the call, and where the host tells a time, whether that is about now. It takes as long whatever the
	// secrets are.
	Signed(h http.Header, body []byte, secrets []string, now time.Time) bool
	// Read tells what a delivery is about that was signed. The error says what could not be read; it holds no more than names of fields.
	Read(h http.Header, body []byte) (Incoming, error)
}

// Incoming is what a delivery says.
type Incoming struct {
	Repository string // name of the repository, as the host calls it: "acme/shop"
	Action     string // "opened"; empty for events that have none
	Ping       bool   // the host only asks whether anybody is there
	Pull       *blueberry.PullRequest
	Reopened   bool // the pull request was closed, and is open again

	Comment *blueberry.PullComment     // a new one below a pull request
	Pushes  []blueberry.BranchPush     // to branches of the repository itself: some hosts tell of several at once
	Sign    *blueberry.EnvironmentSign // of an environment of the project
}
