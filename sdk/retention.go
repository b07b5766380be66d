package sdk

import "time"

// RetentionRule is one rule of what is kept for how long.
type RetentionRule struct {
	Name      string        `json:"name" doc:"Name of the rule" example:"archives"`
	What      string        `json:"what" doc:"What it is about, for people" example:"what is kept of environments that ended"`
	KeepHours int           `json:"keep_hours,omitempty" doc:"How long it is kept; absent when the things carry their own end" example:"2160"`
	EveryMin  int           `json:"every_minutes" doc:"Between two runs" example:"60"`
	LastRun   *RetentionRun `json:"last_run,omitempty" doc:"Absent before the first"`
	NextRun   time.Time     `json:"next_run,omitzero" doc:"When it runs next"`
}

// RetentionRun is one run of a rule.
type RetentionRun struct {
	Began   time.Time `json:"began" doc:"When it began"`
	Ended   time.Time `json:"ended,omitzero" doc:"When it ended"`
	Removed int       `json:"removed" doc:"How many things went" example:"4"`
	Detail  string    `json:"detail,omitempty" doc:"What went, or what had to be put right" example:"pr-7, pr-9"`
	Error   string    `json:"error,omitempty" doc:"Why it failed; absent when it went well"`
}

// RetentionRuleList is every rule.
type RetentionRuleList struct {
	Items []RetentionRule `json:"items" nullable:"false" doc:"By name"`
}
