package sdk

import "time"

// Drift is what differs on the target from what was applied.
type Drift struct {
	At      time.Time    `json:"at" doc:"When the target was asked"`
	Since   time.Time    `json:"since,omitzero" doc:"When drift was first seen; absent when there is none"`
	Policy  DriftPolicy  `json:"policy" doc:"What is done about it"`
	Objects []ObjectDiff `json:"objects" nullable:"false" doc:"Objects that differ: before is desired, after is live"`
}

// DriftPolicy says what is done about what another hand altered on the target.
type DriftPolicy struct {
	Mode   string        `json:"mode,omitempty" enum:"repair,report" doc:"Put it back at once, or tell it and leave it alone until the next revision. Absent means repair" example:"repair"`
	Ignore []DriftIgnore `json:"ignore,omitempty" nullable:"false" maxItems:"50" doc:"Fields that are left to others: what they write there is no drift"`
}

// DriftIgnore leaves one field of the objects that match to others.
type DriftIgnore struct {
	Kind string `json:"kind" doc:"Kind of the objects, with its group where the kind alone is not plain; * means every kind" example:"Deployment"`
	Name string `json:"name" doc:"Name of the object, or a pattern of names" example:"*"`
	Path string `json:"path" doc:"The field; all below it is left to others too" example:"spec.replicas"`
}

// EnvironmentDrift says how an environment stands with drift.
type EnvironmentDrift struct {
	Mode   string        `json:"mode" enum:"repair,report" doc:"What is done about it" example:"repair"`
	Since  time.Time     `json:"since,omitzero" doc:"When something on the target was first seen to differ; absent when nothing does"`
	Ignore []DriftIgnore `json:"ignore,omitempty" nullable:"false" doc:"Fields that are left to others"`
}

// Hold keeps a bad input away from an environment: nothing automatic brings it back until it is released.
type Hold struct {
	Kind   string    `json:"kind" doc:"Kind of input" example:"commit"`
	Name   string    `json:"name,omitempty" doc:"Of the config set or component; absent where there is one of the kind" example:"shop"`
	Value  string    `json:"value" doc:"The value that is held" example:"5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d"`
	By     string    `json:"by" doc:"Who rolled back" example:"admin"`
	Reason string    `json:"reason,omitempty" doc:"Why" example:"errors after the release"`
	Since  time.Time `json:"since" doc:"When it was put"`
}

// HoldList is every hold of an environment.
type HoldList struct {
	Items []Hold `json:"items" nullable:"false" doc:"Oldest first"`
}

// ReleaseHoldsRequest says which holds to release. The zero value means all of the environment.
type ReleaseHoldsRequest struct {
	Kind  string `json:"kind,omitempty" doc:"Only of this kind of input" example:"commit"`
	Name  string `json:"name,omitempty" doc:"Only of this name" example:"shop"`
	Value string `json:"value,omitempty" doc:"Only this value" example:"5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d"`
}

// ReleasedHolds says how many holds were released.
type ReleasedHolds struct {
	Released int `json:"released" doc:"How many" example:"2"`
}
