package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/blueberry-idp/blueberry/devcluster/internal/supervise"
)

// group is the programs that run, in the order of their start.
type group struct {
	members []member
}

type member struct {
	cancel context.CancelFunc
	ended  chan error // one value
}

// add starts to keep a program running. Programs do not end with the context of the caller but with stop: the order
// matters, because a controller that outlives its API server waits in vain to say goodbye.
func (g *group) add(p *supervise.Program) *supervise.Program {
	ctx, cancel := context.WithCancel(context.Background())
	m := member{cancel: cancel, ended: make(chan error, 1)}
	go func() { m.ended <- p.Run(ctx) }()
	g.members = append(g.members, m)
	return p
}

// stop ends all programs: first together what leans on the first two, then these, the last first.
func (g *group) stop() error {
	var errs []error
	leaning := g.members[min(2, len(g.members)):]
	for _, m := range leaning {
		m.cancel()
	}
	for _, m := range slices.Backward(g.members) {
		m.cancel()
		errs = append(errs, <-m.ended)
	}
	return errors.Join(errs...)
}

// all runs functions at the same time and joins their errors.
func all(run []func() error) error {
	errs := make([]error, len(run))
	var wg sync.WaitGroup
	for i, f := range run {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
