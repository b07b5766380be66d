package blueberry

import (
	"slices"
	"strings"
	"time"
)

// PullState is the state of a pull request at its host.
type PullState string

// The states.
const (
	PullOpen   PullState = "open"
	PullClosed PullState = "closed"
	PullMerged PullState = "merged"
)

// PullRelation is what the host says of the author and the repository.
type PullRelation string

// The relations; of hosts that do not tell, an author is unknown.
const (
	RelationOwner        PullRelation = "owner"
	RelationMember       PullRelation = "member"
	RelationCollaborator PullRelation = "collaborator"
	RelationOutsider     PullRelation = "outsider"
	RelationUnknown      PullRelation = "unknown"
)

// Trusted reports whether code of the author may run as if it were of the repository itself.
func (r PullRelation) Trusted() bool {
	return r == RelationOwner || r == RelationMember || r == RelationCollaborator
}

// PullOutcome is how far the environment of a pull request is.
type PullOutcome string

// The outcomes.
const (
	PullSkipped PullOutcome = "skipped" // the policy wants none
	PullWaiting PullOutcome = "waiting" // for room
	PullBlocked PullOutcome = "blocked" // by something that does not answer, or that has its name; it goes on alone
	PullRefused PullOutcome = "refused" // what its commit asks for is not possible; the next push may be
	PullBuilt   PullOutcome = "built"   // the environment was asked for, with the commit
	PullEnded   PullOutcome = "ended"   // and its removal
)

// PullRequest is what is known of a pull request (GitLab: merge request), from the newest delivery about it, and what was made of it.
type PullRequest struct {
	ID           string
	RepositoryID string
	Project      string
	Number       int
	Title        string
	URL          string // of its page
	Author       string // as the host names them
	Relation     PullRelation
	Bot          bool
	Draft        bool
	Labels       []string
	State        PullState
	HeadRef      string // branch
	HeadCommit   string // of hosts that abbreviate it, its first 12 digits
	HeadURL      string // that Git clones from; empty when it is gone
	HeadRepo     string // name of the repository that it comes from: "acme/shop"
	BaseRepo     string
	BaseRef      string
	HostAt       time.Time // when the host says that this was so

	Outcome         PullOutcome // empty before anything was done
	Message         string      // why; for people
	EnvironmentID   string      // empty for none
	BuiltCommit     string      // that the environment was last asked for with
	BuiltRestricted bool        // that environment is a restricted one
	Config          PullConfig  // of the commit that a restricted environment was asked for with; empty for others
	PullApproval
	Gate      PullGateMark
	Turn      int // counts the environments that it had, so that each has a key of its own
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64
}

// Fork reports whether the pull request comes from another repository, or from one that is gone.
func (r PullRequest) Fork() bool { return r.HeadRepo == "" || r.HeadRepo != r.BaseRepo }

// Built reports whether its environment was asked for with the commit that it has now. Some hosts tell the first digits of a commit only.
func (r PullRequest) Built() bool {
	return r.HeadCommit != "" && (strings.HasPrefix(r.BuiltCommit, r.HeadCommit) || r.BuiltCommit != "" && strings.HasPrefix(r.HeadCommit, r.BuiltCommit))
}

// Newer reports whether what another delivery says of the same pull request takes the place of this. Hosts tell times in whole seconds and deliveries overtake
// each other: of one second, what is closed counts, unless it was opened again.
func (r PullRequest) Newer(other PullRequest, reopened bool) bool {
	if d := other.HostAt.Compare(r.HostAt); d != 0 || r.State == PullOpen {
		return d >= 0
	}
	return other.State != PullOpen || reopened
}

// Take takes over what a newer delivery says, and keeps what was made.
func (r PullRequest) Take(other PullRequest) PullRequest {
	other.ID, other.RepositoryID, other.Project, other.Number = r.ID, r.RepositoryID, r.Project, r.Number
	other = other.Made(r)
	other.PullApproval = r.PullApproval
	if other.Author == "" { // some events say who acted, and not whose it is
		other.Author, other.Bot = r.Author, r.Bot
	}
	other.CreatedAt, other.UpdatedAt, other.Version = r.CreatedAt, r.UpdatedAt, r.Version
	return other
}

// Made gives the pull request with what was made of another state of it.
func (r PullRequest) Made(of PullRequest) PullRequest {
	r.Outcome, r.Message, r.EnvironmentID, r.BuiltCommit, r.Turn = of.Outcome, of.Message, of.EnvironmentID, of.BuiltCommit, of.Turn
	r.BuiltRestricted, r.Config, r.Gate = of.BuiltRestricted, of.Config, of.Gate
	return r
}

// Same reports whether the host says the same in both.
func (r PullRequest) Same(other PullRequest) bool {
	return r.Title == other.Title && r.URL == other.URL && r.Author == other.Author && r.Relation == other.Relation && r.Bot == other.Bot && r.Draft == other.Draft &&
		slices.Equal(r.Labels, other.Labels) && r.State == other.State && r.HeadRef == other.HeadRef && r.HeadCommit == other.HeadCommit && r.HeadURL == other.HeadURL &&
		r.HeadRepo == other.HeadRepo && r.BaseRepo == other.BaseRepo && r.BaseRef == other.BaseRef && r.HostAt.Equal(other.HostAt)
}

// PullQuery asks for pull requests, newest first.
type PullQuery struct {
	Projects     []string // nil for all
	RepositoryID string
	State        PullState
	Outcome      PullOutcome
	BaseRef      string // branch that they go to
	Before       string // id: only older ones
	Limit        int
}
