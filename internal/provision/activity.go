package provision

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Touch notes when environments were last used, by id: a request through the gateway, a shell. An environment in use does not fall asleep for want of it,
// provided that this comes no later than blueberry.IdleMargin after the use.
func (p *Provisioner) Touch(ctx context.Context, at map[string]time.Time) error {
	if len(at) == 0 {
		return nil
	}
	return p.Record.Update(ctx, func(tx Tx) error { return tx.TouchActivity(ctx, at) })
}

// HostEnvironment reads the living environment that has a host, for the gateway; NotFound when there is none.
func (p *Provisioner) HostEnvironment(ctx context.Context, host string) (blueberry.Environment, error) {
	return view(ctx, p, func(tx Tx) (blueberry.Environment, error) { return tx.EnvironmentByHost(ctx, host) })
}

// WakeLedger reads why an environment was awake or asleep: lines before a Seq (0 for the newest), newest first.
func (p *Provisioner) WakeLedger(ctx context.Context, actor blueberry.Actor, id string, before int64, limit int) ([]blueberry.WakeEntry, error) {
	return viewOf(ctx, p, actor, id, func(tx Tx, _ blueberry.Environment) ([]blueberry.WakeEntry, error) {
		return tx.WakeEntries(ctx, id, before, limit)
	})
}
