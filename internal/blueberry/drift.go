package blueberry

import (
	"path"
	"regexp"
	"strings"
	"time"
)

// DriftMode says what is done about what another hand altered on the target.
type DriftMode string

// The modes.
const (
	DriftRepair DriftMode = "repair" // put back at once
	DriftReport DriftMode = "report" // told, and left alone until the next revision
)

// MaxDriftIgnores bounds the ignore rules of one environment.
const MaxDriftIgnores = 50

// DriftPolicy is the policy of one environment. The zero policy repairs everything.
type DriftPolicy struct {
	Mode   DriftMode
	Ignore []DriftIgnore
}

// DriftIgnore leaves one field of the objects that match to others: what they write there is no drift and is not put back.
type DriftIgnore struct {
	Kind string // "Deployment", "Rollout.argoproj.io", "*"
	Name string // pattern as of path.Match: "backend", "*"
	Path string // of the field and all below it: "spec.replicas", "metadata.annotations[\"example.com/x\"]"
}

// Reports reports whether drift is left alone.
func (p DriftPolicy) Reports() bool { return p.Mode == DriftReport }

// Matches reports whether the rule is about the object.
func (i DriftIgnore) Matches(o ObjectRef) bool {
	kind := o.Kind
	if g := o.Group(); g != "" {
		kind += "." + g
	}
	if i.Kind != "*" && i.Kind != o.Kind && i.Kind != kind {
		return false
	}
	ok, err := path.Match(i.Name, o.Name)
	return err == nil && ok
}

// driftPath is the paths that DiffFields tells, but for indexes: another hand may put an item before the one that is meant.
var driftPath = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$-]*(\.[^.\[\]"\s]+|\["([^"\\]|\\.)*"\]|\[name=[^\]]+\])*$`)

// identity reports whether a path is of what an object is known by.
func identity(keys []string) bool {
	switch keys[0] {
	case "apiVersion", "kind":
		return true
	case "metadata":
		if len(keys) == 1 {
			return true
		}
		return keys[1] == "name" || keys[1] == "namespace" || keys[1] == "labels" && (len(keys) == 2 || strings.HasPrefix(keys[2], "blueberry.dev/"))
	}
	return false
}

// Check notes what is wrong with a policy.
func (p DriftPolicy) Check(f *Faults, field string) {
	switch p.Mode {
	case "", DriftRepair, DriftReport:
	default:
		f.Add(JoinField(field, "mode"), "enum", "%q is not repair or report", p.Mode)
	}
	if len(p.Ignore) > MaxDriftIgnores {
		f.Add(JoinField(field, "ignore"), "too_many", "has %d rules, at most %d are allowed", len(p.Ignore), MaxDriftIgnores)
		return
	}
	for i, x := range p.Ignore {
		at := JoinField(field, "ignore["+itoa(i)+"]")
		if x.Kind == "" {
			f.Add(at+".kind", "required", "must be set; * means every kind")
		}
		if _, err := path.Match(x.Name, ""); x.Name == "" || err != nil {
			f.Add(at+".name", "pattern", "%q is not a name or a pattern of names", x.Name)
		}
		switch keys, ok := SplitPath(x.Path); {
		case !ok || !driftPath.MatchString(x.Path):
			f.Add(at+".path", "pattern", "%q is not a path of a field, as spec.replicas", x.Path)
		case identity(keys):
			f.Add(at+".path", "forbidden", "%s is what Blueberry knows the object by", x.Path)
		}
	}
}

// Drift is what differs on the target from what was applied.
type Drift struct {
	At      time.Time
	Since   time.Time // when it was first seen; zero when there is none
	Policy  DriftPolicy
	Objects []ObjectDiff // those that differ: Before is desired, After is live
}
