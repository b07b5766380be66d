package sdk

import "time"

// Why tells why an environment is not ready, or what should be known of one that is.
type Why struct {
	EnvironmentID string    `json:"environment_id" doc:"Id of the environment" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Phase         Phase     `json:"phase" enum:"pending,provisioning,ready,degraded,updating,sleeping,failed,terminating,terminated" doc:"Where it is in its life" example:"provisioning"`
	Reason        string    `json:"reason" doc:"One word: why it is in this phase" example:"Waiting"`
	Message       string    `json:"message" doc:"The same for people" example:"1 of 2 pods is ready"`
	Steps         []Step    `json:"steps" nullable:"false" doc:"The steps from request to reachable workload, in order, each with the time that it may take"`
	Causes        []Cause   `json:"causes" nullable:"false" doc:"What is wrong, what explains most first; empty when nothing is known to be wrong"`
	LookedAt      time.Time `json:"looked_at" doc:"When the target was asked"`
}

// Step is one line of the waterfall.
type Step struct {
	Condition
	BudgetMS int64     `json:"budget_ms,omitempty" doc:"How long it may take from the end of the step before, in milliseconds; absent for no bound" example:"120000"`
	Began    time.Time `json:"began,omitzero" doc:"When the step before was done; absent while it is not"`
	TookMS   int64     `json:"took_ms,omitempty" doc:"How long it took, or lasts by now, in milliseconds" example:"4200"`
	Over     bool      `json:"over,omitempty" doc:"Whether it lasts longer than it may" example:"false"`
}

// Cause is one reason why an environment is not where it should be. It is found by rules alone: the same state gives the same cause.
type Cause struct {
	Code      string     `json:"code" doc:"Stable word for programs" example:"OutOfMemory"`
	Severity  string     `json:"severity" enum:"failure,waiting,warning" doc:"Whether it will not pass without a change, may pass by itself, or is only worth knowing" example:"failure"`
	Step      string     `json:"step,omitempty" doc:"Step that it holds up" example:"Started"`
	Component string     `json:"component,omitempty" doc:"Component that it is about" example:"backend"`
	Object    *ObjectRef `json:"object,omitempty" doc:"Object that it is about; absent for the environment as a whole"`
	Message   string     `json:"message" doc:"What is wrong" example:"container app of pod backend-1 was killed at its memory limit of 128Mi"`
	Evidence  []Evidence `json:"evidence" nullable:"false" doc:"What it was found by, word for word"`
	Fix       string     `json:"fix" doc:"What to do" example:"raise resources.limits.memory of backend, or let it use less"`
}

// Evidence is what a cause was found by.
type Evidence struct {
	Source string    `json:"source" doc:"Where it stands" example:"pod default-pr-42/backend-1, container app, last state"`
	Text   string    `json:"text" doc:"Word for word" example:"OOMKilled, exit code 137"`
	At     time.Time `json:"at,omitzero" doc:"When it was noted; absent when not known"`
}

// TimelineEntry is something that happened to an environment: an event of the record, or what its place noted.
type TimelineEntry struct {
	At        time.Time  `json:"at" doc:"When it happened; of what happened again, the last time"`
	Kind      string     `json:"kind" enum:"event,kubernetes" doc:"Who tells it: the record, or the target" example:"kubernetes"`
	Type      string     `json:"type" doc:"What happened" example:"FailedScheduling"`
	Component string     `json:"component,omitempty" doc:"Component that it is about" example:"backend"`
	Object    *ObjectRef `json:"object,omitempty" doc:"Object that it is about; absent for the environment as a whole"`
	Message   string     `json:"message" doc:"The same for people" example:"0/3 nodes are available: 3 Insufficient cpu"`
	Actor     string     `json:"actor,omitempty" doc:"Who caused it; of what the target tells, which part of it" example:"default-scheduler"`
	Warning   bool       `json:"warning,omitempty" doc:"Whether it is a warning" example:"true"`
	Count     int        `json:"count,omitempty" doc:"How often it happened; absent for once" example:"4"`
}

// Timeline is a run of entries.
type Timeline struct {
	Items []TimelineEntry `json:"items" nullable:"false" doc:"By time, oldest first"`
}

// TimelineFilter says which entries to read. The zero value asks for the newest.
type TimelineFilter struct {
	After, Before time.Time
	Kinds         []string // event, kubernetes; empty for both
	Limit         int      // 0 means the server's default
}

// LiveObject is an object as it should be and as it is.
type LiveObject struct {
	ObjectRef
	Desired string `json:"desired,omitempty" doc:"As the desired revision has it, YAML; absent when it is in none"`
	Live    string `json:"live,omitempty" doc:"As the target has it, YAML, without managed fields and with the values of secrets hidden; absent when it is not there"`
}

// PodUsage is what a pod uses, and what it asked for.
type PodUsage struct {
	Component     string    `json:"component" doc:"Component that it belongs to" example:"backend"`
	Pod           string    `json:"pod" doc:"Name of the pod" example:"backend-1"`
	At            time.Time `json:"at" doc:"When it was measured"`
	CPU           string    `json:"cpu" doc:"Cores that it uses" example:"250m"`
	Memory        string    `json:"memory" doc:"Bytes that it uses" example:"96Mi"`
	CPURequest    string    `json:"cpu_request,omitempty" doc:"Cores that it asked for; absent for none" example:"100m"`
	CPULimit      string    `json:"cpu_limit,omitempty" doc:"Cores that it may use at most; absent for no limit" example:"500m"`
	MemoryRequest string    `json:"memory_request,omitempty" doc:"Bytes that it asked for; absent for none" example:"64Mi"`
	MemoryLimit   string    `json:"memory_limit,omitempty" doc:"Bytes that it may use at most; absent for no limit" example:"128Mi"`
}

// PodUsageList is what every pod of an environment uses.
type PodUsageList struct {
	Items []PodUsage `json:"items" nullable:"false" doc:"By component and pod"`
}
