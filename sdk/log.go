package sdk

import "time"

// LogLine is one line that a container wrote.
type LogLine struct {
	At        time.Time `json:"at" doc:"When it was written, to the nanosecond"`
	Component string    `json:"component,omitempty" doc:"Component of the pod" example:"backend"`
	Pod       string    `json:"pod,omitempty" doc:"Name of the pod" example:"backend-1"`
	Container string    `json:"container,omitempty" doc:"Name of the container" example:"app"`
	Text      string    `json:"text" doc:"The line, without its end" example:"listening on :8080"`
}

// LogMessage is one line of a stream of logs. It is a LogLine, or one of the signs beside them: then it has no text.
type LogMessage struct {
	At        time.Time `json:"at,omitzero" doc:"When it was written, to the nanosecond"`
	Component string    `json:"component,omitempty" doc:"Component of the pod" example:"backend"`
	Pod       string    `json:"pod,omitempty" doc:"Name of the pod" example:"backend-1"`
	Container string    `json:"container,omitempty" doc:"Name of the container" example:"app"`
	Text      *string   `json:"text,omitempty" doc:"The line, without its end; absent in a sign" example:"listening on :8080"`
	Heartbeat bool      `json:"heartbeat,omitempty" doc:"A sign that the stream is open, after 15 s without a line" example:"false"`
	End       bool      `json:"end,omitempty" doc:"The last line of a stream in which all was told. A stream that ends without it was cut" example:"false"`
	Problem   *Problem  `json:"problem,omitempty" doc:"The last line of a stream that failed"`
}

// LogQuery says which lines to read. The zero value asks for all that there is.
type LogQuery struct {
	Component, Pod, Container string // exact; empty for all
	Since, Until              time.Time
	Tail                      int    // at most so many of the last lines of each container; 0 for all
	Search                    string // only lines that hold this text; case does not matter
	Previous                  bool   // of the container's last run that ended
	Follow                    bool   // go on with what is written from then on
}

// Container is one container of an environment's pods.
type Container struct {
	Component string    `json:"component,omitempty" doc:"Component of the pod" example:"backend"`
	Pod       string    `json:"pod" doc:"Name of the pod" example:"backend-1"`
	Name      string    `json:"name" doc:"Name of the container" example:"app"`
	Init      bool      `json:"init,omitempty" doc:"Whether it runs before the others" example:"false"`
	Ready     bool      `json:"ready" doc:"Whether it is ready" example:"true"`
	State     string    `json:"state" doc:"What it does" example:"running"`
	Restarts  int       `json:"restarts" doc:"How often it was started again" example:"0"`
	StartedAt time.Time `json:"started_at,omitzero" doc:"When it was last started"`
}

// ContainerList is every container of an environment.
type ContainerList struct {
	Items []Container `json:"items" nullable:"false" doc:"By pod and container"`
}
