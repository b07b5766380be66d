package blueberry

import "time"

// PullComment is what a person wrote below a pull request.
type PullComment struct {
	ID         string    // as the host calls it
	Number     int       // of the pull request
	Author     string    // as the host names them where it is asked what they may
	AuthorName string    // as people call them; empty where that is Author
	Bot        bool      // a program wrote it, by what the host says
	Text       string    // as it was written, Markdown; of one that is too long, the lines that are whole
	At         time.Time // zero where the host tells none
}

// BranchPush is that a branch of the repository itself moved or went.
type BranchPush struct {
	Branch string    // "main"
	Commit string    // that it is at, the whole name; empty when the branch is gone
	At     time.Time // by the host's clock; zero where it tells none, then it is when it came
}

// EnvironmentSign is what something outside says of an environment: a deployer, a test, a migration.
type EnvironmentSign struct {
	Environment string // its name in the project; empty when the sender knows others of its names alone
	Application string // of Argo CD, that stands for it
	Namespace   string // that it is in
	Event       string // what the sender calls it: "sync-failed"
	Message     string // for people; plain text, one line
	At          time.Time
}
