package sdk

import "time"

// BranchRule says which branches of a repository have an environment of their own, and what kind of one. Of several that match a branch the first counts.
type BranchRule struct {
	Branch      string   `json:"branch" minLength:"1" maxLength:"255" doc:"Pattern of branches: * stands for anything but a slash, ** between slashes for any number of parts" example:"release/*"`
	Environment string   `json:"environment" minLength:"1" maxLength:"60" doc:"Name of the environment, in which {branch} stands for that of the branch; a pattern of several branches takes it" example:"staging"`
	Mode        string   `json:"mode,omitempty" enum:"automatic,approval" doc:"Whether each push moves the environment, or somebody who deploys the commit; absent means automatic" example:"automatic"`
	Off         bool     `json:"off,omitempty" doc:"Nothing moves its environments; they stay until their leases end" example:"false"`
	Keep        bool     `json:"keep,omitempty" doc:"An environment also stays when its branch is gone" example:"false"`
	Hours       int      `json:"hours,omitempty" minimum:"0" maximum:"168" doc:"Length of the leases; 0: an environment lives as long as its branch" example:"24"`
	Target      string   `json:"target,omitempty" doc:"Place that runs them; empty means the server's default target" example:"local"`
	Blueprint   string   `json:"blueprint,omitempty" doc:"Path of the blueprint in the repository; empty means blueberry.yaml" example:"deploy/blueberry.yaml"`
	ConfigSet   []string `json:"config_set,omitempty" nullable:"false" doc:"Config sets above those that the blueprint names, the later the higher" example:"[\"shop\"]"`
}

// Branch is what is known of a branch that has a rule, and what was made of it.
type Branch struct {
	ID            string    `json:"id" doc:"Id of the branch here" example:"brn_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	RepositoryID  string    `json:"repository_id" doc:"Id of its repository" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project       string    `json:"project" doc:"Project of its repository" example:"default"`
	Name          string    `json:"name" doc:"Its name" example:"main"`
	HeadCommit    string    `json:"head_commit,omitempty" doc:"Where it is; absent when it is gone" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	HostAt        time.Time `json:"host_at,omitzero" doc:"When the host says that it was pushed; absent where only Git told of it"`
	Outcome       string    `json:"outcome,omitempty" enum:"skipped,waiting,blocked,refused,built,ended" doc:"How far its environment is: no rule is of it, a commit waits to be deployed, held up by what does not answer or has its name, refused for what the commit asks for, asked for, or gone; absent before anything was done" example:"built"`
	Message       string    `json:"message,omitempty" doc:"Why, for people" example:"its environment was asked for with 9f2c1a7be04d"`
	Environment   string    `json:"environment,omitempty" doc:"Name of its environment; absent before there was one" example:"staging"`
	EnvironmentID string    `json:"environment_id,omitempty" doc:"Its environment; absent for none" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	BuiltCommit   string    `json:"built_commit,omitempty" doc:"Commit that the environment was last asked for with" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	DeployedBy    string    `json:"deployed_by,omitempty" doc:"Who deployed a commit of it last" example:"mia@example.com"`
	DeployedAt    time.Time `json:"deployed_at,omitzero" doc:"When they did"`
	Deployed      string    `json:"deployed_commit,omitempty" doc:"Commit that they deployed" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	CreatedAt     time.Time `json:"created_at" doc:"When it was first heard of"`
	UpdatedAt     time.Time `json:"updated_at" doc:"When something of it last changed"`
	Version       int64     `json:"version" doc:"Counts up with each change" example:"3"`
}

// BranchList is a run of branches.
type BranchList struct {
	Items      []Branch `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string   `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"brn_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// BranchFilter says which branches to list. The zero value asks for all that one may see.
type BranchFilter struct {
	Project    string
	Repository string // id
	Name       string
	Outcome    string // skipped, waiting, blocked, refused, built or ended; empty for all
	Before     string // id: only older ones
	Limit      int    // 0 means the server's default
}

// DeployBranchRequest has the environment of a branch move to the commit that the branch has now.
type DeployBranchRequest struct {
	Commit string `json:"commit,omitempty" maxLength:"64" doc:"The whole name of the commit that was looked at, which must be the one that the branch has now; absent means whichever it has" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
}
