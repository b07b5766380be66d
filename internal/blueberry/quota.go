package blueberry

import (
	"maps"
	"math"
	"regexp"
	"slices"
)

// Demand is what a rendering asks of its target, at its largest: every autoscaler at its most, without the platform's spare room.
type Demand struct {
	CPU     int64 // requests, thousandths of a core
	Memory  int64 // requests, bytes
	Pods    int64
	Storage int64 // claims, bytes
}

// EnvironmentKind sorts environments for quotas.
type EnvironmentKind string

// The kinds of environment.
const (
	Preview   EnvironmentKind = "preview"   // of a pull request: its name is pr-<number>
	Ephemeral EnvironmentKind = "ephemeral" // has a lease
	Standing  EnvironmentKind = "standing"  // has none
)

// EnvironmentKinds lists every kind.
func EnvironmentKinds() []EnvironmentKind { return []EnvironmentKind{Preview, Ephemeral, Standing} }

var pullRequestName = regexp.MustCompile(`^pr-[0-9]+$`)

// Kind sorts the environment.
func (e Environment) Kind() EnvironmentKind {
	switch {
	case pullRequestName.MatchString(e.Name):
		return Preview
	case e.Lease.ExpiresAt.IsZero():
		return Standing
	}
	return Ephemeral
}

// Limits bound what environments of a project may use together. A nil limit is none.
type Limits struct {
	Environments *int64 `json:"environments,omitempty"`
	CPU          *int64 `json:"cpu,omitempty"`     // thousandths of a core
	Memory       *int64 `json:"memory,omitempty"`  // bytes
	Pods         *int64 `json:"pods,omitempty"`    //
	Storage      *int64 `json:"storage,omitempty"` // bytes
}

// Quota is the limits of a project, for all of its environments and for those of a kind.
type Quota struct {
	Limits
	Kinds map[EnvironmentKind]Limits `json:"kinds,omitempty"`
}

// Usage is what environments use: those that are not terminated.
type Usage struct {
	Environments int64
	Demand
}

// Add gives the sum. What is too much for a number stays at the largest: else a demand without measure would look like none.
func (u Usage) Add(o Usage) Usage {
	return Usage{plus(u.Environments, o.Environments), Demand{plus(u.CPU, o.CPU), plus(u.Memory, o.Memory), plus(u.Pods, o.Pods), plus(u.Storage, o.Storage)}}
}

func plus(a, b int64) int64 {
	if a > 0 && b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}

// Check notes every limit that cannot be.
func (q Quota) Check(f *Faults, field string) {
	check := func(at string, l Limits) {
		for _, x := range []struct {
			name  string
			value *int64
		}{{"environments", l.Environments}, {"cpu", l.CPU}, {"memory", l.Memory}, {"pods", l.Pods}, {"storage", l.Storage}} {
			if x.value != nil && *x.value < 0 {
				f.Add(JoinField(at, x.name), "range", "is %d, must not be below zero", *x.value)
			}
		}
	}
	check(field, q.Limits)
	for _, kind := range slices.Sorted(maps.Keys(q.Kinds)) {
		l := q.Kinds[kind]
		at := JoinField(field, "kinds."+string(kind))
		switch kind {
		case Preview, Ephemeral, Standing:
			check(at, l)
		default:
			f.Add(at, "enum", "%q is no kind of environment: preview, ephemeral or standing", kind)
		}
	}
}

// Fit compares the quota with what the project uses, by kind, and what a change asks for: before is what the environment uses now (zero for a new one),
// after what it will. Only limits that exist are told, those of all environments first.
func (q Quota) Fit(project string, kind EnvironmentKind, used map[EnvironmentKind]Usage, before, after Usage) []Fit {
	var all Usage
	for _, u := range used {
		all = all.Add(u)
	}
	out := fits("project "+project, q.Limits, all, before, after)
	if l, ok := q.Kinds[kind]; ok {
		out = append(out, fits(string(kind)+" environments of project "+project, l, used[kind], before, after)...)
	}
	return out
}

func fits(scope string, l Limits, used, before, after Usage) []Fit {
	var out []Fit
	for _, x := range []struct {
		resource            string
		limit               *int64
		used, before, after int64
	}{
		{"environments", l.Environments, used.Environments, before.Environments, after.Environments},
		{"cpu", l.CPU, used.CPU, before.CPU, after.CPU},
		{"memory", l.Memory, used.Memory, before.Memory, after.Memory},
		{"pods", l.Pods, used.Pods, before.Pods, after.Pods},
		{"storage", l.Storage, used.Storage, before.Storage, after.Storage},
	} {
		if x.limit != nil {
			out = append(out, Fit{Resource: x.resource, Scope: scope, Used: x.used, Asked: x.after - x.before, Limit: *x.limit})
		}
	}
	return out
}
