package sdk

import "time"

// Orphan is what is on a target and in no record, or in the record and on no target.
type Orphan struct {
	ID         string      `json:"id" doc:"Id of the finding" example:"orp_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Target     string      `json:"target" doc:"Where it was found" example:"local"`
	Kind       string      `json:"kind" enum:"objects,record,files" doc:"Objects or files of no living environment, or a living environment that has no objects" example:"objects"`
	Project    string      `json:"project,omitempty" doc:"Project, as its labels say" example:"default"`
	Env        string      `json:"environment,omitempty" doc:"Name of the environment, as its labels say" example:"pr-7"`
	Namespace  string      `json:"namespace,omitempty" doc:"Where most of it is" example:"default-pr-7"`
	Objects    []ObjectRef `json:"objects" nullable:"false" doc:"What was found"`
	Message    string      `json:"message" doc:"The same for people" example:"3 objects of pr-7, which was removed 2 days ago"`
	FoundAt    time.Time   `json:"found_at" doc:"When it was first found"`
	SeenAt     time.Time   `json:"seen_at" doc:"When it was last seen"`
	ApprovedBy string      `json:"approved_by,omitempty" doc:"Who allowed its removal" example:"ada@example.com"`
	ApprovedAt time.Time   `json:"approved_at,omitzero" doc:"When"`
	Leftovers  []ObjectRef `json:"leftovers" nullable:"false" doc:"What is still there after the approved removal began"`
}

// OrphanList is a run of orphans.
type OrphanList struct {
	Items     []Orphan `json:"items" nullable:"false" doc:"By id"`
	NextAfter string   `json:"next_after,omitempty" doc:"Give it as after to read on; absent on the last run" example:"orp_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// OrphanFilter says which orphans to list. The zero value asks for all.
type OrphanFilter struct {
	Target string
	Kind   string // objects, record or files; empty for all
	After  string // id: only those behind it
	Limit  int    // 0 means the server's default
}
