package roomstest

import (
	"context"
	"log/slog"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/system"
)

// system is a server that leans on its jobs and its targets, and on a mail server that nobody set up.
func (r *Rooms) system() *system.System {
	started := time.Now()
	return &system.System{
		Version: "0.0.0-test", Host: "rooms", StartedAt: started, Database: "sqlite", Now: time.Now, Logger: slog.New(slog.DiscardHandler), Jobs: r.queue.Depth,
		Migration: func(context.Context) (int64, int64, error) { return 1, 1, nil },
		Probes: func(context.Context) []system.Probe {
			return []system.Probe{
				{Part: blueberry.Part{Kind: "jobs", Driver: "river", Asked: true}, Look: func(ctx context.Context, _ *blueberry.Part) error {
					_, err := r.queue.Depth(ctx)
					return err
				}},
				{Part: blueberry.Part{Kind: "mail", Driver: "smtp"}, Look: func(_ context.Context, p *blueberry.Part) error {
					p.State, p.Message = blueberry.PartOff, "no mail server is set up"
					return nil
				}},
				{Part: blueberry.Part{Kind: "target", Name: "local", Driver: "sim", Asked: true, Fix: "Look at the cluster."}, Look: func(ctx context.Context, p *blueberry.Part) error {
					t, err := r.Fleet.Target(ctx, blueberry.System(), "local")
					if err == nil && !t.Reachable {
						p.State, p.Message = blueberry.PartDown, t.Message
					}
					return err
				}},
			}
		},
	}
}
