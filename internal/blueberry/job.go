package blueberry

import "time"

// JobKind names what a job does.
type JobKind string

// JobEnvironmentReconcile brings one environment a step nearer to what is desired. Its subject is the environment's id.
const JobEnvironmentReconcile JobKind = "environment.reconcile"

// JobConfigPublished has every environment looked at that follows a config set. Its subject is the set's id.
const JobConfigPublished JobKind = "config.published"

// JobBlueprintPublished has every environment looked at that follows a blueprint of the catalogue. Its subject is the blueprint's id.
const JobBlueprintPublished JobKind = "blueprint.published"

// JobEnvironmentFollow brings one environment to the newest of what it follows, or makes a plan of it. Its subject is the environment's id.
const JobEnvironmentFollow JobKind = "environment.follow"

// JobEnvironmentSources is JobEnvironmentFollow with the newest commits of the repositories that the blueprint names beside its own. Its subject is the
// environment's id.
const JobEnvironmentSources JobKind = "environment.sources"

// JobSourceMoved has every environment looked at that is made of a branch of a repository which its blueprint names beside its own. Its subject is the id of the
// repository, a space, and the branch.
const JobSourceMoved JobKind = "source.moved"

// JobUserInvite sends the mail that invites a user. Its subject is the user's id.
const JobUserInvite JobKind = "user.invite"

// JobUserReset sends the mail with which someone who forgot their password sets a new one. Its subject is the address as it was typed, whether or not
// there is an account, so that asking takes as long for those who have none.
const JobUserReset JobKind = "user.reset"

// JobEmergencyTell tells every active user by mail that someone took owner-level access. Its subject is the emergency's id.
const JobEmergencyTell JobKind = "emergency.tell"

// JobTokenWarn tells the people of an API token by mail that it ends soon. Its subject is the token's id.
const JobTokenWarn JobKind = "api_token.warn"

// JobKeysReencrypt brings everything that is encrypted in the record to the newest key. Its subject is the id of that key.
const JobKeysReencrypt JobKind = "keys.reencrypt"

// JobEnvironmentArchive keeps the logs of an environment that failed. Its subject is the environment's id.
const JobEnvironmentArchive JobKind = "environment.archive"

// JobLeaseTell tells the owner of an environment by mail that its lease ends soon. Its subject is the environment's id.
const JobLeaseTell JobKind = "environment.lease_tell"

// JobTargetScan looks for orphans on a target. Its subject is the target's name.
const JobTargetScan JobKind = "target.scan"

// JobTargetDrain removes the environments with a lease from a target, a page at a time. Its subject is the target's name.
const JobTargetDrain JobKind = "target.drain"

// JobOrphanRemove removes an orphan whose removal was approved. Its subject is the orphan's id.
const JobOrphanRemove JobKind = "orphan.remove"

// JobPullReconcile brings the environment of a pull request a step nearer to what its policy wants. Its subject is the pull request's id.
const JobPullReconcile JobKind = "pull.reconcile"

// JobPullsReview has every pull request of a repository looked at, because its policy changed or there is room. Its subject is the repository's id.
const JobPullsReview JobKind = "pulls.review"

// JobPullReport tells the host of a pull request how its environment is. Its subject is the pull request's id.
const JobPullReport JobKind = "pull.report"

// JobPullCommand carries out a command that somebody wrote below a pull request, and answers. Its subject is the command's id.
const JobPullCommand JobKind = "pull.command"

// JobRepositorySweep asks the host of a repository for pull requests that no delivery told of. Its subject is the repository's id.
const JobRepositorySweep JobKind = "repository.sweep"

// JobBranchReconcile brings the environment of a branch a step nearer to what its rule wants. Its subject is the branch's id.
const JobBranchReconcile JobKind = "branch.reconcile"

// JobBranchReport tells the host of a branch how its environment is. Its subject is the branch's id.
const JobBranchReport JobKind = "branch.report"

// JobBranchesSweep asks Git for the branches of a repository that has rules for them. Its subject is the repository's id.
const JobBranchesSweep JobKind = "branches.sweep"

// JobNoticeSend sends the notices of a subscription that wait, one after the other. Its subject is the subscription's id.
const JobNoticeSend JobKind = "notice.send"

// JobState is where a job is.
type JobState string

// The states of a job.
const (
	JobWaiting   JobState = "waiting"   // may run now or at RunAt
	JobRunning   JobState = "running"   //
	JobRetrying  JobState = "retrying"  // failed, runs again at RunAt
	JobDead      JobState = "dead"      // failed as often as it may; a dead letter, until someone retries it
	JobCompleted JobState = "completed" //
	JobCancelled JobState = "cancelled" //
)

// JobStates lists every state.
func JobStates() []JobState {
	return []JobState{JobWaiting, JobRunning, JobRetrying, JobDead, JobCompleted, JobCancelled}
}

// Job is one durable unit of work. At most one job of a kind and subject is alive at a time.
type Job struct {
	ID          int64
	Kind        JobKind
	Subject     string // what it is about: an environment's id
	State       JobState
	Attempt     int
	MaxAttempts int
	LastError   string
	RunAt       time.Time
	CreatedAt   time.Time
	FinishedAt  time.Time
}

// JobOutcome is what a run that did not fail wants. The zero JobOutcome means that the job is done.
type JobOutcome struct {
	Again time.Duration // above zero: run again after it, or sooner when enqueued
}
