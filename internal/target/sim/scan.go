package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// sighting is what a scan tells of one object.
type sighting struct {
	ref   blueberry.ObjectRef
	since time.Time
}

// Scan implements target.Scanner, an environment at a time.
func (d Driver) Scan(ctx context.Context, found func(ref target.Ref, o blueberry.ObjectRef, since time.Time)) error {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	keys := make([]envKey, 0, len(p.envs))
	for key := range p.envs {
		keys = append(keys, key)
	}
	p.mu.Unlock()
	for _, key := range keys {
		seen, err := p.sightings(ctx, key)
		if err != nil {
			return err
		}
		ref := target.Ref{Project: key.project, Environment: key.environment, Namespace: blueberry.Namespace(key.project, key.environment)}
		for _, s := range seen {
			found(ref, s.ref, s.since)
		}
	}
	return nil
}

func (p *Place) sightings(ctx context.Context, key envKey) ([]sighting, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("scan the simulated place: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	env := p.envs[key]
	if err := p.reach(); err != nil || env == nil {
		return nil, err
	}
	var out []sighting
	for _, o := range env.members {
		if key.environment != "" && !p.controlled(o) {
			out = append(out, sighting{o.ref(), time.Unix(o.made, 0).UTC()})
		}
	}
	return out, nil
}

// controlled reports whether a controller of the object is there.
func (p *Place) controlled(o *object) bool {
	if o.ours { // what the driver applies has none
		return false
	}
	meta, _ := o.live.object()["metadata"].(map[string]any)
	for _, owner := range items(meta["ownerReferences"]) {
		ref := blueberry.ObjectRef{APIVersion: text(owner["apiVersion"]), Kind: text(owner["kind"]), Name: text(owner["name"])}
		for _, ref.Namespace = range []string{o.namespace, ""} {
			if owner["controller"] == true && p.find(ref) != nil {
				return true
			}
		}
	}
	return false
}
