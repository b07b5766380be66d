package sim

import (
	"context"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// What a place keeps of what it did for one environment, as a Kubernetes does.
const (
	maxNotes  = 50
	keepNotes = time.Hour
)

// note is something that the place did, or what it did again.
type note struct {
	kind                  *kind
	apiVersion, name      string
	namespace, component  string
	reason, from, message string
	first, last           int64 // seconds since 1970
	count                 int32
	warning               bool
}

// note keeps that the place did something with an object. The caller holds p.mu.
func (p *Place) note(o *object, warning bool, reason, from, message string) {
	env, now := o.env, time.Now().Unix()
	if env == nil {
		return
	}
	for i := range env.notes {
		if n := &env.notes[i]; n.kind == o.kind && n.name == o.name && n.namespace == o.namespace && n.reason == reason && n.message == message {
			n.last = now
			n.count++
			return
		}
	}
	if len(env.notes) >= maxNotes {
		env.notes = slices.Delete(env.notes, 0, 1)
	}
	env.notes = append(env.notes, note{
		kind: o.kind, apiVersion: o.apiVersion, name: o.name, namespace: o.namespace, component: o.component,
		reason: reason, from: from, message: message, first: now, last: now, count: 1, warning: warning,
	})
}

// failEvent is what a kubelet calls the failure.
func (w *work) failEvent() string {
	switch w.fail {
	case "CrashLoopBackOff", "ImagePullBackOff":
		return "BackOff"
	}
	return "Failed"
}

// Events implements target.EventReader: what the place did with workloads in the last hour, while the environment is there. Its pods are no objects, so the
// workload is the object of what happens to them.
func (d Driver) Events(ctx context.Context, ref target.Ref) ([]target.PlaceEvent, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []target.PlaceEvent
	env := p.envs[keyOf(ref)]
	if env == nil {
		return nil, nil
	}
	since := time.Now().Add(-keepNotes).Unix()
	for _, n := range env.notes {
		if n.last < since {
			continue
		}
		out = append(out, target.PlaceEvent{
			First: time.Unix(n.first, 0).UTC(), Last: time.Unix(n.last, 0).UTC(), Count: int(n.count), Warning: n.warning, Reason: n.reason,
			Object:    blueberry.ObjectRef{APIVersion: n.apiVersion, Kind: n.kind.kind, Namespace: n.namespace, Name: n.name},
			Component: n.component, Source: n.from, Message: n.message,
		})
	}
	slices.SortStableFunc(out, func(a, b target.PlaceEvent) int { return a.Last.Compare(b.Last) })
	return out, nil
}
