package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// answerPatience is how long a target may take to say that it is there.
const answerPatience = 3 * time.Second

// TargetState is a target with what is known of it now. Its kubeconfigs are left out.
type TargetState struct {
	blueberry.Target
	Reachable bool
	Message   string           // why not
	Usage     blueberry.Usage  // of the environments that live on it
	Room      blueberry.Demand // what it can hold: what people said, else what it says itself; a zero is not known

	HasKubeconfig     bool   // else it is reached by a file of the server's configuration, or by the server's own service account
	Server            string // that the kubeconfig names; empty without one
	HasArgoKubeconfig bool
	ArgoServer        string
}

// Target reads one, and asks it whether it is there.
func (f *Fleet) Target(ctx context.Context, actor blueberry.Actor, name string) (TargetState, error) {
	var usage blueberry.Usage
	t, err := f.readWith(ctx, actor, name, func(tx Tx) (err error) {
		usage, err = tx.TargetUsage(ctx, name)
		return err
	})
	if err != nil {
		return TargetState{}, err
	}
	return f.state(ctx, actor, t, usage), nil
}

// TargetNames reads all by name, from the record alone. Its kubeconfigs are left out.
func (f *Fleet) TargetNames(ctx context.Context, actor blueberry.Actor) (out []blueberry.Target, err error) {
	if err := actor.CanSomewhere(blueberry.GrantTargetsRead); err != nil {
		return nil, err
	}
	err = f.Record.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Targets(ctx)
		return err
	})
	for i := range out {
		out[i] = withoutSecrets(out[i])
	}
	return out, err
}

// Targets reads all by name, and asks each whether it is there.
func (f *Fleet) Targets(ctx context.Context, actor blueberry.Actor) ([]TargetState, error) {
	if err := actor.CanSomewhere(blueberry.GrantTargetsRead); err != nil {
		return nil, err
	}
	var list []blueberry.Target
	var usage []blueberry.Usage
	err := f.Record.View(ctx, func(tx Tx) (err error) {
		if list, err = tx.Targets(ctx); err != nil {
			return err
		}
		usage = make([]blueberry.Usage, len(list))
		for i, t := range list {
			if usage[i], err = tx.TargetUsage(ctx, t.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]TargetState, len(list))
	var wg sync.WaitGroup
	for i, t := range list {
		wg.Go(func() { out[i] = f.state(ctx, actor, t, usage[i]) })
	}
	wg.Wait()
	return out, nil
}

// read reads a target for an actor who may see it, with its kubeconfigs sealed.
func (f *Fleet) read(ctx context.Context, actor blueberry.Actor, name string) (blueberry.Target, error) {
	return f.readWith(ctx, actor, name, func(Tx) error { return nil })
}

func (f *Fleet) readWith(ctx context.Context, actor blueberry.Actor, name string, also func(tx Tx) error) (t blueberry.Target, err error) {
	if err := actor.CanSomewhere(blueberry.GrantTargetsRead); err != nil {
		return blueberry.Target{}, err
	}
	err = f.Record.View(ctx, func(tx Tx) (err error) {
		if t, err = tx.Target(ctx, name); err != nil {
			return err
		}
		return also(tx)
	})
	return t, err
}

// state asks a target, and leaves out of it what the actor may not see.
func (f *Fleet) state(ctx context.Context, actor blueberry.Actor, t blueberry.Target, usage blueberry.Usage) TargetState {
	s := TargetState{Target: withoutSecrets(t), Usage: usage, HasKubeconfig: len(t.Kubeconfig) > 0, HasArgoKubeconfig: len(t.Argo.Kubeconfig) > 0}
	if actor.Can(blueberry.GrantTargetsWrite) != nil {
		s.KubeconfigFile, s.Argo.KubeconfigFile = "", "" // paths of the server are for who looks after it
	}
	if t.Capacity != nil {
		s.Room = *t.Capacity
	}
	if plain, err := f.Unsealed(t); err == nil {
		s.Server, s.ArgoServer = serverOf(plain.Kubeconfig, plain.Context), serverOf(plain.Argo.Kubeconfig, "")
	}
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	d, done, err := f.ask(ctx, t)
	if err != nil {
		s.Message = f.trouble(ctx, "open the target", err)
		return s
	}
	defer done()
	if err := d.Check(ctx); err != nil {
		s.Message = f.trouble(ctx, "reach the target", err)
		return s
	}
	s.Reachable = true
	if sizer, ok := d.(target.Sizer); ok && t.Capacity == nil {
		s.Room, _ = sizer.Capacity(ctx) // not known, when it does not let us see
	}
	return s
}
