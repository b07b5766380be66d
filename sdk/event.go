package sdk

import "time"

// Event is a fact that happened, in the order in which facts were recorded.
type Event struct {
	Seq           int64     `json:"seq" doc:"Position in the record; rises with every event" example:"1042"`
	ID            string    `json:"id" doc:"Id of the event" example:"evt_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Type          string    `json:"type" doc:"What happened, past tense" example:"environment.ready"`
	EnvironmentID string    `json:"environment_id,omitempty" doc:"Environment that it happened to" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project       string    `json:"project,omitempty" doc:"Project of the environment" example:"default"`
	Environment   string    `json:"environment,omitempty" doc:"Name of the environment" example:"pr-42"`
	Actor         string    `json:"actor,omitempty" doc:"Who caused it" example:"admin"`
	Message       string    `json:"message" doc:"The same for people" example:"pr-42 became ready after 4 s"`
	At            time.Time `json:"at" doc:"When it was recorded"`
}

// EventList is a run of events.
type EventList struct {
	Items     []Event `json:"items" nullable:"false" doc:"In the order of seq"`
	NextAfter int64   `json:"next_after" doc:"Give it as after to read on" example:"1042"`
}

// EventFilter says which events to read.
type EventFilter struct {
	After int64 // seq to start behind
	Limit int   // 0 means the server's default
}
