package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Sync implements target.Driver.
func (d *Driver) Sync(ctx context.Context, want target.Desired) (target.Progress, error) {
	d.begin()
	var progress target.Progress
	waves, err := parse(d.cache.seed, want)
	if err != nil {
		return progress, err
	}
	for i, w := range waves {
		outcomes, err := d.applyWave(ctx, want.Ref, w)
		for _, o := range outcomes {
			if o.created || o.altered {
				progress.Changed = append(progress.Changed, target.Change{ObjectRef: o.ref, Created: o.created})
			}
		}
		if err != nil {
			return progress, err
		}
		if progress.Waiting, progress.Code = waiting(w, outcomes, i == len(waves)-1); progress.Waiting != "" {
			return progress, nil
		}
	}
	var left []blueberry.ObjectRef
	progress.Pruned, left, err = d.prune(ctx, want.Ref, want.Prune)
	if err != nil {
		return progress, err
	}
	if len(left) > 0 {
		progress.Waiting = fmt.Sprintf("%s is being deleted", left[0])
		return progress, nil
	}
	progress.Done = true
	return progress, nil
}

// waiting says what keeps the next wave, or the end, from its turn, with its code.
func waiting(w wave, outcomes []outcome, last bool) (text, code string) {
	for _, o := range outcomes {
		switch o.waiting {
		case "":
			continue
		case unknownKind:
			code = blueberry.CodeKindUnknown
		case namespaceGoing:
			code = blueberry.CodeNamespaceGoing
		}
		return fmt.Sprintf("%s: %s", o.ref, o.waiting), code
	}
	if last {
		return "", ""
	}
	for _, o := range outcomes {
		if o.health != blueberry.HealthCurrent && o.health != blueberry.HealthUnknown {
			return fmt.Sprintf("wave %d waits for %s: %s", w.number, o.ref, o.message), blueberry.CodeWaveWaiting
		}
	}
	return "", ""
}

// outcome is what became of one manifest.
type outcome struct {
	ref     blueberry.ObjectRef
	created bool
	altered bool
	waiting string // why it could not be applied yet
	health  blueberry.Health
	message string
}

// applyWave applies the objects of one wave: first one by one what others live in (namespaces, definitions of kinds), then the rest side by side. It goes
// on past an object that is refused, so that all faults are told at once, but not past a place that does not answer.
func (d *Driver) applyWave(ctx context.Context, ref target.Ref, w wave) ([]outcome, error) {
	outcomes := make([]outcome, len(w.manifests))
	var refused refusals
	one := func(ctx context.Context, i int) error {
		var err error
		outcomes[i], err = d.apply(ctx, ref, w.manifests[i])
		return refused.take(err)
	}
	var rest []int
	for i, m := range w.manifests {
		if !first(m) {
			rest = append(rest, i)
			continue
		}
		if err := one(ctx, i); err != nil {
			return outcomes, err
		}
		if m.ref.Kind == "Namespace" && (outcomes[i].waiting != "" || len(refused.faults) > 0) {
			return outcomes[:i+1], refused.err() // nothing can be put into it
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, i := range rest {
		g.Go(func() error { return one(gctx, i) })
	}
	err := g.Wait()
	if err == nil {
		err = refused.err()
	}
	return outcomes, err
}

// first reports whether an object is applied before the others of its wave.
func first(m manifest) bool {
	return m.ref.Kind == "Namespace" && m.ref.APIVersion == "v1" || m.ref.Kind == "CustomResourceDefinition"
}

// refusals collects the faults of several objects.
type refusals struct {
	mu     sync.Mutex
	kind   blueberry.Kind
	code   string // of all refusals the one that the waterfall has first
	faults []blueberry.Fault
}

// take keeps an error that only concerns one object, and gives back any other.
func (r *refusals) take(err error) error {
	var e *blueberry.Error
	if !errors.As(err, &e) || (e.Kind != blueberry.Invalid && e.Kind != blueberry.Conflict) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kind != blueberry.Conflict { // which someone must settle first
		r.kind = e.Kind
	}
	if r.code == "" || before(e.Code, r.code) {
		r.code = e.Code
	}
	r.faults = append(r.faults, e.Fields...)
	return nil
}

func (r *refusals) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortFunc(r.faults, func(a, b blueberry.Fault) int {
		switch {
		case a.Field < b.Field:
			return -1
		case a.Field > b.Field:
			return 1
		}
		return 0
	})
	e := &blueberry.Error{Kind: r.kind, Code: cmp.Or(r.code, blueberry.CodeTargetRefused), Detail: "the target refuses objects of the environment", Fields: r.faults}
	if r.kind == blueberry.Conflict {
		e.Code, e.Detail = blueberry.CodeObjectTaken, "objects of the environment are there already and belong to someone else"
	}
	return e
}

// prune deletes objects that no revision wants any more, if they still carry our labels, and tells which are proven gone.
func (d *Driver) prune(ctx context.Context, ref target.Ref, old []blueberry.ObjectRef) (gone, left []blueberry.ObjectRef, err error) {
	for _, o := range old {
		there, err := d.deleteOurs(ctx, ref, o)
		if err != nil {
			return gone, left, err
		}
		if there {
			left = append(left, o)
		} else {
			gone = append(gone, o)
		}
	}
	return gone, left, nil
}

// deleteOurs asks for the deletion of an object that carries our labels, and reports whether one of that name that is ours is still there.
func (d *Driver) deleteOurs(ctx context.Context, ref target.Ref, o blueberry.ObjectRef) (there bool, err error) {
	r, known, err := d.resource(ctx, gvkOf(o))
	if err != nil || !known {
		return false, err // a kind that is gone took its objects with it
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := d.metadata.Resource(r.GroupVersionResource).Namespace(o.Namespace)
	live, err := client.Get(ctx, o.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		return false, nil
	case err != nil:
		return true, fault(ctx, "read "+o.String(), err)
	case envOf(live.GetLabels()) != keyOf(ref):
		return false, nil
	case live.GetDeletionTimestamp() == nil:
		if err := client.Delete(ctx, o.Name, deletion(live.GetUID())); err != nil && !gone(err) && !replaced(err) {
			return true, fault(ctx, "delete "+o.String(), err)
		}
	}
	_, err = client.Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil && !gone(err) {
		return true, fault(ctx, "read "+o.String(), err)
	}
	return err == nil, nil
}
