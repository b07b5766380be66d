package blueberry

import (
	"slices"
	"time"
)

// Phase is where an environment is in its life.
type Phase string

// The phases.
const (
	Pending      Phase = "pending"      // accepted, no work begun
	Provisioning Phase = "provisioning" // being made
	Ready        Phase = "ready"        // everything asked for runs
	Degraded     Phase = "degraded"     // was ready, something broke
	Updating     Phase = "updating"     // a newer revision is on its way
	Sleeping     Phase = "sleeping"     // scaled to nothing on purpose
	Failed       Phase = "failed"       // gave up; kept to be read
	Terminating  Phase = "terminating"  // being removed, not yet proven gone
	Terminated   Phase = "terminated"   // proven gone
)

// transitions is the one table of legal moves. Besides these, every phase but the last two may go to failed, and every phase but
// terminated to terminating.
var transitions = map[Phase][]Phase{
	Pending:      {Provisioning},
	Provisioning: {Ready, Updating},
	Ready:        {Degraded, Updating, Sleeping},
	Degraded:     {Ready, Updating, Sleeping},
	Updating:     {Ready, Degraded, Sleeping},
	Sleeping:     {Ready, Updating},
	Failed:       {Ready, Updating},
	Terminating:  {Terminated},
	Terminated:   {},
}

// Phases lists every phase in the order of a life.
func Phases() []Phase {
	return []Phase{Pending, Provisioning, Ready, Degraded, Updating, Sleeping, Failed, Terminating, Terminated}
}

// Can reports whether an environment may go from one phase to the other.
func (p Phase) Can(to Phase) bool {
	switch to {
	case Failed:
		return p != Failed && p != Terminating && p != Terminated
	case Terminating:
		return p != Terminating && p != Terminated
	}
	return slices.Contains(transitions[p], to)
}

// Alive reports whether an environment in this phase still holds its name and its namespace.
func (p Phase) Alive() bool { return p != Terminated }

// Times that the life of an environment is held to (capabilities A3, A4).
const (
	ReadinessGrace  = 5 * time.Minute // what looks broken this long after a change may still be starting
	ProvisionBudget = 2 * time.Hour   // then provisioning, or an update, has failed
	TeardownLook    = 5 * time.Minute // then a removal is looked at even if its work has given up
)

// Source is where the blueprint of a revision came from.
type Source struct {
	Repository string // URL; empty when the blueprint came with the request
	Ref        string // what was asked for: branch, tag or commit; empty means the default branch
	Commit     string // what it was: 40 hexadecimal digits
	Path       string // of the blueprint in the repository
}

// Environment is one running instance of a blueprint.
type Environment struct {
	ID        string
	Project   string
	Name      string
	Namespace string // on the target
	Target    string
	Owner     string // name of the actor that asked for it
	Labels    Labels // nil for none
	Source    Source
	// Restricted is of an environment that runs code which nobody vouches for: from its beginning to its end it has no secrets, no token, no way out, little
	// room and a short lease.
	Restricted bool
	// RequestKey is the actor and idempotency key of the request that made it; empty for none. It finds the environment of a request whose answer was
	// lost with the process that gave it.
	RequestKey string

	Phase      Phase
	PhaseSince time.Time
	Reason     string // one CamelCase word: why it is in this phase
	Message    string // the same for people
	Conditions []Condition

	Lease      Lease
	Revision   int    // desired, from 1
	Synced     int    // revision that the target holds in full; 0 for none
	Commit     string // of the GitOps repository, that holds the desired revision; empty until committed
	Hosts      []string
	DeadlineAt time.Time // when the reconciler has to look again even if nothing happens; zero for never
	Demand     Demand    // of the desired revision
	Requests   Requests  // of the desired revision; of none in what was recorded before they were kept
	Drift      DriftPolicy
	DriftSince time.Time // when something on the target was first seen to differ; zero when nothing does
	Sleep      Sleep
	Cause      CauseCode // of what keeps it from being ready, as last told; empty when nothing does
	HeldBy     string    // driver that last applied it; empty before the first time. Another one takes over what that one left

	CreatedAt    time.Time
	UpdatedAt    time.Time
	TerminatedAt time.Time
	Version      int64 // of the row: counts up with each write, and is the ETag
}

// NewEnvironment is what a valid request becomes. It tells every fault of the request at once.
func NewEnvironment(r EnvironmentRequest, now time.Time) (Environment, error) {
	var f Faults
	f.CheckName("project", r.Project, MaxProjectName)
	f.CheckName("name", r.Name, MaxEnvironmentName)
	f.CheckHours("ttl_hours", r.Hours)
	r.Labels.Check(&f, "labels")
	if err := f.Err(); err != nil {
		return Environment{}, err
	}
	return Environment{
		ID:         NewID(EnvironmentID, now),
		Project:    r.Project,
		Name:       r.Name,
		Namespace:  Namespace(r.Project, r.Name),
		Target:     r.Target,
		Owner:      r.Owner,
		Labels:     r.Labels.OrNone(),
		Phase:      Pending,
		PhaseSince: now,
		Reason:     "Accepted",
		Message:    "waits for its first step",
		Conditions: NewConditions(now),
		Lease:      NewLease(now, r.Hours),
		Revision:   1,
		CreatedAt:  now,
		UpdatedAt:  now,
	}, nil
}

// EnvironmentRequest is what someone asks for.
type EnvironmentRequest struct {
	Project string
	Name    string
	Target  string
	Owner   string
	Labels  Labels
	Hours   int // length of the lease
}

// Move takes the environment to a phase, or tells that the table does not allow it. Moving to the phase it is in changes the reason only.
func (e *Environment) Move(to Phase, reason, message string, now time.Time) error {
	if to != e.Phase {
		if !e.Phase.Can(to) {
			return Errorf(Conflict, "PHASE_TRANSITION", "environment %s is %s and cannot become %s", e.Name, e.Phase, to)
		}
		e.Phase, e.PhaseSince = to, now
	}
	e.Reason, e.Message = reason, message
	return nil
}

// NextDeadline is when time alone changes what the environment should do: its lease ends or someone is to be warned of that, its provisioning has lasted
// too long, or it should sleep or wake.
func (e Environment) NextDeadline() time.Time {
	var next time.Time
	add := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	switch e.Phase {
	case Terminating:
		return e.PhaseSince.Add(TeardownLook)
	case Terminated:
		return time.Time{}
	case Pending, Provisioning:
		add(e.CreatedAt.Add(ProvisionBudget))
	case Updating:
		add(e.updateBudgetEnd())
	}
	add(e.Lease.ExpiresAt)
	add(e.Lease.NextWarning())
	add(e.Sleep.NextTurn(e.Phase))
	return next
}
