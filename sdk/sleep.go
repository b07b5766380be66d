package sdk

import "time"

// EnvironmentSleep is whether an environment should sleep, and what decides on it.
type EnvironmentSleep struct {
	Asleep   bool        `json:"asleep" doc:"Whether it should sleep: no pods run, while data and addresses stay" example:"false"`
	Why      string      `json:"why,omitempty" enum:"hand,schedule,idle,request,deploy,exec" doc:"Why it last fell asleep or woke; absent when it never slept" example:"idle"`
	By       string      `json:"by,omitempty" doc:"Who did" example:"ada@example.com"`
	Since    time.Time   `json:"since,omitzero" doc:"Since when"`
	ActiveAt time.Time   `json:"active_at,omitzero" doc:"Last request, deploy or shell, as of the last look"`
	Policy   SleepPolicy `json:"policy,omitzero" doc:"When it sleeps by itself; absent for never"`
	Own      bool        `json:"own_policy,omitempty" doc:"Whether the policy is its own; else it is that of its project" example:"false"`
}

// SleepPolicy says when an environment sleeps by itself. The zero policy of an environment is that of its project, of a project never.
type SleepPolicy struct {
	IdleMinutes int           `json:"idle_minutes,omitempty" doc:"Without a request, deploy or shell for so long; 0 for never, else 5 to 10080" example:"60"`
	Windows     []SleepWindow `json:"windows,omitempty" nullable:"false" doc:"Spans of every week in which it sleeps; at most 14"`
	TimeZone    string        `json:"time_zone,omitempty" doc:"Of the windows; empty means UTC" example:"Europe/Zurich"`
	Never       bool          `json:"never,omitempty" doc:"Not by itself, whatever the project says; then nothing else may be set" example:"false"`
}

// SleepWindow is a span of every week.
type SleepWindow struct {
	Days []string `json:"days" nullable:"false" enum:"mon,tue,wed,thu,fri,sat,sun" doc:"On which it begins" example:"[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]"`
	From string   `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"Time of day, 24 hours" example:"19:00"`
	To   string   `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"Time of day; not after from means on the next day" example:"07:00"`
}

// WakeEntry is one line of the ledger of why an environment was awake or asleep.
type WakeEntry struct {
	Seq    int64     `json:"seq" doc:"Counts up, from 1" example:"12"`
	Asleep bool      `json:"asleep" doc:"Whether it fell asleep; else it woke" example:"true"`
	Why    string    `json:"why" enum:"hand,schedule,idle,request,deploy,exec" doc:"Why" example:"idle"`
	By     string    `json:"by,omitempty" doc:"Who did" example:"blueberry"`
	Detail string    `json:"detail,omitempty" doc:"The same for people" example:"no request, deploy or shell for 60 minutes"`
	At     time.Time `json:"at" doc:"When"`
}

// WakeLedger is a run of entries.
type WakeLedger struct {
	Items      []WakeEntry `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore int64       `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"12"`
}

// WakeWindow says which entries of a ledger to read. The zero value asks for the newest.
type WakeWindow struct {
	Before int64 // only those with a lower seq
	Limit  int   // 0 means the server's default
}

// SetProjectLifeRequest changes how the environments of a project live. What is absent stays.
type SetProjectLifeRequest struct {
	MaxPinHours *int         `json:"max_pin_hours,omitempty" minimum:"-1" maximum:"8784" doc:"How many hours an environment may be pinned; 0 for the default of 720, -1 for not at all" example:"336"`
	Sleep       *SleepPolicy `json:"sleep,omitempty" doc:"Of environments that have no policy of their own; an empty one for never"`
}

// RestartEnvironmentRequest says what to restart.
type RestartEnvironmentRequest struct {
	Component string `json:"component,omitempty" doc:"Only this component; absent means all" example:"backend"`
}

// ObjectRef names a Kubernetes object.
type ObjectRef struct {
	APIVersion string `json:"api_version" doc:"Group and version" example:"apps/v1"`
	Kind       string `json:"kind" doc:"Kind of the object" example:"Deployment"`
	Namespace  string `json:"namespace,omitempty" doc:"Absent for a cluster-scoped object" example:"default-pr-42"`
	Name       string `json:"name" doc:"Name of the object" example:"backend"`
}

// RestartedEnvironment is what a restart did.
type RestartedEnvironment struct {
	Environment Environment `json:"environment" doc:"The environment"`
	Workloads   []ObjectRef `json:"workloads" nullable:"false" doc:"Whose pods are made anew"`
}

// ScaleEnvironmentRequest says how many pods a component shall run.
type ScaleEnvironmentRequest struct {
	Component string `json:"component" doc:"Name of the component" example:"backend"`
	Replicas  int    `json:"replicas" minimum:"1" maximum:"100" doc:"How many pods" example:"3"`
}
