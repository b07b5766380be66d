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
