package oauth

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Prefixes of the secrets of OAuth beside the access token's, which access knows.
const (
	RefreshPrefix = "blr_"
	CodePrefix    = "blc_"
	ClientPrefix  = "blk_" // a client's own secret
	DevicePrefix  = "bld_" // a device code
)

// Server answers OAuth clients.
type Server struct {
	Record Record
	People People
	Issuer string // public URL of the installation, without a slash at the end
	Now    func() time.Time
	Logger *slog.Logger
}

// People are those on whose account clients act.
type People interface {
	// Person gives what a user may do now, or NotFound; an inactive one is Forbidden.
	Person(ctx context.Context, userID string) (blueberry.Actor, error)
}

// Paths of the protocol. Those of the pages are web's.
const (
	AuthorizePath  = "/oauth/authorize"
	DevicePath     = "/oauth/device" // where a person types a user code
	tokenPath      = "/oauth/token"
	revokePath     = "/oauth/revoke"
	introspectPath = "/oauth/introspect"
	devicePath     = "/oauth/device_authorization"
	metadataPath   = "/.well-known/oauth-authorization-server"
)

// Routes are the handlers of the protocol, by pattern of http.ServeMux.
func (s *Server) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"POST " + tokenPath:      s.answer(s.token),
		"POST " + revokePath:     s.answer(s.revoke),
		"POST " + introspectPath: s.answer(s.introspect),
		"POST " + devicePath:     s.answer(s.startDevice),
		"GET " + metadataPath:    http.HandlerFunc(s.metadata),
	}
}

// noteUse is how old the last noted use of an access token must be for the next one to be noted.
const noteUse = time.Minute

// now is the time of one request. The record keeps microseconds.
func (s *Server) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
