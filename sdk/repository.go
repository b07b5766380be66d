package sdk

import "time"

// Repository is an application's repository whose pull requests bring their own environments.
type Repository struct {
	ID             string       `json:"id" doc:"Id of the repository" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project        string       `json:"project" doc:"Project that it and its environments belong to" example:"default"`
	Name           string       `json:"name" doc:"As its host calls it" example:"acme/shop"`
	Host           string       `json:"host" enum:"github,gitlab,gitea,bitbucket,generic,argocd" doc:"How its deliveries are signed and read" example:"github"`
	URL            string       `json:"url" doc:"URL that Git clones from" example:"https://github.com/acme/shop.git"`
	WebhookURL     string       `json:"webhook_url" doc:"Where its host sends deliveries to" example:"https://blueberry.example.com/hooks/rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Policy         PullPolicy   `json:"policy" doc:"Which of its pull requests get an environment, and what kind of one"`
	Rules          []BranchRule `json:"rules" nullable:"false" doc:"Which of its branches have environments of their own; of several that match a branch the first counts"`
	BranchesAt     time.Time    `json:"branches_at,omitzero" doc:"When Git was last asked for its branches; absent while it has no rules"`
	BranchesSay    string       `json:"branches_message,omitempty" doc:"Why Git does not tell of its branches, or which of them do not count; absent when all is well" example:"source.repository: its host cannot be reached"`
	HostAPI        HostAPI      `json:"host_api,omitzero" doc:"How its host is spoken to; absent when it is not, or as its kind says"`
	CredentialSet  bool         `json:"credential_set" doc:"Whether there is a credential for its host: then the host is told how environments are, and asked for what no delivery told of" example:"true"`
	HostHealth     HostHealth   `json:"host_health,omitzero" doc:"How speaking to its host went of late"`
	SweptAt        time.Time    `json:"swept_at,omitzero" doc:"When its host was last asked for what no delivery told of; absent for never"`
	SweepUnread    string       `json:"sweep_unread,omitempty" doc:"Why some pull requests could not be read; absent when all could" example:"pull request 7: head.sha is no commit"`
	SweepFound     int          `json:"sweep_found,omitempty" doc:"Changes, all told, that no delivery told of" example:"0"`
	LastDeliveryAt time.Time    `json:"last_delivery_at,omitzero" doc:"When the last delivery came that was signed; absent before the first"`
	LastRefusedAt  time.Time    `json:"last_refused_at,omitzero" doc:"When the last one came that was refused; absent for never"`
	CreatedAt      time.Time    `json:"created_at" doc:"When it was added"`
	UpdatedAt      time.Time    `json:"updated_at" doc:"When it last changed"`
	Version        int64        `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// HostAPI is how the host of a repository is spoken to, beside its credential.
type HostAPI struct {
	URL          string `json:"url,omitempty" maxLength:"2048" doc:"Address of its API; empty means that of its kind. It is on the host that Git clones from" example:"https://git.example.com/api/v1"`
	User         string `json:"user,omitempty" maxLength:"255" doc:"Whose the token is, at Bitbucket" example:"shop-bot"`
	App          int64  `json:"app,omitempty" minimum:"0" doc:"Id of a GitHub App, whose private key the credential then is; 0: it is a token" example:"12345"`
	Installation int64  `json:"installation,omitempty" minimum:"0" doc:"Of the App on the repository; 0: it is looked up" example:"67890"`
}

// HostHealth is how speaking to the host of a repository went of late.
type HostHealth struct {
	AnsweredAt  time.Time `json:"answered_at,omitzero" doc:"When a call last succeeded"`
	FailedAt    time.Time `json:"failed_at,omitzero" doc:"Since when calls fail; absent when the last one succeeded"`
	Message     string    `json:"message,omitempty" doc:"Why the last one failed" example:"the host does not take the credential: it has ended, was revoked, or is another one's"`
	PausedUntil time.Time `json:"paused_until,omitzero" doc:"Before then the host wants no calls; what is to be told waits"`
}

// PullPolicy says which pull requests of a repository get an environment, and what kind of one. The zero value gives one to every pull request that is open, no
// draft, not of a bot and from no fork.
type PullPolicy struct {
	Off       bool     `json:"off,omitempty" doc:"None gets one; those that are there go when their pull requests are closed" example:"false"`
	Bases     []string `json:"bases,omitempty" nullable:"false" maxItems:"50" doc:"Patterns of the branches that they go to: * stands for anything but a slash; empty for any" example:"[\"main\", \"release/*\"]"`
	Labels    []string `json:"labels,omitempty" nullable:"false" maxItems:"50" doc:"One of these labels must be on; empty for none needed" example:"[\"preview\"]"`
	Drafts    bool     `json:"drafts,omitempty" doc:"Also while it is a draft" example:"false"`
	Bots      bool     `json:"bots,omitempty" doc:"Also of bots" example:"false"`
	Forks     bool     `json:"forks,omitempty" doc:"Also from forks, of authors whom the host calls owner, member or collaborator" example:"false"`
	Outsiders bool     `json:"outsiders,omitempty" doc:"Also from forks of anybody else: restricted environments, until a maintainer approves a commit. It takes forks as well" example:"false"`
	AtOnce    int      `json:"at_once,omitempty" minimum:"0" maximum:"1000" doc:"How many environments at once, the others wait; 0 means 10" example:"5"`
	Hours     int      `json:"hours,omitempty" minimum:"0" maximum:"168" doc:"Length of the leases; 0 means the blueprint's own, or 24" example:"24"`
	Target    string   `json:"target,omitempty" doc:"Place that runs them; empty means the server's default target" example:"local"`
	Blueprint string   `json:"blueprint,omitempty" doc:"Path of the blueprint in the repository; empty means blueberry.yaml" example:"deploy/blueberry.yaml"`
	Prefix    string   `json:"prefix,omitempty" maxLength:"20" pattern:"^[a-z]([a-z0-9-]*[a-z0-9-])?$" doc:"Of the names of environments, before the number; empty means pr-" example:"pr-"`
	ConfigSet []string `json:"config_set,omitempty" nullable:"false" doc:"Config sets above those that the blueprint names, the later the higher" example:"[\"shop\"]"`

	Paths       []string `json:"paths,omitempty" nullable:"false" maxItems:"50" doc:"Patterns of files, one of which it must change: * stands for anything but a slash, ** between slashes for any number of directories, and what is named stands for all below it; empty for any" example:"[\"services/shop/**\"]"`
	PathsIgnore []string `json:"paths_ignore,omitempty" nullable:"false" maxItems:"50" doc:"Patterns of files that do not count as changed" example:"[\"docs/**\", \"**/*.md\"]"`

	NoCommands bool `json:"no_commands,omitempty" doc:"Comments below its pull requests are not read: nobody asks for anything by /blueberry" example:"false"`

	Gates PullGates `json:"gates,omitzero" doc:"What CI must have said of a commit before it gets an environment"`
}

// AddedRepository is a repository with the secret of its webhook.
type AddedRepository struct {
	Repository Repository `json:"repository" doc:"The repository"`
	Secret     string     `json:"secret" doc:"Secret with which its host signs, told only here" example:"q8Zk…"`
}

// RepositoryList is a run of repositories.
type RepositoryList struct {
	Items     []Repository `json:"items" nullable:"false" doc:"By id"`
	NextAfter string       `json:"next_after,omitempty" doc:"Give it as after to read on; absent on the last run" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// RepositoryFilter says which repositories to list. The zero value asks for all that one may see.
type RepositoryFilter struct {
	Project string
	After   string // id: only those behind it
	Limit   int    // 0 means the server's default
}

// AddRepositoryRequest adds a repository.
type AddRepositoryRequest struct {
	Project string     `json:"project,omitempty" doc:"Project that it and its environments belong to; absent means the default project" example:"default"`
	Name    string     `json:"name" minLength:"1" maxLength:"255" doc:"As its host calls it" example:"acme/shop"`
	Host    string     `json:"host" enum:"github,gitlab,gitea,bitbucket,generic,argocd" doc:"How its deliveries are signed and read; gitea also for Forgejo, generic for whatever else can sign a POST, argocd for what only tells how environments are" example:"github"`
	URL     string     `json:"url,omitempty" doc:"URL that Git clones from; argocd has none" example:"https://github.com/acme/shop.git"`
	Secret  string     `json:"secret,omitempty" minLength:"16" maxLength:"255" doc:"Of its webhook, if it is there already; absent: one is made" example:"correct horse battery staple"`
	Policy  PullPolicy `json:"policy,omitzero" doc:"Which of its pull requests get an environment, and what kind of one"`

	Rules []BranchRule `json:"rules,omitempty" nullable:"false" maxItems:"20" doc:"Which of its branches have environments of their own"`

	HostAPI    HostAPI `json:"host_api,omitzero" doc:"How its host is spoken to"`
	Credential string  `json:"credential,omitempty" maxLength:"16384" doc:"Token, or private key of a GitHub App, with which its host is told how environments are; it is kept encrypted and never shown" example:"glpat-…"`
}

// ChangeRepositoryRequest changes a repository. What is absent stays; a policy takes the place of the whole one before.
type ChangeRepositoryRequest struct {
	URL    *string     `json:"url,omitempty" doc:"URL that Git clones from" example:"https://github.com/acme/shop.git"`
	Policy *PullPolicy `json:"policy,omitempty" doc:"Which of its pull requests get an environment, and what kind of one: all of it"`

	Rules *[]BranchRule `json:"rules,omitempty" maxItems:"20" doc:"Which of its branches have environments of their own: all of them"`

	HostAPI    *HostAPI `json:"host_api,omitempty" doc:"How its host is spoken to: all of it"`
	Credential *string  `json:"credential,omitempty" maxLength:"16384" doc:"Token, or private key of a GitHub App; empty: the host is not spoken to any more" example:"glpat-…"`
}

// RotateRepositorySecretRequest asks for a new webhook secret.
type RotateRepositorySecretRequest struct {
	Secret string `json:"secret,omitempty" minLength:"16" maxLength:"255" doc:"What it is to be; absent: one is made" example:"correct horse battery staple"`
}
