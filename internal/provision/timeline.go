package provision

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// The kinds of entries of a timeline.
const (
	TimelineEvent      = "event"      // of ours
	TimelineKubernetes = "kubernetes" // of the target
)

const timelineWithin = 5 * time.Second // that the target has to answer

// TimelineQuery asks for a part of what happened to an environment.
type TimelineQuery struct {
	After, Before time.Time // zero for no bound; neither is in the answer
	Limit         int       // the newest so many
	Kinds         []string  // of TimelineEvent and TimelineKubernetes; empty for both
}

// TimelineEntry is one thing that happened.
type TimelineEntry struct {
	At        time.Time
	Kind      string
	Type      string // of ours: the event's; of the target's: the reason
	Component string
	Object    blueberry.ObjectRef
	Message   string
	Actor     string // of the target's: the source
	Warning   bool
	Count     int // how often, until At
}

// Timeline merges our events and those of the target by time, oldest first: of those in the bounds the newest, as many as asked for. A target that cannot be
// asked now is told as an entry; of an environment that ended, what was archived of its events is read.
func (p *Provisioner) Timeline(ctx context.Context, actor blueberry.Actor, id string, q TimelineQuery) ([]TimelineEntry, error) {
	q.Limit = pageLimit(q.Limit)
	wants := func(kind string) bool { return len(q.Kinds) == 0 || slices.Contains(q.Kinds, kind) }
	var out []TimelineEntry
	e, err := viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (blueberry.Environment, error) {
		out = nil
		if !wants(TimelineEvent) {
			return e, nil
		}
		var err error
		out, err = ownEntries(ctx, tx, id, q)
		return e, err
	})
	if err != nil {
		return nil, err
	}
	if wants(TimelineKubernetes) {
		out = append(out, p.placeEntries(ctx, e, q)...)
	}
	slices.SortStableFunc(out, func(a, b TimelineEntry) int { return a.At.Compare(b.At) })
	return out[max(0, len(out)-q.Limit):], nil
}

func (q TimelineQuery) holds(at time.Time) bool {
	return (q.After.IsZero() || at.After(q.After)) && (q.Before.IsZero() || at.Before(q.Before))
}

func ownEntries(ctx context.Context, tx Tx, id string, q TimelineQuery) ([]TimelineEntry, error) {
	var out []TimelineEntry
	for after := int64(0); ; {
		list, err := tx.Events(ctx, blueberry.EventQuery{EnvironmentID: id, After: after, Limit: blueberry.MaxPageSize})
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			after = x.Seq
			if !q.holds(x.At) {
				continue
			}
			out = append(out, TimelineEntry{At: x.At, Kind: TimelineEvent, Type: string(x.Type), Message: x.Message, Actor: x.Actor, Warning: warns(x.Type), Count: 1})
		}
		out = out[max(0, len(out)-q.Limit):]
		if len(list) < blueberry.MaxPageSize {
			return out, nil
		}
	}
}

func warns(t blueberry.EventType) bool {
	switch t {
	case blueberry.EnvironmentFailed, blueberry.EnvironmentDegraded, blueberry.EnvironmentBlocked, blueberry.EnvironmentCauseFound,
		blueberry.EnvironmentUpdateRefused, blueberry.EnvironmentDriftDetected, blueberry.EnvironmentLeaseEnding, blueberry.RetentionFixed:
		return true
	}
	return false
}

func (p *Provisioner) placeEntries(ctx context.Context, e blueberry.Environment, q TimelineQuery) []TimelineEntry {
	ctx, cancel := context.WithTimeout(ctx, timelineWithin)
	defer cancel()
	list, err := p.placeEvents(ctx, e)
	if err != nil {
		return []TimelineEntry{{At: p.Now(), Kind: TimelineKubernetes, Type: "Unknown", Message: "the events of the target cannot be read now: " + userText(err), Warning: true, Count: 1}}
	}
	var out []TimelineEntry
	for _, x := range list {
		if !q.holds(x.Last) {
			continue
		}
		out = append(out, TimelineEntry{
			At: x.Last, Kind: TimelineKubernetes, Type: x.Reason, Component: x.Component, Object: x.Object, Message: blueberry.Redact(x.Message), Actor: x.Source,
			Warning: x.Warning, Count: max(1, x.Count),
		})
	}
	return out
}

// placeEvents are those that the target still has, or those that were archived.
func (p *Provisioner) placeEvents(ctx context.Context, e blueberry.Environment) ([]target.PlaceEvent, error) {
	if e.Phase == blueberry.Terminated {
		return p.archivedEvents(ctx, e.ID)
	}
	place, err := p.place(e.Target)
	if err != nil {
		return nil, err
	}
	reader, ok := place.Driver.(target.EventReader)
	if !ok {
		return nil, cannot("READ_EVENTS", e.Target, "read events")
	}
	return reader.Events(ctx, refOf(e))
}

// objectOf reads what ObjectRef.String wrote, as far as it can be read.
func objectOf(text string) blueberry.ObjectRef {
	kind, name, _ := strings.Cut(text, " ")
	var o blueberry.ObjectRef
	if k, group, ok := strings.Cut(kind, "."); ok {
		o.Kind, o.APIVersion = k, group+"/v1"
	} else {
		o.Kind, o.APIVersion = kind, "v1"
	}
	if ns, n, ok := strings.Cut(name, "/"); ok {
		o.Namespace, o.Name = ns, n
	} else {
		o.Name = name
	}
	return o
}
