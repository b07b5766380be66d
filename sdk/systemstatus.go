package sdk

import "time"

// SystemStatus is how the server that answers is, and everything that it leans on.
type SystemStatus struct {
	State         string       `json:"state" enum:"up,warning,down" doc:"That of the worst part; what is off counts for nothing" example:"up"`
	Version       string       `json:"version" doc:"Version of the server" example:"0.1.0"`
	GoVersion     string       `json:"go_version" doc:"Of Go that it was built with" example:"go1.26.0"`
	Host          string       `json:"host" doc:"Name of the machine or pod that answers" example:"blueberry-7d9c5b"`
	StartedAt     time.Time    `json:"started_at" doc:"When this server started"`
	At            time.Time    `json:"at" doc:"When the parts were looked at: at most once a second"`
	Database      string       `json:"database" doc:"Driver of the record" example:"postgres"`
	Migration     int64        `json:"migration" doc:"Number of the newest migration that the record has; 0 when it could not be read" example:"14"`
	WantMigration int64        `json:"want_migration" doc:"Number of the newest migration that this server knows" example:"14"`
	Jobs          []JobCount   `json:"jobs" nullable:"false" doc:"How many there are in each state, of the whole installation; empty when they could not be counted"`
	Parts         []SystemPart `json:"parts" nullable:"false" doc:"By kind and name"`
}

// JobCount is how many jobs are in a state.
type JobCount struct {
	State string `json:"state" enum:"waiting,running,retrying,dead,completed,cancelled" doc:"Where they are" example:"dead"`
	Count int    `json:"count" doc:"How many" example:"3"`
}

// SystemPart is something that the server leans on.
type SystemPart struct {
	Kind    string  `json:"kind" doc:"What it is: record, gitops, objects, cache, keys, mail, target, repositories, subscriptions, jobs, retention" example:"target"`
	Name    string  `json:"name,omitempty" doc:"Which one; absent where there is one of the kind" example:"local"`
	Driver  string  `json:"driver,omitempty" doc:"What serves it" example:"kube"`
	State   string  `json:"state" enum:"up,warning,down,off" doc:"How it is. Off is what nobody set up" example:"up"`
	Message string  `json:"message,omitempty" doc:"What was found, for people" example:"does not answer"`
	Fix     string  `json:"fix,omitempty" doc:"What to do about it; absent for nothing" example:"Look at the cluster."`
	Asked   bool    `json:"asked" doc:"Whether it was asked for this answer; else this is what is known of it" example:"true"`
	TookMS  float64 `json:"took_ms,omitempty" doc:"How long it took to answer, in milliseconds; absent when it was not asked or did not answer" example:"1.8"`
}
