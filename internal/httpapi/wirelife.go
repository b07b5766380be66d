package httpapi

import (
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func wireLease(l blueberry.Lease) sdk.Lease {
	return sdk.Lease{
		ExpiresAt: instant(l.ExpiresAt), PinnedBy: l.PinnedBy, NextWarningAt: instant(l.NextWarning()), WarnedMinutes: int(l.Warned / time.Minute),
	}
}

func wireSleep(s blueberry.Sleep) sdk.EnvironmentSleep {
	return sdk.EnvironmentSleep{
		Asleep: s.Asleep, Why: string(s.Why), By: s.By, Since: instant(s.Since), ActiveAt: instant(s.ActiveAt), Policy: wireSleepPolicy(s.Policy), Own: s.Own,
	}
}

// weekdays are the days on the wire, by time.Weekday.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func wireSleepPolicy(p blueberry.SleepPolicy) sdk.SleepPolicy {
	out := sdk.SleepPolicy{IdleMinutes: int(p.Idle / time.Minute), TimeZone: p.TimeZone, Never: p.Never}
	for _, w := range p.Windows {
		out.Windows = append(out.Windows, sdk.SleepWindow{
			Days: list(w.Days, func(d time.Weekday) string { return weekdays()[d] }), From: timeOfDay(w.From), To: timeOfDay(w.To),
		})
	}
	return out
}

func timeOfDay(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// maxIdleMinutes keeps a number that someone made up within what a time.Duration can hold. It is far above what the policy allows.
const maxIdleMinutes = 100_000_000

// readSleepPolicy makes of a day or a time that is none one that the policy itself finds wrong, so that it tells its faults with all others.
func readSleepPolicy(p sdk.SleepPolicy) blueberry.SleepPolicy {
	out := blueberry.SleepPolicy{Idle: time.Duration(min(max(p.IdleMinutes, -maxIdleMinutes), maxIdleMinutes)) * time.Minute, TimeZone: p.TimeZone, Never: p.Never}
	for _, w := range p.Windows {
		out.Windows = append(out.Windows, blueberry.SleepWindow{
			Days: list(w.Days, func(d string) time.Weekday { return time.Weekday(slices.Index(weekdays(), d)) }), From: readTimeOfDay(w.From), To: readTimeOfDay(w.To),
		})
	}
	return out
}

// readTimeOfDay gives minutes, or -1 for what is no time of day.
func readTimeOfDay(text string) int {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

func wireWake(w blueberry.WakeEntry) sdk.WakeEntry {
	return sdk.WakeEntry{Seq: w.Seq, Asleep: w.Asleep, Why: string(w.Why), By: w.By, Detail: w.Detail, At: instant(w.At)}
}

func wireRef(o blueberry.ObjectRef) sdk.ObjectRef {
	return sdk.ObjectRef{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// optionalRef is nil for what names no object.
func optionalRef(o blueberry.ObjectRef) *sdk.ObjectRef {
	if o == (blueberry.ObjectRef{}) {
		return nil
	}
	out := wireRef(o)
	return &out
}

func wireWhy(w blueberry.Why) sdk.Why {
	e := w.Environment
	return sdk.Why{
		EnvironmentID: e.ID, Phase: sdk.Phase(e.Phase), Reason: e.Reason, Message: e.Message, Steps: list(w.Steps, wireStep), Causes: list(w.Causes, wireCause),
		LookedAt: instant(w.LookedAt),
	}
}

func wireStep(s blueberry.Step) sdk.Step {
	return sdk.Step{
		Condition: wireCondition(s.Condition), BudgetMS: s.Budget.Milliseconds(), Began: instant(s.Began), TookMS: s.Took.Milliseconds(), Over: s.Over,
	}
}

func wireCause(c blueberry.Cause) sdk.Cause {
	return sdk.Cause{
		Code: string(c.Code), Severity: string(c.Severity), Step: string(c.Step), Component: c.Component, Object: optionalRef(c.Object), Message: c.Message, Fix: c.Fix,
		Evidence: list(c.Evidence, func(e blueberry.Evidence) sdk.Evidence {
			return sdk.Evidence{Source: e.Source, Text: e.Text, At: instant(e.At)}
		}),
	}
}

func wireReceipt(r blueberry.Receipt) sdk.Receipt {
	out := sdk.Receipt{
		EnvironmentID: r.EnvironmentID, Project: r.Project, Environment: r.Environment, Target: r.Target, Reason: r.Reason, By: r.By,
		BeganAt: instant(r.BeganAt), EndedAt: instant(r.EndedAt),
		Lines: list(r.Lines, func(l blueberry.ReceiptLine) sdk.ReceiptLine {
			return sdk.ReceiptLine{
				System: l.System, Object: l.Object, MadeAt: instant(l.MadeAt), GoneAt: instant(l.GoneAt), WaitedMS: l.Waited.Milliseconds(), Control: l.Control,
			}
		}),
		Leftovers: list(r.Leftovers, func(l blueberry.Leftover) sdk.Leftover {
			return sdk.Leftover{ObjectRef: wireRef(l.ObjectRef), Finalizers: list(l.Finalizers, same), Since: instant(l.Since), Message: l.Message, Fix: l.Fix}
		}),
		Notes: list(r.Notes, same), Cost: wireEnvironmentCost(r.Cost),
	}
	if a := r.Abandoned; !a.At.IsZero() {
		out.Abandoned = &sdk.Abandonment{By: a.By, Reason: a.Reason, At: instant(a.At)}
	}
	return out
}

// wireArchive leaves out what only the read of one archive tells.
func wireArchive(a blueberry.Archive, now time.Time) sdk.Archive {
	out := sdk.Archive{
		EnvironmentID: a.EnvironmentID, Project: a.Project, Environment: a.Environment, Target: a.Target, Owner: a.Owner, State: string(a.State), Reason: a.Reason,
		Revision: a.Revision, Files: []sdk.ArchiveFile{}, CreatedAt: instant(a.CreatedAt), ArchivedAt: instant(a.ArchivedAt), LogsUntil: instant(a.LogsUntil),
		PurgeAt: instant(a.PurgeAt), RestoredAs: a.RestoredAs,
	}
	if until := a.ArchivedAt.Add(blueberry.UndoWindow); a.State == blueberry.ArchivedEnded && a.RestoredAs == "" && until.After(now) {
		out.UndoUntil = instant(until)
	}
	return out
}

func wireWholeArchive(a blueberry.Archive, now time.Time) sdk.Archive {
	out := wireArchive(a, now)
	out.Files = list(a.Files, func(f blueberry.ArchiveFile) sdk.ArchiveFile { return sdk.ArchiveFile(f) })
	if a.Receipt != nil {
		r := wireReceipt(*a.Receipt)
		out.Receipt = &r
	}
	return out
}

func wireOrphan(o blueberry.Orphan) sdk.Orphan {
	return sdk.Orphan{
		ID: o.ID, Target: o.Target, Kind: string(o.Kind), Project: o.Project, Env: o.Env, Namespace: o.Namespace, Objects: list(o.Objects, wireRef), Message: o.Message,
		FoundAt: instant(o.FoundAt), SeenAt: instant(o.SeenAt), ApprovedBy: o.ApprovedBy, ApprovedAt: instant(o.ApprovedAt), Leftovers: list(o.Leftovers, wireRef),
	}
}

func wireRetentionRule(r blueberry.RetentionRule) sdk.RetentionRule {
	out := sdk.RetentionRule{
		Name: r.Name, What: r.What, KeepHours: int(r.Keep / time.Hour), EveryMin: int(r.Every / time.Minute), NextRun: instant(r.NextRun),
	}
	if l := r.LastRun; !l.Began.IsZero() {
		out.LastRun = &sdk.RetentionRun{Began: instant(l.Began), Ended: instant(l.Ended), Removed: l.Removed, Detail: l.Detail, Error: l.Error}
	}
	return out
}
