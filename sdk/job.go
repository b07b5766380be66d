package sdk

import "time"

// Job is one durable unit of the server's work.
type Job struct {
	ID          int64     `json:"id" doc:"Number of the job" example:"311"`
	Kind        string    `json:"kind" doc:"What it does" example:"environment.reconcile"`
	Subject     string    `json:"subject" doc:"What it is about: the id of an environment" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	State       string    `json:"state" enum:"waiting,running,retrying,dead,completed,cancelled" doc:"Where it is. A dead job failed as often as it may and waits for a retry by hand" example:"running"`
	Attempt     int       `json:"attempt" doc:"How often it was begun" example:"1"`
	MaxAttempts int       `json:"max_attempts" doc:"After so many it is dead" example:"25"`
	LastError   string    `json:"last_error,omitempty" doc:"Why the last attempt failed" example:"target local is down"`
	RunAt       time.Time `json:"run_at,omitzero" doc:"When it may run next"`
	CreatedAt   time.Time `json:"created_at" doc:"When it was enqueued"`
	FinishedAt  time.Time `json:"finished_at,omitzero" doc:"When it ended; absent before"`
}

// JobPage is one page of jobs, newest first.
type JobPage struct {
	Items      []Job  `json:"items" nullable:"false" doc:"Newest first"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Asks for the next page; absent on the last"`
}

// JobFilter says which jobs to list.
type JobFilter struct {
	Kind    string
	Subject string
	States  []string
	Limit   int
	Cursor  string
}
