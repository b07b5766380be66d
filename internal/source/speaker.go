package source

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Speaker is how one kind of host is spoken to. It keeps nothing. What it sets it first looks for, so that a call whose answer was lost is not made twice. Errors
// are those of Connection.
type Speaker interface {
	// Connect makes the credential ready: it sets c.Sign and c.Token, and asks for a token of an App's installation where there is one.
	Connect(ctx context.Context, c *Connection) error
	// CloneAs gives the user name and password with which Git clones.
	CloneAs(c *Connection) (user, password string)
	// SetStatus has a commit bear the status, which takes the place of an earlier one of the same context.
	SetStatus(ctx context.Context, c *Connection, commit string, s CommitStatus) error
	// WriteComment has the pull request bear one comment with the text, and gives its id. The one of the id is edited; where that is empty or gone, the one
	// that holds mark; where there is none, one is made.
	WriteComment(ctx context.Context, c *Connection, number int, id, mark, text string) (string, error)
	// SetDeployment has the host show a deployment in the state, and gives its id. The one of d.ID is changed; where that is empty, one of the name and commit. To
	// switch off what is not there is to do nothing.
	// A host that knows no deployments gives "" and does nothing.
	SetDeployment(ctx context.Context, c *Connection, d Deployment) (string, error)
	// Changed gives the pull requests that changed at or after since, the newest change first, unless nothing has changed since the etag was given; zero since
	// gives those that are open. It asks one question where there is no news.
	Changed(ctx context.Context, c *Connection, since time.Time, etag string) (Changes, error)
	// ReadComment gives a comment below a pull request as it is now: its author as a comment of an event names them. HostError with status 404 when there is none.
	ReadComment(ctx context.Context, c *Connection, number int, id string) (Comment, error)
	// Permission gives what somebody may do in the repository, by whatever way they hold it. user is as a comment's Author; none for whom the host does not know.
	Permission(ctx context.Context, c *Connection, user string) (blueberry.HostPermission, error)
}

// StatusState is the state of a commit's status.
type StatusState string

// The states.
const (
	StatusPending StatusState = "pending"
	StatusSuccess StatusState = "success"
	StatusFailure StatusState = "failure"
)

// CommitStatus is what a commit bears.
type CommitStatus struct {
	State       StatusState
	Context     string // which of its statuses
	Description string // one line, at most MaxStatusText characters
	URL         string // empty for none
}

// MaxStatusText is how long a description of a status may be, in characters; every host takes that much.
const MaxStatusText = 140

// DeploymentState is the state of a deployment.
type DeploymentState string

// The states.
const (
	DeploymentPending  DeploymentState = "pending"
	DeploymentSuccess  DeploymentState = "success"
	DeploymentFailure  DeploymentState = "failure"
	DeploymentInactive DeploymentState = "inactive" // its environment is gone
)

// Deployment is an environment as hosts show it beside a pull request.
type Deployment struct {
	ID          string
	Environment string // its name, as "pr-12"
	Commit      string
	Branch      string
	State       DeploymentState
	URL         string // where it answers; empty for none
	LogURL      string // of its page; empty for none
	Description string
}

// Changes is what a host says of its pull requests.
type Changes struct {
	Unchanged bool // nothing has changed since the etag was given
	ETag      string
	Pulls     []blueberry.PullRequest
	More      bool   // MaxSwept were read; there are older ones that changed
	Unread    string // why some were left out that could not be read; empty when all were. Asking again does not help
}
