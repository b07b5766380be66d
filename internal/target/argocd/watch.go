package argocd

import (
	"context"
	"sync"

	"github.com/blueberry-idp/blueberry/internal/target"
)

// Watch implements target.Driver: it tells of what is on the destination cluster, and of what Argo CD says.
func (d *Driver) Watch(ctx context.Context, changed func(target.Ref)) error {
	p := &target.Pacer{}
	d.apps.listen(p, d.memory.removing)
	defer d.apps.unlisten(p)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var err error
	wg.Go(func() {
		defer cancel()
		err = d.Driver.Watch(ctx, p.Mark)
	})
	p.Run(ctx, changed)
	wg.Wait()
	return err
}

func (a *applications) listen(p *target.Pacer, woken func() []target.Ref) {
	a.begin()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watchers[p], a.woken = true, woken
}

func (a *applications) unlisten(p *target.Pacer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.watchers, p)
}
