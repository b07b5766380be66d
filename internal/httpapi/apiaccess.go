package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/custody"
)

// Rights is the operations on who may do what. Every field must be set.
type Rights struct {
	Users             Users
	Sessions          Sessions
	Account           Account
	Proofs            Proofs
	SignIns           SignIns
	ProjectWrites     ProjectWrites
	Members           Members
	ServiceAccounts   ServiceAccounts
	APITokens         APITokens
	OAuthClients      OAuthClients
	OAuthTokens       OAuthTokens
	IdentityProviders IdentityProviders
	Reviews           Reviews
	AuditReads        AuditReads
	Keys              Keys
	Certificates      Certificates
}

// lacks names a field that is not set; empty for none.
func (d Rights) lacks() string {
	for name, missing := range map[string]bool{
		"Users": d.Users == nil, "Sessions": d.Sessions == nil, "Account": d.Account == nil, "Proofs": d.Proofs == nil, "SignIns": d.SignIns == nil,
		"ProjectWrites": d.ProjectWrites == nil, "Members": d.Members == nil, "ServiceAccounts": d.ServiceAccounts == nil, "APITokens": d.APITokens == nil,
		"OAuthClients": d.OAuthClients == nil, "OAuthTokens": d.OAuthTokens == nil, "IdentityProviders": d.IdentityProviders == nil, "Reviews": d.Reviews == nil,
		"AuditReads": d.AuditReads == nil, "Keys": d.Keys == nil, "Certificates": d.Certificates == nil,
	} {
		if missing {
			return name
		}
	}
	return ""
}

func (d Rights) mount(r *router, reads Projects, now func() time.Time) {
	members{d.ProjectWrites, d.Members, reads}.mount(r)
	serviceAccounts{d.ServiceAccounts}.mount(r)
	users{d.Users, d.Sessions}.mount(r)
	account{d.Account, d.Proofs, d.OAuthTokens}.mount(r)
	savedViews{d.Account}.mount(r)
	sessions{d.Sessions}.mount(r)
	signIns{d.SignIns}.mount(r)
	apiTokens{d.APITokens, now}.mount(r)
	oauthClients{d.OAuthClients, d.OAuthTokens}.mount(r)
	identityProviders{d.IdentityProviders}.mount(r)
	roles{}.mount(r)
	audits{d.AuditReads, r.logger}.mount(r)
	reviews{d.Reviews, now}.mount(r)
	keyrings{d.Keys, d.Certificates}.mount(r)
}

// Users are the operations on users. An id may be an e-mail address.
type Users interface {
	CreateUser(ctx context.Context, actor blueberry.Actor, r access.NewUser) (access.Invited, error)
	Users(ctx context.Context, actor blueberry.Actor, q blueberry.UserQuery) (blueberry.UserPage, error)
	UserDetail(ctx context.Context, actor blueberry.Actor, id string) (access.UserDetail, error)
	UpdateUser(ctx context.Context, actor blueberry.Actor, id string, r access.UserChange, ifVersion int64) (blueberry.User, error)
	DeleteUser(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
	InviteUser(ctx context.Context, actor blueberry.Actor, id string) (access.Invited, error)
	ResetUser(ctx context.Context, actor blueberry.Actor, id string) (access.ResetLink, error)
}

// Sessions are the operations on sessions.
type Sessions interface {
	// Sessions reads live ones, newest first: of a user, of oneself (empty) or of all ("*").
	Sessions(ctx context.Context, actor blueberry.Actor, userID, before string, limit int) ([]blueberry.Session, error)
	RevokeSession(ctx context.Context, actor blueberry.Actor, id string) error
	RevokeSessions(ctx context.Context, actor blueberry.Actor, userID string, exceptOwn bool) (int, error)
}

// Account is the operations on one's own account.
type Account interface {
	Self(ctx context.Context, actor blueberry.Actor) (access.Self, error)
	SavedViews
}

// SavedViews are the operations on the lists that one comes back to.
type SavedViews interface {
	SavedViews(ctx context.Context, actor blueberry.Actor) ([]blueberry.SavedView, error)
	SaveView(ctx context.Context, actor blueberry.Actor, wish blueberry.SavedView) (blueberry.SavedView, error)
	DeleteView(ctx context.Context, actor blueberry.Actor, name string) error
}

// Proofs are the operations on how one proves oneself. They need a session.
type Proofs interface {
	Ways(ctx context.Context) (access.Ways, error)
	ChangePassword(ctx context.Context, actor blueberry.Actor, old, fresh, code string) error
	BeginTOTP(ctx context.Context, actor blueberry.Actor) (access.TOTPSetup, error)
	ConfirmTOTP(ctx context.Context, actor blueberry.Actor, code string) (recovery []string, err error)
	RemoveTOTP(ctx context.Context, actor blueberry.Actor, password, code string) error
	NewRecoveryCodes(ctx context.Context, actor blueberry.Actor, code string) ([]string, error)
	Passkeys
}

// Passkeys are the operations on one's own passkeys, and on accounts at identity providers.
type Passkeys interface {
	BeginPasskey(ctx context.Context, actor blueberry.Actor, name string) (options json.RawMessage, ticket string, err error)
	FinishPasskey(ctx context.Context, actor blueberry.Actor, ticket string, response json.RawMessage) (blueberry.Passkey, error)
	RemovePasskey(ctx context.Context, actor blueberry.Actor, id string) error
	RemoveIdentity(ctx context.Context, actor blueberry.Actor, provider string) error
}

// SignIns are the ways in.
type SignIns interface {
	Password(ctx context.Context, r access.PasswordAttempt) (access.Entered, error)
	IDToken(ctx context.Context, provider, idToken string, from access.From) (access.Entered, error)
	BeginPasskeySignIn(ctx context.Context) (options json.RawMessage, ticket string, err error)
	FinishPasskeySignIn(ctx context.Context, ticket string, response json.RawMessage, from access.From) (access.Entered, error)
	SignOut(ctx context.Context, secret string) error
	Links
}

// Links are the ways in by a one-time link.
type Links interface {
	CompleteSetup(ctx context.Context, link string, r access.NewOwner, from access.From) (access.Entered, error)
	AcceptInvitation(ctx context.Context, link string, r access.Acceptance, from access.From) (access.Entered, error)
	RequestReset(ctx context.Context, email string, from access.From) error
	CompleteReset(ctx context.Context, link, password string, from access.From) (access.Entered, error)
}

// ProjectWrites are the operations that write projects.
type ProjectWrites interface {
	CreateProject(ctx context.Context, actor blueberry.Actor, r access.NewProject) (blueberry.Project, error)
	UpdateProject(ctx context.Context, actor blueberry.Actor, name, description string, ifVersion int64) (blueberry.Project, error)
	DeleteProject(ctx context.Context, actor blueberry.Actor, name string, ifVersion int64) error
}

// Members are the operations on members of projects. A user is an id or an e-mail address.
type Members interface {
	Members(ctx context.Context, actor blueberry.Actor, project string) ([]blueberry.Membership, error)
	PutMember(ctx context.Context, actor blueberry.Actor, project, user string, role blueberry.Role) (blueberry.Membership, error)
	RemoveMember(ctx context.Context, actor blueberry.Actor, project, user string) error
}

// ServiceAccounts are the operations on service accounts.
type ServiceAccounts interface {
	CreateServiceAccount(ctx context.Context, actor blueberry.Actor, r access.NewServiceAccount) (blueberry.ServiceAccount, error)
	ServiceAccount(ctx context.Context, actor blueberry.Actor, id string) (blueberry.ServiceAccount, error)
	ServiceAccounts(ctx context.Context, actor blueberry.Actor, project string) ([]blueberry.ServiceAccount, error)
	UpdateServiceAccount(ctx context.Context, actor blueberry.Actor, id string, r access.ServiceAccountChange, ifVersion int64) (blueberry.ServiceAccount, error)
	DeleteServiceAccount(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
}

// APITokens are the operations on API tokens.
type APITokens interface {
	CreateToken(ctx context.Context, actor blueberry.Actor, r access.NewToken) (access.MadeToken, error)
	Tokens(ctx context.Context, actor blueberry.Actor, q blueberry.APITokenQuery) ([]blueberry.APIToken, error)
	Token(ctx context.Context, actor blueberry.Actor, id string) (blueberry.APIToken, error)
	RotateToken(ctx context.Context, actor blueberry.Actor, id string, overlap, life time.Duration) (access.MadeToken, error)
	RevokeToken(ctx context.Context, actor blueberry.Actor, id string) error
}

// OAuthClients are the operations on the registry of OAuth clients.
type OAuthClients interface {
	CreateClient(ctx context.Context, actor blueberry.Actor, r oauth.ClientWish) (oauth.MadeClient, error)
	Clients(ctx context.Context, actor blueberry.Actor, after string, limit int) ([]blueberry.OAuthClient, error)
	Client(ctx context.Context, actor blueberry.Actor, id string) (blueberry.OAuthClient, error)
	UpdateClient(ctx context.Context, actor blueberry.Actor, id string, r oauth.ClientChange, ifVersion int64) (blueberry.OAuthClient, error)
	RotateClientSecret(ctx context.Context, actor blueberry.Actor, id string) (oauth.MadeClient, error)
	DeleteClient(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
}

// OAuthTokens are the operations on what was issued to OAuth clients.
type OAuthTokens interface {
	Tokens(ctx context.Context, actor blueberry.Actor, q blueberry.OAuthTokenQuery) ([]oauth.TokenView, error)
	RevokeToken(ctx context.Context, actor blueberry.Actor, id string) error
	Consents
}

// Consents are what one has allowed OAuth clients.
type Consents interface {
	Consents(ctx context.Context, actor blueberry.Actor) ([]oauth.ConsentView, error)
	RevokeConsent(ctx context.Context, actor blueberry.Actor, clientID string) error
}

// IdentityProviders are the operations on identity providers and group rules.
type IdentityProviders interface {
	PutProvider(ctx context.Context, actor blueberry.Actor, r access.ProviderWish, ifVersion int64) (blueberry.IdentityProvider, error)
	Providers(ctx context.Context, actor blueberry.Actor) ([]blueberry.IdentityProvider, error)
	Provider(ctx context.Context, actor blueberry.Actor, name string) (blueberry.IdentityProvider, error)
	DeleteProvider(ctx context.Context, actor blueberry.Actor, name string, ifVersion int64) error
	GroupRules(ctx context.Context, actor blueberry.Actor) ([]blueberry.GroupRule, error)
	AddGroupRule(ctx context.Context, actor blueberry.Actor, r blueberry.GroupRule) (blueberry.GroupRule, error)
	DeleteGroupRule(ctx context.Context, actor blueberry.Actor, id string) error
}

// Reviews are the operations on who has what.
type Reviews interface {
	Review(ctx context.Context, actor blueberry.Actor, q access.ReviewQuery) (access.Review, error)
	OpenEmergency(ctx context.Context, actor blueberry.Actor, r access.EmergencyWish) (blueberry.Emergency, error)
	CloseEmergency(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Emergency, error)
	Emergencies(ctx context.Context, actor blueberry.Actor, before string, limit int) ([]blueberry.Emergency, error)
}

// AuditReads are the operations that read the audit.
type AuditReads interface {
	// List reads one page, newest first, the archive after the record, and gives what to start the next page before: empty on the last.
	List(ctx context.Context, actor blueberry.Actor, q blueberry.AuditQuery) (page []blueberry.AuditEntry, next string, err error)
	// Entry reads one entry.
	Entry(ctx context.Context, actor blueberry.Actor, id string) (blueberry.AuditEntry, error)
	// Export writes entries as JSON lines, oldest first: of an empty query the whole chain. Before its first write it has found out whether the actor may.
	Export(ctx context.Context, actor blueberry.Actor, q blueberry.AuditQuery, w io.Writer) error
}

// Keys are the operations on the keys that encrypt what is secret in the record.
type Keys interface {
	Keys(ctx context.Context, actor blueberry.Actor) ([]custody.KeyState, error)
	// RotateKeys makes a new key and leaves the job that brings everything to it, whose subject is the key's id.
	RotateKeys(ctx context.Context, actor blueberry.Actor) (keyID string, err error)
}

// Certificates are the operations on certificates of internal clients, and on what signs them.
type Certificates interface {
	Certificates(ctx context.Context, actor blueberry.Actor) ([]blueberry.Certificate, error)
	IssueCertificate(ctx context.Context, actor blueberry.Actor, r custody.CertificateWish) (custody.Issued, error)
	RevokeCertificate(ctx context.Context, actor blueberry.Actor, serial string) error
	RotateAuthority(ctx context.Context, actor blueberry.Actor) error
	// Roots gives what to trust, PEM.
	Roots(ctx context.Context, actor blueberry.Actor) ([]byte, error)
}
