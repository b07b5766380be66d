package blueberry

import (
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

// UserStatus is where an account is.
type UserStatus string

// The statuses of a user.
const (
	UserPending  UserStatus = "pending_invite" // made, and never signed in
	UserActive   UserStatus = "active"
	UserInactive UserStatus = "inactive" // may do nothing; what it made stays
)

// UserStatuses lists every status.
func UserStatuses() []UserStatus { return []UserStatus{UserPending, UserActive, UserInactive} }

// User is the account of a person.
type User struct {
	ID         string
	Email      string // in lower case, unique
	Name       string // for people; may be empty
	Status     UserStatus
	Owner      bool // holds RoleOwner on the installation
	BreakGlass bool // may open an emergency
	Invitation Invitation
	CreatedAt  time.Time
	UpdatedAt  time.Time
	LastSeenAt time.Time // zero for never
	Version    int64
}

// Label is what stands for the user in owner fields, events and the audit.
func (u User) Label() string { return u.Email }

// InvitationState is how far an invitation has come.
type InvitationState string

// The states of an invitation.
const (
	InvitationNone     InvitationState = ""         // nobody was invited: the set-up link's owner, a sign-up by a provider
	InvitationQueued   InvitationState = "queued"   // the worker will send the mail
	InvitationSent     InvitationState = "sent"     //
	InvitationFailed   InvitationState = "failed"   // Error says why; it can be sent again
	InvitationManual   InvitationState = "manual"   // no mail is set up: an admin passes the link on
	InvitationAccepted InvitationState = "accepted" //
)

// Invitation is what is known of the mail that asked a user in.
type Invitation struct {
	State  InvitationState
	Error  string
	SentAt time.Time
}

// Limits of accounts.
const (
	MaxEmail          = 254
	MaxPersonName     = 100
	MinPassword       = 12 // characters; NIST SP 800-63B asks for 8 with a second factor and 15 without, and for a list of those that leaked
	MaxPassword       = 128
	InvitationLife    = 7 * 24 * time.Hour
	SetupLife         = 24 * time.Hour
	ResetLife         = time.Hour
	SessionLife       = 24 * time.Hour
	MaxTokenLife      = 365 * 24 * time.Hour
	MaxEmergency      = time.Hour
	MinReason         = 10 // characters of the reason of an emergency
	RecoveryCodeCount = 10
)

// NormalEmail gives an address in the form in which it is kept and compared.
func NormalEmail(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// CheckEmail notes what is wrong with a normal address.
func (f *Faults) CheckEmail(field, address string) {
	switch parsed, err := mail.ParseAddress(address); {
	case address == "":
		f.Add(field, "required", "is needed")
	case len(address) > MaxEmail:
		f.Add(field, "too_long", "has %d bytes, at most %d are allowed", len(address), MaxEmail)
	case err != nil || parsed.Address != address || parsed.Name != "" || strings.ContainsAny(address, " \t\r\n<>\"") || !strings.Contains(address, "@"):
		f.Add(field, "email", "is not an e-mail address")
	}
}

// CheckPassword notes what is wrong with a new password, by length and by what it repeats of its user. A list of those that leaked is access's.
func (f *Faults) CheckPassword(field, password string, u User) {
	n := utf8.RuneCountInString(password)
	local, _, _ := strings.Cut(u.Email, "@")
	lower := strings.ToLower(password)
	switch {
	case password == "":
		f.Add(field, "required", "is needed")
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		f.Add(field, "text", "must be text")
	case n < MinPassword:
		f.Add(field, "too_short", "has %d characters, at least %d are needed", n, MinPassword)
	case n > MaxPassword:
		f.Add(field, "too_long", "has %d characters, at most %d are allowed", n, MaxPassword)
	case strings.Trim(lower, string([]rune(lower)[:1])) == "":
		f.Add(field, "weak", "is one character again and again")
	case len(local) >= 4 && strings.Contains(lower, local) && n-len(local) < MinPassword:
		f.Add(field, "weak", "is little more than the e-mail address")
	}
}

// Credentials is how a user proves who they are. It never leaves access and store.
type Credentials struct {
	UserID            string
	Password          string    // argon2id in PHC form; empty for none
	PasswordChangedAt time.Time //
	TOTPSecret        []byte    // encrypted, bound to the user; nil for none
	TOTPConfirmedAt   time.Time // zero while it is being set up: it does not count
	TOTPStep          int64     // last time step that was used; none is taken twice
	RecoveryCodes     [][]byte  // SHA-256 of those that are left
	Version           int64
}

// SecondFactor reports whether a password alone is not enough.
func (c Credentials) SecondFactor() bool { return !c.TOTPConfirmedAt.IsZero() }

// Identity ties a user to an account at a provider.
type Identity struct {
	Provider   string // name of the provider
	Subject    string // the provider's own name of the account; never the e-mail address
	UserID     string
	Email      string // as told at the last sign-in
	Groups     []string
	LinkedAt   time.Time
	LastUsedAt time.Time
}

// Passkey is a WebAuthn credential of a user.
type Passkey struct {
	ID           string
	UserID       string
	Name         string
	CredentialID []byte
	Data         []byte // the credential as JSON
	CreatedAt    time.Time
	LastUsedAt   time.Time
}

// LinkKind says what a one-time link does.
type LinkKind string

// The kinds of links.
const (
	LinkSetup  LinkKind = "setup"  // makes the first owner
	LinkInvite LinkKind = "invite" // lets an invited user choose how to sign in
	LinkReset  LinkKind = "reset"  // lets a user choose a new password
	LinkTicket LinkKind = "ticket" // carries a passkey or provider sign-in from its first half to its second; no person sees it
)

// Link is a one-time link. The secret in it is kept as a hash only.
type Link struct {
	ID        string
	Kind      LinkKind
	UserID    string // empty for LinkSetup
	Hash      []byte
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Live reports whether the link still works.
func (l Link) Live(now time.Time) bool { return l.UsedAt.IsZero() && now.Before(l.ExpiresAt) }

// Session is a person signed in with a browser.
type Session struct {
	ID         string
	Hash       []byte // SHA-256 of the cookie's secret
	UserID     string
	Method     string // how they signed in: "password", "password+totp", "passkey", "oidc:google"
	Address    string
	UserAgent  string
	CreatedAt  time.Time
	ExpiresAt  time.Time // CreatedAt and SessionLife
	LastSeenAt time.Time
	RevokedAt  time.Time
	RevokedBy  string // name of the actor
}

// Live reports whether the session still counts.
func (s Session) Live(now time.Time) bool { return s.RevokedAt.IsZero() && now.Before(s.ExpiresAt) }

// ProviderKind says how an identity provider is spoken to.
type ProviderKind string

// The kinds of identity providers.
const (
	ProviderOIDC     ProviderKind = "oidc"     // any issuer with discovery: Google, Dex, Keycloak
	ProviderFirebase ProviderKind = "firebase" // ID tokens of a Firebase project, by its id
	ProviderGitHub   ProviderKind = "github"   // OAuth, with the API for address and teams
)

// IdentityProvider is a place that vouches for people.
type IdentityProvider struct {
	ID             string
	Name           string // in addresses: "google"
	Kind           ProviderKind
	Label          string // on the button
	Issuer         string // oidc: URL; firebase: project id; github: URL of an enterprise server, empty for github.com
	ClientID       string
	ClientSecret   []byte   // encrypted, bound to the id; nil for none
	Scopes         []string // beyond what is needed
	GroupsClaim    string   // claim that lists groups; empty for "groups"
	AllowedDomains []string // of e-mail addresses; empty for all
	SignUp         bool     // someone unknown gets an account; else only who was invited can come in
	Disabled       bool
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Version        int64
}

// Attempts counts what failed for one key, so that guessing takes long.
type Attempts struct {
	Key         string // "user:<id>|203.0.113.0/24", "address:203.0.113.0/24", "device:<hash>"
	Failures    int
	Since       time.Time
	LockedUntil time.Time
}

// Emergency is owner-level access that a user took for a short time, with a reason, before everyone's eyes.
type Emergency struct {
	ID       string
	UserID   string
	Reason   string
	OpenedAt time.Time
	EndsAt   time.Time
	ClosedAt time.Time // when it was closed early
}

// Open reports whether it still gives anything.
func (e Emergency) Open(now time.Time) bool { return e.ClosedAt.IsZero() && now.Before(e.EndsAt) }
