package blueberry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PlanLifetime is how long a plan may be applied.
const PlanLifetime = 30 * time.Minute

// PlanKind says what a plan would do.
type PlanKind string

// The kinds of plan.
const (
	PlanCreate   PlanKind = "create"
	PlanChange   PlanKind = "change"
	PlanRollback PlanKind = "rollback"
	PlanDestroy  PlanKind = "destroy"
)

// Plan is what a change would do: signed, applied at most once, and only while none of its inputs has moved.
type Plan struct {
	ID            string
	Kind          PlanKind
	Project       string
	Environment   string // name
	EnvironmentID string // empty for a create
	Actor         string
	ActorID       string
	Reason        string // that the revision will have
	Base          int    // number of the revision that it changes; 0 for a create
	Revision      int    // number of the revision that it makes; 0 when it makes none

	Inputs   []PlanInput
	Digest   string // "sha256:…" over inputs, request and rendering
	Objects  []ObjectDiff
	Config   []SettingChange
	Quota    []Fit
	Capacity []Fit // of the target; empty when it does not tell
	Policies []PolicyVerdict
	Warnings []Warning
	Lease    PlanLease
	Cost     *PlanCost // nil when no prices are set for the target
	DryRun   DryRun

	RenderingDigest string // empty for a destroy
	Request         []byte // what was asked for, as provision encodes it: apply does just this
	KeyID           string // of the key that signed
	Signature       []byte // Ed25519 over SigningText

	CreatedAt       time.Time
	ExpiresAt       time.Time
	AppliedAt       time.Time // zero while it may be applied
	AppliedRevision int
}

// Kinds of PlanInput.
const (
	InputEnvironment = "environment" // its desired revision, and that it lives
	InputBlueprint   = "blueprint"   // version in the catalogue, or digest of the document
	InputCommit      = "commit"      // of the application's repository, by its address, and of each of the blueprint's, by its name there
	InputConfigSet   = "config_set"  // the version that is merged
	InputImage       = "image"       // of a component
	InputBranch      = "branch"      // of a repository of the blueprint: which one was taken, and why
	InputRun         = "run"         // the commit that a component runs, where that is not the one of its repository
	InputPolicies    = "policies"    // digest of the rules that judge
	InputQuota       = "quota"       // of the project: its limits
	InputTarget      = "target"      // what differs on it from what was applied
	InputRenderer    = "renderer"    // version of the built-in chart and of the Kubernetes that is rendered for
)

// PlanInput is one thing that a plan leans on.
type PlanInput struct {
	Kind  string
	Name  string // of the config set or component; empty where there is one of the kind
	Value string // for people and for comparison: "3", a commit, a digest
}

// Moved tells, as faults, which inputs of a plan are not what they were. Both lists may be in any order.
func Moved(was, is []PlanInput) Faults {
	key := func(i PlanInput) string { return i.Kind + "\x00" + i.Name }
	now := map[string]string{}
	for _, i := range is {
		now[key(i)] = i.Value
	}
	var f Faults
	for _, i := range was {
		value, there := now[key(i)]
		delete(now, key(i))
		switch {
		case !there:
			f.Add(i.field(), "moved", "was %s when the plan was made, and is not there any more", i.Value)
		case value != i.Value:
			f.Add(i.field(), "moved", "was %s when the plan was made, and is %s now", i.Value, value)
		}
	}
	for _, i := range is {
		if value, left := now[key(i)]; left {
			f.Add(i.field(), "moved", "was not there when the plan was made, and is %s now", value)
		}
	}
	slices.SortFunc(f, func(a, b Fault) int { return strings.Compare(a.Field, b.Field) })
	return f
}

func (i PlanInput) field() string { return JoinField("inputs", JoinField(i.Kind, i.Name)) }

// DigestInputs is the digest of a plan: over its inputs in order, its request and its rendering.
func (p Plan) DigestInputs() string {
	h := sha256.New()
	inputs := slices.Clone(p.Inputs)
	slices.SortFunc(inputs, func(a, b PlanInput) int { return strings.Compare(a.Kind+"\x00"+a.Name, b.Kind+"\x00"+b.Name) })
	for _, i := range inputs {
		fmt.Fprintf(h, "%q %q %q\n", i.Kind, i.Name, i.Value)
	}
	fmt.Fprintf(h, "%q\n%q\n", p.Request, p.RenderingDigest)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// SigningText is what is signed: everything that decides on what an apply does, and on whether it may.
func (p Plan) SigningText() []byte {
	return fmt.Appendf(nil, "blueberry plan v1\n%q %q %q %q %q %q %d %d %d\n%s\n", p.ID, p.Kind, p.Project, p.Environment, p.EnvironmentID, p.ActorID,
		p.Base, p.Revision, p.ExpiresAt.UnixMicro(), p.Digest)
}

// Expired reports whether the plan may not be applied any more.
func (p Plan) Expired(now time.Time) bool { return !now.Before(p.ExpiresAt) }

// Changes reports whether applying the plan would change anything.
func (p Plan) Changes() bool {
	return p.Kind == PlanDestroy || p.Revision > p.Base
}

// ObjectAction is what becomes of one object.
type ObjectAction string

// The actions.
const (
	ObjectCreated   ObjectAction = "create"
	ObjectUpdated   ObjectAction = "update"
	ObjectDeleted   ObjectAction = "delete"
	ObjectUnchanged ObjectAction = "unchanged"
)

// ObjectDiff is what becomes of one object, field by field.
type ObjectDiff struct {
	ObjectRef
	Component string
	Action    ObjectAction
	Fields    []FieldDiff
	Checked   bool   // the target was asked, by a dry run
	Note      string // why it was not, or what it refuses: "must be at most 65535"
	Refused   bool   // the target said no
}

// FieldDiff is one field that differs. A path names keys by dots, items of a list by "[2]", and items of a list whose every item has a name of its own
// by "[name=web]". Where Before or After is not there, HasBefore or HasAfter is false.
type FieldDiff struct {
	Path                string
	Before, After       any
	HasBefore, HasAfter bool
	Index               int       // of an added item of a list: where it stands afterwards
	Manager             string    // drift: who owns the field on the target: "kubectl-edit"; empty when not known
	Since               time.Time // drift: when that manager last wrote the object; zero when not known
}

// DryRun says whether the target was asked what it would make of the plan.
type DryRun struct {
	Done   bool
	Reason string // why not
}

// Fit is one limit with what is used of it and what is asked for. CPU is in thousandths of a core, memory and storage in bytes, the rest are counts.
type Fit struct {
	Resource string // "environments", "cpu", "memory", "pods", "storage"
	Scope    string // "project shop", "previews of project shop", "target local"
	Used     int64  // without what is asked for
	Asked    int64  // more (or, below zero, less) than now
	Limit    int64
}

// Fits reports whether the limit holds afterwards. What asks for no more than before always fits: a limit that was lowered stops growth only.
func (f Fit) Fits() bool { return f.Asked <= 0 || f.Asked <= f.Limit-f.Used }

// PolicyVerdict is what one rule says of one object of a plan.
type PolicyVerdict struct {
	Rule    string // "default/images-by-digest"
	Object  string // "Deployment.apps shop-pr-1/backend", "environment pr-1", "image nginx:1 of …"
	Denied  bool   // else it only warns
	Message string
	Fix     string
}

// PlanLease is what becomes of the lease. The zero time is none.
type PlanLease struct {
	Before, After time.Time // After of a create counts from when the plan was made; applying it counts anew
	Hours         int       // of a create
}

// Hold keeps a bad input away: nothing automatic brings it back until it is released.
type Hold struct {
	EnvironmentID string
	PlanInput            // kind, name and the value that is held
	By            string // actor
	Reason        string
	Since         time.Time
}

// Holds reports whether an input is one of those held, and which.
func Holds(holds []Hold, inputs []PlanInput) (Hold, bool) {
	for _, h := range holds {
		if slices.Contains(inputs, h.PlanInput) {
			return h, true
		}
	}
	return Hold{}, false
}
