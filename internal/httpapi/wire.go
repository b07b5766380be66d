package httpapi

import (
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
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
		Restricted: e.Restricted, Labels: e.Labels,
		Source: wireSource(e.Source), Phase: sdk.Phase(e.Phase), PhaseSince: instant(e.PhaseSince), Reason: e.Reason, Message: e.Message,
		Conditions: list(e.Conditions, wireCondition), ExpiresAt: instant(e.Lease.ExpiresAt), Revision: e.Revision, SyncedRevision: e.Synced,
		Lease: wireLease(e.Lease), Sleep: wireSleep(e.Sleep), Cause: string(e.Cause), HeldBy: e.HeldBy,
		Commit: e.Commit, Hosts: list(e.Hosts, same), CreatedAt: instant(e.CreatedAt), UpdatedAt: instant(e.UpdatedAt),
		TerminatedAt: instant(e.TerminatedAt), Version: e.Version, Kind: string(e.Kind()), Demand: wireDemand(e.Demand),
		Drift: sdk.EnvironmentDrift{Mode: string(driftMode(e.Drift)), Since: instant(e.DriftSince), Ignore: wireIgnores(e.Drift)},
	}
}

// wireDemand gives nothing for a demand that is not known.
func wireDemand(d blueberry.Demand) sdk.Demand {
	if d == (blueberry.Demand{}) {
		return sdk.Demand{}
	}
	return sdk.Demand{CPU: sdk.QuantityText("cpu", d.CPU), Memory: sdk.QuantityText("memory", d.Memory), Pods: d.Pods, Storage: sdk.QuantityText("storage", d.Storage)}
}

func wireCondition(c blueberry.Condition) sdk.Condition {
	return sdk.Condition{Type: string(c.Type), Status: string(c.Status), Reason: c.Reason, Code: c.Code, Message: c.Message, Since: instant(c.Since)}
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
		MadeAt: instant(o.MadeAt), GoneAt: instant(o.GoneAt),
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
