package blueberry

import "time"

// Page limits of every list.
const (
	DefaultPageSize = 50
	MaxPageSize     = 500
)

// EnvironmentSort is a column a list of environments can be sorted by.
type EnvironmentSort string

// The sort orders. Equal values are ordered by id.
const (
	SortByCreated EnvironmentSort = "created_at"
	SortByName    EnvironmentSort = "name"
	SortByExpires EnvironmentSort = "expires_at"
	SortByPhase   EnvironmentSort = "phase"
	SortByUpdated EnvironmentSort = "updated_at"
)

// EnvironmentQuery asks for one page of environments.
type EnvironmentQuery struct {
	Project string          // empty for all
	In      []string        // only of these projects; nil for all. It is set by the operation, for actors who see some projects only
	Name    string          // exact; empty for all
	Search  string          // part of a name, owner, repository or label; case does not matter
	Owner   string          // exact
	Target  string          // exact
	Labels  []LabelSelector // all of them hold
	// Restricted asks for those that are restricted, or for those that are not; nil for both.
	Restricted *bool
	Phases     []Phase // empty means every phase but terminated
	Sort       EnvironmentSort
	Desc       bool
	Limit      int
	Cursor     string // as the page before gave it; bound to the other fields
}

// EnvironmentPage is one page of a list.
type EnvironmentPage struct {
	Items []Environment
	Next  string // cursor of the next page; empty on the last
}

// EventQuery asks for events in the order of Seq.
type EventQuery struct {
	EnvironmentID string   // empty for all
	In            []string // only of these projects, and none that has no project; nil for all
	After         int64    // Seq to start behind
	Limit         int
}

// JobQuery asks for one page of jobs, newest first.
type JobQuery struct {
	Kind    JobKind
	Subject string
	States  []JobState
	Limit   int
	Before  int64 // id to start before; 0 for the newest
}

// UserQuery asks for one page of users.
type UserQuery struct {
	Search  string // part of address or name; case does not matter
	Status  UserStatus
	Project string   // only its members, direct or by group; empty for all
	Sort    UserSort // empty means by address
	Desc    bool
	Limit   int
	Cursor  string // as the page before gave it; bound to the other fields
}

// UserSort is a column a list of users can be sorted by.
type UserSort string

// The sort orders. Equal values are ordered by id.
const (
	UsersByEmail    UserSort = "email"
	UsersByCreated  UserSort = "created_at"
	UsersByLastSeen UserSort = "last_seen_at"
)

// UserPage is one page of users.
type UserPage struct {
	Items []User
	Next  string // cursor of the next page; empty on the last
}

// Membership is a member with the account.
type Membership struct {
	Member
	User User
}

// APITokenQuery asks for one page of API tokens, newest first.
type APITokenQuery struct {
	UserID    string    // of this user; empty for all
	ServiceID string    // of this service account; empty for all
	Unused    time.Time // not used since, and not made since; zero for all
	Ended     bool      // those that are revoked or have expired, too
	Before    string    // id to start before; empty for the newest
	Limit     int
	Now       time.Time
}

// OAuthTokenQuery asks for one page of OAuth tokens, newest first.
type OAuthTokenQuery struct {
	UserID, ClientID, Family string // empty for all
	Before                   string // id to start before; empty for the newest
	Limit                    int
}
