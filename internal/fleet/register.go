package fleet

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TargetWish is all that a target is to be.
type TargetWish struct {
	Name       string
	Driver     string
	Domain     string
	Region     string // empty for none
	Kubeconfig []byte // of its cluster; empty means the server's own service account
	Context    string // of the kubeconfig; empty for its current one
	Argo       ArgoWish
	Gateway    string            // empty for none
	Capacity   *blueberry.Demand // nil: what the target says itself
	Found      blueberry.Faults  // what was wrong with the request before it came here
}

// ArgoWish is how an Argo CD is to run the environments of a target.
type ArgoWish struct {
	Namespace   string // empty means "argocd"
	Kubeconfig  []byte // empty means that of the target
	Repository  string // empty means the server's own
	Destination string // empty means the cluster that Argo CD runs in
}

// Register adds a target, and tells what it lacks: that keeps nothing from being registered. Every fault is told at once, those of an unusable kubeconfig
// among them.
func (f *Fleet) Register(ctx context.Context, actor blueberry.Actor, w TargetWish) (blueberry.Target, []blueberry.TargetCheck, error) {
	if err := actor.Can(blueberry.GrantTargetsWrite); err != nil {
		return blueberry.Target{}, nil, err
	}
	now := f.Now()
	t := blueberry.Target{
		Name: w.Name, Driver: w.Driver, Domain: w.Domain, Region: w.Region, State: blueberry.TargetActive, Kubeconfig: w.Kubeconfig, Context: w.Context,
		Argo:    blueberry.ArgoSettings{Namespace: w.Argo.Namespace, Kubeconfig: w.Argo.Kubeconfig, Repository: w.Argo.Repository, Destination: w.Argo.Destination},
		Gateway: w.Gateway, Capacity: w.Capacity, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	faults := slices.Clone(w.Found)
	faults.CheckName("name", t.Name, blueberry.MaxTargetName)
	f.check(&faults, t)
	d, err := f.openChecked(ctx, &faults, t)
	if err != nil {
		return blueberry.Target{}, nil, err
	}
	defer d.Close()
	kept, err := f.sealed(t)
	if err != nil {
		return blueberry.Target{}, nil, err
	}
	err = f.Record.Update(ctx, func(tx Tx) error {
		if err := tx.InsertTarget(ctx, kept); err != nil {
			return err
		}
		if t, err = tx.Target(ctx, t.Name); err != nil { // it may continue the versions of one that had the name before
			return err
		}
		return f.tell(ctx, tx, actor, t.Name, fact{
			event: blueberry.TargetRegistered, message: fmt.Sprintf("%s registered target %s with driver %s", actor.Name, t.Name, t.Driver), after: fields(t),
		})
	})
	if err != nil {
		return blueberry.Target{}, nil, err
	}
	return withoutSecrets(t), f.checks(ctx, d), nil
}
