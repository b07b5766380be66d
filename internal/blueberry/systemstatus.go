package blueberry

import (
	"slices"
	"time"
)

// PartState is how something is that the platform leans on.
type PartState string

// The states of a part.
const (
	PartUp      PartState = "up"
	PartWarning PartState = "warning" // it works, and somebody should look at it
	PartDown    PartState = "down"
	PartOff     PartState = "off" // nobody set it up
)

// Part is something that the platform leans on, as it was found by a look.
type Part struct {
	Kind    string    // "record", "target"
	Name    string    // unique in its kind; empty where there is one of the kind
	State   PartState // of the look
	Driver  string    // what it is: "sqlite", "redis"
	Message string    // what was found, for people
	Fix     string    // what to do; empty for nothing
	Took    time.Duration
	Asked   bool // whether it was asked now; else it is what is known of it
}

// SystemStatus is how one server of the installation is, and what it leans on.
type SystemStatus struct {
	Version       string
	GoVersion     string
	Host          string // that the server runs on
	StartedAt     time.Time
	At            time.Time // of the look
	Database      string    // driver of the record
	Migration     int64     // that the record has
	WantMigration int64     // that the server knows as the newest
	Jobs          map[JobState]int
	Parts         []Part // by kind and name
}

// State is that of the worst part.
func (s SystemStatus) State() PartState {
	worst := PartUp
	for _, p := range s.Parts {
		if slices.Index(partsByHarm, p.State) > slices.Index(partsByHarm, worst) {
			worst = p.State
		}
	}
	return worst
}

var partsByHarm = []PartState{PartOff, PartUp, PartWarning, PartDown}
