package blueberry

import "time"

// Lifetimes of OAuth.
const (
	AccessTokenLife  = 3600 * time.Second
	RefreshTokenLife = 30 * 24 * time.Hour
	AuthCodeLife     = 60 * time.Second // RFC 6749 asks for at most 10 minutes
	DeviceCodeLife   = 10 * time.Minute
	DeviceInterval   = 5 * time.Second
	EndedTokenLife   = 24 * time.Hour // how long it is told why a token ended; then it is invalid, as if it had never been
)

// OAuthClient is a program that acts for users, or for itself, by OAuth 2.0.
type OAuthClient struct {
	ID           string
	Name         string
	Public       bool     // has no secret, as a program on a person's machine
	SecretHash   []byte   // SHA-256; nil when public
	RedirectURIs []string // exact
	Flows        []OAuthFlow
	Grants       []Grant  // the most it can be given
	Projects     []string // nowhere else; empty for everywhere, and for the installation itself
	Trusted      bool     // ours: the CLI. It cannot be changed or deleted
	Disabled     bool
	CreatedAt    time.Time
	CreatedBy    string
	LastUsedAt   time.Time
	Version      int64
}

// OAuthFlow is a way by which a client gets tokens.
type OAuthFlow string

// The flows, by their OAuth names.
const (
	FlowCode    OAuthFlow = "authorization_code"
	FlowClient  OAuthFlow = "client_credentials"
	FlowRefresh OAuthFlow = "refresh_token"
	FlowDevice  OAuthFlow = "urn:ietf:params:oauth:grant-type:device_code"
)

// OAuthFlows lists every flow.
func OAuthFlows() []OAuthFlow { return []OAuthFlow{FlowCode, FlowClient, FlowRefresh, FlowDevice} }

// CLIClientID is the client of blueberry login. It is public and is there from the first start.
const CLIClientID = "blueberry-cli"

// OAuthTokenKind says what a secret of OAuth is for. None is taken for another.
type OAuthTokenKind string

// The kinds.
const (
	OAuthCode    OAuthTokenKind = "code"
	OAuthAccess  OAuthTokenKind = "access"
	OAuthRefresh OAuthTokenKind = "refresh"
)

// OAuthToken is one secret that was issued. Those of one consent are a family: they are revoked together.
type OAuthToken struct {
	Hash       []byte // SHA-256 of the secret
	ID         string // "tok_…"
	Kind       OAuthTokenKind
	Family     string // id of the consent or sign-in it came of: "gnt_…"
	ClientID   string
	UserID     string // empty when the client acts for itself
	Scopes     []string
	Request    []byte // what the OAuth library keeps of the request, as JSON
	IssuedAt   time.Time
	ExpiresAt  time.Time
	UsedAt     time.Time // first use; zero for never
	LastUsedAt time.Time
	RevokedAt  time.Time // also: rotated away, or its code or family was revoked
}

// OAuthTokenState is where a token is.
type OAuthTokenState string

// The states: Issued → Active → Expired or Revoked → Invalid.
const (
	OAuthIssued  OAuthTokenState = "issued"
	OAuthActive  OAuthTokenState = "active"
	OAuthExpired OAuthTokenState = "expired"
	OAuthRevoked OAuthTokenState = "revoked"
	OAuthInvalid OAuthTokenState = "invalid"
)

// State is where the token is now, and since when.
func (t OAuthToken) State(now time.Time) (OAuthTokenState, time.Time) {
	ended, state := t.ExpiresAt, OAuthExpired
	if !t.RevokedAt.IsZero() && t.RevokedAt.Before(t.ExpiresAt) {
		ended, state = t.RevokedAt, OAuthRevoked
	}
	switch {
	case !now.Before(ended.Add(EndedTokenLife)):
		return OAuthInvalid, ended.Add(EndedTokenLife)
	case !now.Before(ended):
		return state, ended
	case !t.UsedAt.IsZero():
		return OAuthActive, t.UsedAt
	}
	return OAuthIssued, t.IssuedAt
}

// Live reports whether the token can be used.
func (t OAuthToken) Live(now time.Time) bool {
	s, _ := t.State(now)
	return s == OAuthIssued || s == OAuthActive
}

// Consent is what a user allowed a client.
type Consent struct {
	UserID    string
	ClientID  string
	Scopes    []string
	GrantedAt time.Time
}

// ClientConsent is a consent with its client.
type ClientConsent struct {
	Consent
	Client OAuthClient
}

// DeviceStatus is where a device authorization is.
type DeviceStatus string

// The statuses.
const (
	DevicePending  DeviceStatus = "pending"
	DeviceApproved DeviceStatus = "approved"
	DeviceDenied   DeviceStatus = "denied"
	DeviceUsed     DeviceStatus = "used" // its tokens were given
)

// DeviceAuthorization is a program that waits for a person to let it in from another machine (RFC 8628).
type DeviceAuthorization struct {
	ID           string // "gnt_…": the family of the tokens that it gives
	DeviceHash   []byte // SHA-256 of the device code
	UserCodeHash []byte // SHA-256 of the user code, upper case without the dash
	ClientID     string
	Scopes       []string
	Address      string // of the program that asks, so that the person can tell
	UserAgent    string
	Status       DeviceStatus
	UserID       string // who decided
	CreatedAt    time.Time
	ExpiresAt    time.Time
	PolledAt     time.Time
	Interval     time.Duration // grows when it polls too fast
	Version      int64
}
