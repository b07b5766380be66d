package blueberry

import "time"

// JobKind names what a job does.
type JobKind string

// JobEnvironmentReconcile brings one environment a step nearer to what is desired. Its subject is the environment's id.
const JobEnvironmentReconcile JobKind = "environment.reconcile"

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
