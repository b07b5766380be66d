package sdk

import "time"

// PullRequest is what its host said last of a pull request (GitLab: merge request), and what was made of it.
type PullRequest struct {
	ID             string    `json:"id" doc:"Id of the pull request here" example:"pul_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	RepositoryID   string    `json:"repository_id" doc:"Id of its repository" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project        string    `json:"project" doc:"Project of its repository" example:"default"`
	Number         int       `json:"number" doc:"Its number at the host" example:"42"`
	Title          string    `json:"title" doc:"Its title" example:"Sort the basket"`
	URL            string    `json:"url,omitempty" doc:"Of its page at the host" example:"https://github.com/acme/shop/pull/42"`
	Author         string    `json:"author" doc:"As the host names them" example:"ada"`
	Relation       string    `json:"relation" enum:"owner,member,collaborator,outsider,unknown" doc:"What the host says of the author and the repository; unknown where it does not tell" example:"member"`
	Bot            bool      `json:"bot,omitempty" doc:"Whether the author is a bot" example:"false"`
	Draft          bool      `json:"draft,omitempty" doc:"Whether it is a draft" example:"false"`
	Fork           bool      `json:"fork,omitempty" doc:"Whether it comes from another repository" example:"false"`
	Labels         []string  `json:"labels" nullable:"false" doc:"What it is labelled with" example:"[\"preview\"]"`
	State          string    `json:"state" enum:"open,closed,merged" doc:"Its state at the host" example:"open"`
	HeadRef        string    `json:"head_ref" doc:"Branch that it comes from" example:"sort-basket"`
	HeadCommit     string    `json:"head_commit" doc:"Newest commit of it" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	HeadRepository string    `json:"head_repository,omitempty" doc:"Repository that it comes from" example:"acme/shop"`
	BaseRef        string    `json:"base_ref" doc:"Branch that it goes to" example:"main"`
	BaseRepository string    `json:"base_repository,omitempty" doc:"Repository that it goes to" example:"acme/shop"`
	HostAt         time.Time `json:"host_at,omitzero" doc:"When the host says that this was so"`
	Outcome        string    `json:"outcome,omitempty" enum:"skipped,waiting,blocked,refused,built,ended" doc:"How far its environment is: none by the policy, waits for room, blocked by what does not answer or has its name, refused for what the commit asks for, asked for, or gone; absent before anything was done" example:"built"`
	Message        string    `json:"message,omitempty" doc:"Why, for people" example:"it is a draft"`
	EnvironmentID  string    `json:"environment_id,omitempty" doc:"Its environment; absent for none" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	BuiltCommit    string    `json:"built_commit,omitempty" doc:"Commit that the environment was last asked for with" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	Tier           string    `json:"tier" enum:"maintainer,member,outsider,bot" doc:"How far its code is trusted, by what the host says of its author, whatever was approved" example:"member"`
	NeedsApproval  bool      `json:"needs_approval,omitempty" doc:"Whether its environment is a restricted one until a maintainer approves its commit" example:"false"`
	Approved       bool      `json:"approved,omitempty" doc:"Whether the commit that it has now was approved" example:"false"`
	ApprovedCommit string    `json:"approved_commit,omitempty" doc:"Commit that was approved last; it says nothing of any other" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	ApprovedBy     string    `json:"approved_by,omitempty" doc:"Who approved it" example:"mia@example.com"`
	ApprovedAt     time.Time `json:"approved_at,omitzero" doc:"When they did"`
	Restricted     bool      `json:"restricted,omitempty" doc:"Whether the environment that was last asked for is a restricted one" example:"false"`
	Config         string    `json:"config,omitempty" enum:"same,changed,unseen" doc:"Of a restricted environment: whether the blueprint in its commit is that of the branch that it goes to, which is the one that counts; unseen when the commit could not be read" example:"changed"`
	CreatedAt      time.Time `json:"created_at" doc:"When it was first heard of"`
	UpdatedAt      time.Time `json:"updated_at" doc:"When something of it last changed"`
	Version        int64     `json:"version" doc:"Counts up with each change" example:"3"`

	CI *PullCI `json:"ci,omitempty" doc:"What CI says of its commit; told when one pull request is read"`
}

// PullRequestList is a run of pull requests.
type PullRequestList struct {
	Items      []PullRequest `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string        `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"pul_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// PullFilter says which pull requests to list. The zero value asks for all that one may see.
type PullFilter struct {
	Project    string
	Repository string // id
	State      string // open, closed or merged; empty for all
	Outcome    string // skipped, waiting, blocked, refused, built or ended; empty for all
	Before     string // id: only older ones
	Limit      int    // 0 means the server's default
}

// ApprovePullRequest vouches for one commit of a pull request.
type ApprovePullRequest struct {
	Commit string `json:"commit" minLength:"1" maxLength:"64" doc:"The whole name of the commit that was looked at, which must be the one that it has now" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
}
