package sdk

import "time"

// Receipt is the proof that a removal left nothing behind, or what it did leave.
type Receipt struct {
	EnvironmentID string        `json:"environment_id" doc:"Id of the environment" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project       string        `json:"project" doc:"Project of the environment" example:"default"`
	Environment   string        `json:"environment" doc:"Name of the environment" example:"pr-42"`
	Target        string        `json:"target" doc:"Place that ran it" example:"local"`
	Reason        string        `json:"reason" doc:"Why it was removed" example:"LeaseExpired"`
	By            string        `json:"by,omitempty" doc:"Who asked for it" example:"ada@example.com"`
	BeganAt       time.Time     `json:"began_at" doc:"When the removal began"`
	EndedAt       time.Time     `json:"ended_at,omitzero" doc:"When all was proven gone, or the rest was abandoned; absent before"`
	Lines         []ReceiptLine `json:"lines" nullable:"false" doc:"Everything that was made for it"`
	Leftovers     []Leftover    `json:"leftovers" nullable:"false" doc:"What does not go away, as of the last look; after the end only what was abandoned"`
	Notes         []string      `json:"notes" nullable:"false" doc:"What did not go as it should" example:"[\"its logs could not be kept: the objects were down for 10m0s\"]"`
	Cost          *Cost         `json:"cost,omitempty" doc:"What the environment cost in all; absent before the end, and where no prices were set"`
	Abandoned     *Abandonment  `json:"abandoned,omitempty" doc:"Who gave up what the target still held; absent when nobody did"`
}

// Abandonment is that a person gave up what a target still holds, because the target is gone for good.
type Abandonment struct {
	By     string    `json:"by" doc:"Who" example:"ada@example.com"`
	Reason string    `json:"reason" doc:"Why" example:"the cluster was deleted"`
	At     time.Time `json:"at" doc:"When"`
}

// AbandonEnvironmentRequest says why a removal is given up.
type AbandonEnvironmentRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why, for the receipt, the audit and people" example:"the cluster was deleted"`
}

// ReceiptLine is one thing that was made for an environment.
type ReceiptLine struct {
	System   string    `json:"system" doc:"Where it was" example:"kubernetes"`
	Object   string    `json:"object" doc:"What it was" example:"Deployment.apps default-pr-42/backend"`
	MadeAt   time.Time `json:"made_at,omitzero" doc:"When it was made; absent when not known"`
	GoneAt   time.Time `json:"gone_at,omitzero" doc:"When it was proven gone; absent while it may exist"`
	WaitedMS int64     `json:"waited_ms,omitempty" doc:"Milliseconds from the begin of the removal until it was gone" example:"2300"`
	Control  string    `json:"control,omitempty" doc:"How it was proven" example:"no object of this name"`
}

// Leftover is a thing that does not go away.
type Leftover struct {
	ObjectRef
	Finalizers []string  `json:"finalizers" nullable:"false" doc:"What holds it" example:"[\"kubernetes.io/pvc-protection\"]"`
	Since      time.Time `json:"since,omitzero" doc:"When its deletion was asked for; absent when not known"`
	Message    string    `json:"message" doc:"Why, as far as the target says" example:"pod default-pr-42/db-0 still uses it"`
	Fix        string    `json:"fix" doc:"The way out" example:"delete the pod"`
}
