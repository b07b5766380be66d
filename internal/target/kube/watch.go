package kube

import (
	"context"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/target"
)

// Watch implements target.Driver.
func (d *Driver) Watch(ctx context.Context, changed func(target.Ref)) error {
	p := &target.Pacer{}
	d.cache.listen(p)
	defer d.cache.unlisten(p)
	d.begin()
	d.cache.greet(p)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.cache.repeat(ctx, p) })
	p.Run(ctx, func(ref target.Ref) {
		d.cache.noteTold(ref)
		changed(ref)
	})
	return nil
}

func (c *cache) listen(p *target.Pacer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers[p] = true
}

func (c *cache) unlisten(p *target.Pacer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.watchers, p)
}

// greet tells a watcher that begins while the place is in view already; else inView will.
func (c *cache) greet(p *target.Pacer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.awaited) == 0 {
		p.Mark(target.Ref{})
	}
}

// repeat is the backstop: what differs from what was last passed on is told again. It looks at memory only.
func (c *cache) repeat(ctx context.Context, p *target.Pacer) {
	tick := time.NewTicker(backstop)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c.mu.Lock()
		for key, env := range c.envs {
			if env.digest != env.told {
				p.Mark(target.Ref{Project: key.project, Environment: key.environment, Namespace: env.namespace})
			}
		}
		c.mu.Unlock()
	}
}

func (c *cache) noteTold(ref target.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ref == (target.Ref{}) {
		for _, env := range c.envs {
			env.told = env.digest
		}
	} else if env := c.envs[keyOf(ref)]; env != nil {
		env.told = env.digest
	}
}
