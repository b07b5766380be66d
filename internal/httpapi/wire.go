package httpapi

import (
	"encoding/json"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// instant is how times go over the wire: UTC, milliseconds.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// list makes the list of wire values; never nil, so that an empty one is [] on the wire.
func list[A, B any](in []A, f func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, x := range in {
		out = append(out, f(x))
	}
	return out
}

func wireEnvironment(e blueberry.Environment) sdk.Environment {
	return sdk.Environment{
		ID: e.ID, Project: e.Project, Name: e.Name, Namespace: e.Namespace, Target: e.Target, Owner: e.Owner,
		Source: wireSource(e.Source), Phase: sdk.Phase(e.Phase), PhaseSince: instant(e.PhaseSince), Reason: e.Reason, Message: e.Message,
		Conditions: list(e.Conditions, wireCondition), ExpiresAt: instant(e.Lease.ExpiresAt), Revision: e.Revision, SyncedRevision: e.Synced,
		Commit: e.Commit, Hosts: list(e.Hosts, func(h string) string { return h }), CreatedAt: instant(e.CreatedAt), UpdatedAt: instant(e.UpdatedAt),
		TerminatedAt: instant(e.TerminatedAt), Version: e.Version,
	}
}

func wireCondition(c blueberry.Condition) sdk.Condition {
	return sdk.Condition{Type: string(c.Type), Status: string(c.Status), Reason: c.Reason, Message: c.Message, Since: instant(c.Since)}
}

func wireSource(s blueberry.Source) sdk.Source {
	return sdk.Source{Repository: s.Repository, Ref: s.Ref, Commit: s.Commit, Path: s.Path}
}

func wireFile(f blueberry.RenderedFile) sdk.RenderedFile {
	return sdk.RenderedFile{Path: f.Name, Component: f.Component, Wave: f.Wave, Content: string(f.Content)}
}

func wireObject(o blueberry.LedgerEntry) sdk.Object {
	return sdk.Object{
		APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Component: o.Component, Wave: o.Wave, Revision: o.Revision,
		GoneAt: instant(o.GoneAt),
	}
}

func wireEvent(e blueberry.Event) sdk.Event {
	return sdk.Event{
		Seq: e.Seq, ID: e.ID, Type: string(e.Type), EnvironmentID: e.EnvironmentID, Project: e.Project, Environment: e.Environment,
		Actor: e.Actor, Message: e.Message, At: instant(e.At),
	}
}

func wireJob(j blueberry.Job) sdk.Job {
	return sdk.Job{
		ID: j.ID, Kind: string(j.Kind), Subject: j.Subject, State: string(j.State), Attempt: j.Attempt, MaxAttempts: j.MaxAttempts,
		LastError: j.LastError, RunAt: instant(j.RunAt), CreatedAt: instant(j.CreatedAt), FinishedAt: instant(j.FinishedAt),
	}
}

func wireTarget(t provision.TargetState) sdk.Target {
	return sdk.Target{Name: t.Name, Driver: t.Driver, Domain: t.Domain, Reachable: t.Reachable, Message: t.Message}
}

func wireBlueprint(b blueberry.Blueprint) sdk.Blueprint {
	return sdk.Blueprint{Name: b.Name, Components: list(b.Components, func(c blueberry.Component) sdk.Component {
		return sdk.Component{
			Name: c.Name, Image: c.Image, Port: c.Port, Health: c.Health, Chart: c.Chart, Kustomization: c.Kustomization, Wave: c.Wave, Values: c.Values,
		}
	})}
}

func readBlueprint(b *sdk.Blueprint) *blueberry.Blueprint {
	if b == nil {
		return nil
	}
	return &blueberry.Blueprint{Name: b.Name, Components: list(b.Components, func(c sdk.Component) blueberry.Component {
		return blueberry.Component{
			Name: c.Name, Image: c.Image, Port: c.Port, Health: c.Health, Chart: c.Chart, Kustomization: c.Kustomization, Wave: c.Wave,
			Values: plainMap(c.Values),
		}
	})}
}

// plainMap turns the numbers of free-form JSON into int64 where they are whole, else float64: a chart must see 8080, not 8.08e+03.
func plainMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = plain(v)
	}
	return out
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return plainMap(v)
	case []any:
		return list(v, plain)
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return v.String() // beyond both: keep the digits
		}
		return f
	}
	return v
}
