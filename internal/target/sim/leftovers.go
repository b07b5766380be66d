package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Leftovers implements target.Holdup. What is gone by now is not in the answer.
func (d Driver) Leftovers(ctx context.Context, _ target.Ref, left []blueberry.ObjectRef) ([]blueberry.Leftover, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []blueberry.Leftover
	for _, ref := range left {
		if o := p.find(ref); o != nil {
			out = append(out, p.leftover(o))
		}
	}
	return out, nil
}

func (p *Place) leftover(o *object) blueberry.Leftover {
	l := blueberry.Leftover{ObjectRef: o.ref()}
	meta, _ := o.live.object()["metadata"].(map[string]any)
	held, _ := meta["finalizers"].([]any)
	for _, f := range held {
		l.Finalizers = append(l.Finalizers, text(f))
	}
	if o.asked != 0 {
		l.Since = time.Unix(o.asked, 0).UTC()
	}
	inside := 0
	if ns := p.namespaces[o.name]; o.kind.is("", "Namespace") && ns != nil {
		inside = len(ns.objects)
	}
	switch {
	case !o.deleting && inside > 0:
		l.Message = fmt.Sprintf("is deleted when the %d objects in it are gone", inside)
	case !o.deleting:
		l.Message = "is there, and its deletion was not asked for yet"
	case inside > 0:
		l.Message = fmt.Sprintf("is being deleted: %d objects in it remain", inside)
		l.Fix = "the namespace goes by itself when what is in it is gone"
	case len(held) > 0:
		l.Message = fmt.Sprintf("waits for the controller that set the finalizer %v", held[0])
		l.Fix = "take the finalizer away if whoever set it is gone for good (warning: what they would have cleaned up stays, so look for it first)"
	default:
		l.Message = "is being deleted; nothing is known to hold it"
	}
	return l
}
