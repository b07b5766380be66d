package fleet

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TargetChange is what is to become of a target. What is nil stays.
type TargetChange struct {
	Driver         *string
	Domain         *string
	Region         *string
	Kubeconfig     *[]byte // empty removes it: the server's own service account is used then
	Context        *string
	Argo           ArgoChange
	Gateway        *string
	Capacity       *blueberry.Demand
	ForgetCapacity bool             // what the target says itself holds again
	Found          blueberry.Faults // what was wrong with the request before it came here
}

// ArgoChange is what is to become of how an Argo CD runs the environments of a target. What is nil stays.
type ArgoChange struct {
	Namespace   *string
	Kubeconfig  *[]byte // empty removes it: that of the target is used then
	Repository  *string
	Destination *string
}

// Update changes a target. Every fault is told at once. Of the target of the server's configuration only region and capacity change: the rest is said anew
// at each start. A driver that simulates and one that does not never take over from each other while environments live there; others do, environment by
// environment.
func (f *Fleet) Update(ctx context.Context, actor blueberry.Actor, name string, c TargetChange, ifVersion int64) (blueberry.Target, error) {
	if err := actor.Can(blueberry.GrantTargetsWrite); err != nil {
		return blueberry.Target{}, err
	}
	var out blueberry.Target
	var err error
	for range writeAttempts {
		if out, err = f.update(ctx, actor, name, c, ifVersion); !versionMoved(err) {
			break
		}
	}
	return out, err
}

func (f *Fleet) update(ctx context.Context, actor blueberry.Actor, name string, c TargetChange, ifVersion int64) (blueberry.Target, error) {
	var kept blueberry.Target
	var usage blueberry.Usage
	err := f.Record.View(ctx, func(tx Tx) (err error) {
		if kept, err = tx.Target(ctx, name); err != nil {
			return err
		}
		usage, err = tx.TargetUsage(ctx, name)
		return err
	})
	if err != nil {
		return blueberry.Target{}, err
	}
	if err := checkVersion(kept, ifVersion); err != nil {
		return blueberry.Target{}, err
	}
	was, err := f.Unsealed(kept)
	if err != nil {
		return blueberry.Target{}, err
	}
	next := c.of(was)
	if err := f.checkChange(ctx, c, was, next, usage); err != nil {
		return blueberry.Target{}, err
	}
	told := fact{event: blueberry.TargetChanged, message: fmt.Sprintf("%s changed target %s", actor.Name, name)}
	if next, err = f.sealedAs(kept, was, next, &told); err != nil {
		return blueberry.Target{}, err
	}
	if len(told.after) == 0 {
		return withoutSecrets(kept), nil
	}
	return f.changeOnce(ctx, actor, name, func(tx Tx, t *blueberry.Target) (fact, error) {
		usage, err := tx.TargetUsage(ctx, name) // nobody adds to it from here on
		if err != nil {
			return fact{}, err
		}
		var faults blueberry.Faults
		checkTurn(&faults, was, next, usage)
		*t = next // of the version that was read: if another writer came first, this begins anew
		return told, faults.Err()
	})
}

// of is what a target becomes.
func (c TargetChange) of(t blueberry.Target) blueberry.Target {
	set := func(to *string, said *string) {
		if said != nil {
			*to = *said
		}
	}
	set(&t.Driver, c.Driver)
	set(&t.Domain, c.Domain)
	set(&t.Region, c.Region)
	set(&t.Context, c.Context)
	set(&t.Argo.Namespace, c.Argo.Namespace)
	set(&t.Argo.Repository, c.Argo.Repository)
	set(&t.Argo.Destination, c.Argo.Destination)
	set(&t.Gateway, c.Gateway)
	if c.Kubeconfig != nil {
		t.Kubeconfig, t.KubeconfigFile = *c.Kubeconfig, ""
	}
	if c.Argo.Kubeconfig != nil {
		t.Argo.Kubeconfig, t.Argo.KubeconfigFile = *c.Argo.Kubeconfig, ""
	}
	switch {
	case c.ForgetCapacity:
		t.Capacity = nil
	case c.Capacity != nil:
		t.Capacity = c.Capacity
	}
	return t
}

// checkChange gives every fault of a change.
func (f *Fleet) checkChange(ctx context.Context, c TargetChange, was, next blueberry.Target, usage blueberry.Usage) error {
	faults := slices.Clone(c.Found)
	said := next // a kubeconfig stays when a target turns to a driver that needs none
	if c.Kubeconfig == nil {
		said.Kubeconfig = nil
	}
	if c.Argo.Kubeconfig == nil {
		said.Argo.Kubeconfig = nil
	}
	f.check(&faults, said)
	f.checkOwn(&faults, was, next)
	checkTurn(&faults, was, next, usage)
	if sameReach(was, next) {
		return faults.Err() // it need not open now: what else it is can change while its cluster or its kubeconfig is in trouble
	}
	d, err := f.openChecked(ctx, &faults, next)
	if d != nil {
		d.Close()
	}
	return err
}

// sameReach reports whether two forms of a target open the same driver.
func sameReach(a, b blueberry.Target) bool {
	return a.Driver == b.Driver && bytes.Equal(a.Kubeconfig, b.Kubeconfig) && a.KubeconfigFile == b.KubeconfigFile && a.Context == b.Context &&
		bytes.Equal(a.Argo.Kubeconfig, b.Argo.Kubeconfig) && a.Argo.KubeconfigFile == b.Argo.KubeconfigFile &&
		a.Argo.Namespace == b.Argo.Namespace && a.Argo.Repository == b.Argo.Repository && a.Argo.Destination == b.Argo.Destination
}

// checkOwn notes what only the server's configuration can change.
func (f *Fleet) checkOwn(faults *blueberry.Faults, was, next blueberry.Target) {
	if !f.own(was) {
		return
	}
	for _, x := range []struct {
		field string
		stays bool
	}{
		{"driver", was.Driver == next.Driver},
		{"domain", was.Domain == next.Domain},
		{"kubeconfig", bytes.Equal(was.Kubeconfig, next.Kubeconfig) && was.KubeconfigFile == next.KubeconfigFile},
		{"context", was.Context == next.Context},
		{"argo.namespace", was.Argo.Namespace == next.Argo.Namespace},
		{"argo.kubeconfig", bytes.Equal(was.Argo.Kubeconfig, next.Argo.Kubeconfig) && was.Argo.KubeconfigFile == next.Argo.KubeconfigFile},
		{"argo.repository", was.Argo.Repository == next.Argo.Repository},
		{"argo.destination", was.Argo.Destination == next.Argo.Destination},
		{"gateway", was.Gateway == next.Gateway},
	} {
		if !x.stays {
			faults.Add(x.field, "configured", "is of the server's configuration, which says it anew at each start: change it there")
		}
	}
}

// checkTurn notes what cannot change while environments live there: between what is simulated and what is not, neither knows what the other has made, and
// an Argo CD that is named no more would not be asked to let go of what it holds. Another credential for the same Argo CD is fine.
func checkTurn(faults *blueberry.Faults, was, next blueberry.Target, usage blueberry.Usage) {
	if was.Driver == "argocd" && usage.Environments > 0 {
		for _, x := range []struct {
			field string
			stays bool
		}{
			{"argo.namespace", was.Argo.Namespace == next.Argo.Namespace},
			{"argo.destination", was.Argo.Destination == next.Argo.Destination},
			{"argo.kubeconfig", len(was.Argo.Kubeconfig) > 0 == (len(next.Argo.Kubeconfig) > 0)},
		} {
			if !x.stays {
				faults.Add(x.field, "in_use", "cannot change while %d environments live on the target: turn its driver to kube first", usage.Environments)
			}
		}
	}
	if (was.Driver == simDriver) != (next.Driver == simDriver) && usage.Environments > 0 {
		faults.Add("driver", "in_use", "cannot turn from %s to %s while %d environments live on the target", was.Driver, next.Driver, usage.Environments)
	}
}

// sealedAs gives the target that is kept, and says what changes. A kubeconfig that is still the same stays as it was sealed.
func (f *Fleet) sealedAs(kept, was, next blueberry.Target, told *fact) (blueberry.Target, error) {
	out, err := f.sealed(next)
	if err != nil {
		return blueberry.Target{}, err
	}
	told.before, told.after = changed(fields(kept), fields(next))
	for _, x := range []struct {
		field          string
		was, next      []byte
		sealed, before *[]byte
	}{
		{"kubeconfig_replaced", was.Kubeconfig, next.Kubeconfig, &out.Kubeconfig, &kept.Kubeconfig},
		{"argo_kubeconfig_replaced", was.Argo.Kubeconfig, next.Argo.Kubeconfig, &out.Argo.Kubeconfig, &kept.Argo.Kubeconfig},
	} {
		switch {
		case bytes.Equal(x.was, x.next):
			*x.sealed = *x.before
		case len(x.was) > 0 && len(x.next) > 0:
			told.after[x.field] = true
		}
	}
	return out, nil
}
