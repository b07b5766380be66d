package access

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what access needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	Users
	SavedViews
	Proofs
	Identities
	Projects
	ServiceAccounts
	Tokens
	Sessions
	Emergencies
	OAuth

	// BumpAccessEpoch has every process forget what it knows of who may do what.
	BumpAccessEpoch(ctx context.Context) error
	// AccessEpoch counts the bumps.
	AccessEpoch(ctx context.Context) (int64, error)
	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	// AppendEvent adds a fact; Seq and ID are given by the record.
	AppendEvent(ctx context.Context, e blueberry.Event) error
	// AppendAudit adds what an actor did; ID and Caller are given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
}

// Users are the accounts of people.
type Users interface {
	// InsertUser adds a user; Conflict with code DUPLICATE_RESOURCE and a fault on "email" while another one has the address.
	InsertUser(ctx context.Context, u blueberry.User) error
	// User reads one by id, or NotFound with code USER_NOT_FOUND.
	User(ctx context.Context, id string) (blueberry.User, error)
	// UserByEmail reads one by its normal address, or NotFound.
	UserByEmail(ctx context.Context, email string) (blueberry.User, error)
	// UpdateUser writes u if the row's version is still u.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
	UpdateUser(ctx context.Context, u blueberry.User) error
	// DeleteUser removes one with all that is of them, if the row's version is still the one given, else Conflict with code VERSION_MOVED.
	DeleteUser(ctx context.Context, id string, version int64) error
	// ListUsers reads one page.
	ListUsers(ctx context.Context, q blueberry.UserQuery) (blueberry.UserPage, error)
	// CountOwners counts active owners; one is always left. It keeps other transactions from counting until this one ends.
	CountOwners(ctx context.Context) (int, error)
	// TouchUser notes when a user was last seen; the time never goes back.
	TouchUser(ctx context.Context, id string, at time.Time) error
}

// SavedViews are lists that people come back to.
type SavedViews interface {
	// SavedViews reads those of a user, by name.
	SavedViews(ctx context.Context, userID string) ([]blueberry.SavedView, error)
	// PutSavedView adds one, or puts it in the place of the one of its name.
	PutSavedView(ctx context.Context, v blueberry.SavedView) error
	// DeleteSavedView removes one, or NotFound with code VIEW_NOT_FOUND.
	DeleteSavedView(ctx context.Context, userID, name string) error
}

// Proofs are how users prove who they are.
type Proofs interface {
	// Credentials reads those of a user; of one who has none it gives an empty value at version 0.
	Credentials(ctx context.Context, userID string) (blueberry.Credentials, error)
	// PutCredentials writes c if the row's version is still c.Version (0: there is no row), else Conflict with code VERSION_MOVED.
	PutCredentials(ctx context.Context, c blueberry.Credentials) error
	// Passkeys reads those of a user, oldest first.
	Passkeys(ctx context.Context, userID string) ([]blueberry.Passkey, error)
	// PasskeyByCredential reads one by the authenticator's id of it, or NotFound.
	PasskeyByCredential(ctx context.Context, credentialID []byte) (blueberry.Passkey, error)
	// PutPasskey adds or changes one; Conflict when another user has the credential.
	PutPasskey(ctx context.Context, p blueberry.Passkey) error
	// DeletePasskey removes one of a user, or NotFound.
	DeletePasskey(ctx context.Context, userID, id string) error
	// Attempts reads what failed for a key; an empty value for nothing.
	Attempts(ctx context.Context, key string) (blueberry.Attempts, error)
	// PutAttempts writes it, and keeps other transactions from reading it until this one ends.
	PutAttempts(ctx context.Context, a blueberry.Attempts) error
}

// Identities are accounts at providers, and links.
type Identities interface {
	// Identity reads one by provider and subject, or NotFound.
	Identity(ctx context.Context, provider, subject string) (blueberry.Identity, error)
	// IdentitiesOf reads those of a user.
	IdentitiesOf(ctx context.Context, userID string) ([]blueberry.Identity, error)
	// GroupedIdentities reads those of every user that a provider counts to a group.
	GroupedIdentities(ctx context.Context) ([]blueberry.Identity, error)
	// PutIdentity adds or changes one; Conflict when it is another user's.
	PutIdentity(ctx context.Context, i blueberry.Identity) error
	// DeleteIdentity removes one of a user, or NotFound.
	DeleteIdentity(ctx context.Context, userID, provider string) error

	InsertLink(ctx context.Context, l blueberry.Link) error
	// LinkByHash reads a link, live or not, or NotFound.
	LinkByHash(ctx context.Context, hash []byte) (blueberry.Link, error)
	// UseLink marks a link as used; Conflict with code LINK_USED when it was before.
	UseLink(ctx context.Context, id string, at time.Time) error
	// DropLinks makes the unused links of a kind and user worthless.
	DropLinks(ctx context.Context, kind blueberry.LinkKind, userID string, at time.Time) error

	Providers
}

// Providers are places that vouch for people.
type Providers interface {
	// Providers reads all, by name.
	Providers(ctx context.Context) ([]blueberry.IdentityProvider, error)
	// Provider reads one by name, or NotFound with code IDENTITY_PROVIDER_NOT_FOUND.
	Provider(ctx context.Context, name string) (blueberry.IdentityProvider, error)
	// PutProvider adds one (Version 0) or changes it at its version; Conflict with code DUPLICATE_RESOURCE or VERSION_MOVED.
	PutProvider(ctx context.Context, p blueberry.IdentityProvider) error
	// DeleteProvider removes one with its identities and group rules, or NotFound.
	DeleteProvider(ctx context.Context, name string) error
	// GroupRules reads all, by provider, group and project.
	GroupRules(ctx context.Context) ([]blueberry.GroupRule, error)
	// PutGroupRule adds one; Conflict with code DUPLICATE_RESOURCE when provider, group and project are there.
	PutGroupRule(ctx context.Context, g blueberry.GroupRule) error
	// DeleteGroupRule removes one by id, or NotFound.
	DeleteGroupRule(ctx context.Context, id string) error
}

// Projects are the boundaries of permission.
type Projects interface {
	// Project reads a project, or NotFound.
	Project(ctx context.Context, name string) (blueberry.Project, error)
	// Projects reads all, by name.
	Projects(ctx context.Context) ([]blueberry.Project, error)
	// InsertProject adds one; Conflict with code DUPLICATE_RESOURCE and a fault on "name".
	InsertProject(ctx context.Context, p blueberry.Project) error
	// DescribeProject writes the description if the version is still p.Version, else Conflict with code VERSION_MOVED.
	DescribeProject(ctx context.Context, p blueberry.Project) error
	// DeleteProject removes a project with its members, group rules, service accounts, repositories, config sets, blueprints, policies and what is left of terminated
	// environments' names; API tokens and OAuth clients that may act in it alone end, others lose its name. Conflict with code PROJECT_IN_USE, with a fault for
	// each of up to 20, while environments that are not terminated are in it.
	DeleteProject(ctx context.Context, name string, version int64, by string, at time.Time) error
	// Members reads those of a project, by address of the user.
	Members(ctx context.Context, project string) ([]blueberry.Membership, error)
	// AllMembers reads those of every project, by user and project.
	AllMembers(ctx context.Context) ([]blueberry.Member, error)
	// MembershipsOf reads those of a user, by project.
	MembershipsOf(ctx context.Context, userID string) ([]blueberry.Member, error)
	// PutMember adds or changes one.
	PutMember(ctx context.Context, m blueberry.Member) error
	// DeleteMember removes one, or NotFound with code MEMBER_NOT_FOUND.
	DeleteMember(ctx context.Context, project, userID string) error
}

// ServiceAccounts are programs of projects.
type ServiceAccounts interface {
	// ServiceAccount reads one by id, or NotFound with code SERVICE_ACCOUNT_NOT_FOUND.
	ServiceAccount(ctx context.Context, id string) (blueberry.ServiceAccount, error)
	// ServiceAccounts reads those of a project, by name.
	ServiceAccounts(ctx context.Context, project string) ([]blueberry.ServiceAccount, error)
	// PutServiceAccount adds one (Version 0) or changes it at its version; Conflict with code DUPLICATE_RESOURCE or VERSION_MOVED.
	PutServiceAccount(ctx context.Context, s blueberry.ServiceAccount) error
	// DeleteServiceAccount removes one and revokes its tokens, or NotFound.
	DeleteServiceAccount(ctx context.Context, id string, by string, at time.Time) error
}

// Tokens are API tokens.
type Tokens interface {
	InsertToken(ctx context.Context, t blueberry.APIToken) error
	// TokenByHash reads the token whose secret, or whose secret before a rotation, has the hash, or NotFound. What has ended is given too.
	TokenByHash(ctx context.Context, hash []byte) (blueberry.APIToken, error)
	// Token reads one by id, or NotFound with code API_TOKEN_NOT_FOUND.
	Token(ctx context.Context, id string) (blueberry.APIToken, error)
	// UpdateToken writes t if the row's version is still t.Version, else Conflict with code VERSION_MOVED. LastUsedAt stays.
	UpdateToken(ctx context.Context, t blueberry.APIToken) error
	// ListTokens reads one page, newest first.
	ListTokens(ctx context.Context, q blueberry.APITokenQuery) ([]blueberry.APIToken, error)
	// TouchToken notes when a token was last used; the time never goes back.
	TouchToken(ctx context.Context, id string, at time.Time) error
	// ExpiringTokens reads live tokens that end before the time, by id, after the id given.
	ExpiringTokens(ctx context.Context, before time.Time, after string, limit int) ([]blueberry.APIToken, error)
}

// Sessions are people signed in.
type Sessions interface {
	// InsertSession adds one; Forbidden with code USER_INACTIVE when its user is not active, and none comes in while the status changes.
	InsertSession(ctx context.Context, s blueberry.Session) error
	// SessionByHash reads one, live or not, or NotFound.
	SessionByHash(ctx context.Context, hash []byte) (blueberry.Session, error)
	// Session reads one by id, or NotFound with code SESSION_NOT_FOUND.
	Session(ctx context.Context, id string) (blueberry.Session, error)
	// SessionsOf reads the live ones of a user (empty: of all users), newest first, before the id given.
	SessionsOf(ctx context.Context, userID string, now time.Time, before string, limit int) ([]blueberry.Session, error)
	// RevokeSessions ends the live sessions of a user but for the one with the id except; empty for all. It tells how many.
	RevokeSessions(ctx context.Context, userID, except, by string, at time.Time) (int, error)
	// RevokeSession ends one.
	RevokeSession(ctx context.Context, id, by string, at time.Time) error
	// TouchSession notes when a session was last seen; the time never goes back.
	TouchSession(ctx context.Context, id string, at time.Time) error
	// SweepAccess removes sessions, links, attempts, device authorizations and OAuth tokens that ended before the time, and tells how many.
	SweepAccess(ctx context.Context, before time.Time) (int, error)
}

// OAuth is what access needs to know of the clients and tokens of access/oauth.
type OAuth interface {
	// OAuthClients reads one page by id, after the id given.
	OAuthClients(ctx context.Context, after string, limit int) ([]blueberry.OAuthClient, error)
	// RevokeOAuthTokens ends every token of a user and client; empty for any. It tells how many. Devices that were let in and wait get none any more.
	RevokeOAuthTokens(ctx context.Context, userID, clientID string, at time.Time) (int, error)
	// UseOAuthToken notes a use: the first sets UsedAt, each LastUsedAt, which never goes back.
	UseOAuthToken(ctx context.Context, hash []byte, at time.Time) error
	// TouchOAuthClient notes when a client was last used; the time never goes back.
	TouchOAuthClient(ctx context.Context, id string, at time.Time) error
}

// Emergencies are owner-level access for a short time.
type Emergencies interface {
	InsertEmergency(ctx context.Context, e blueberry.Emergency) error
	// Emergency reads one by id, or NotFound with code EMERGENCY_NOT_FOUND.
	Emergency(ctx context.Context, id string) (blueberry.Emergency, error)
	// OpenEmergency reads the one that is open of a user, or NotFound.
	OpenEmergency(ctx context.Context, userID string, now time.Time) (blueberry.Emergency, error)
	// Emergencies reads one page, newest first.
	Emergencies(ctx context.Context, before string, limit int) ([]blueberry.Emergency, error)
	// CloseEmergency ends one early.
	CloseEmergency(ctx context.Context, id string, at time.Time) error
}
