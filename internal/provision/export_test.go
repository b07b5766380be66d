package provision

import "context"

// KeepTime is one second of the loop that looks for deadlines.
func (p *Provisioner) KeepTime(ctx context.Context) error { return p.keepTime(ctx) }
