package blueberry

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
	Project string  // empty for all
	Name    string  // exact; empty for all
	Search  string  // part of a name, owner or repository; case does not matter
	Owner   string  // exact
	Phases  []Phase // empty means every phase but terminated
	Sort    EnvironmentSort
	Desc    bool
	Limit   int
	Cursor  string // as the page before gave it; bound to the other fields
}

// EnvironmentPage is one page of a list.
type EnvironmentPage struct {
	Items []Environment
	Next  string // cursor of the next page; empty on the last
}

// EventQuery asks for events in the order of Seq.
type EventQuery struct {
	EnvironmentID string // empty for all
	After         int64  // Seq to start behind
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
