package cli_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestAbandon: a removal whose target is gone for good ends, after it was said what that means.
func TestAbandon(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	p.create(t, "pr-1")
	usage(t, p, "--reason is needed", "env", "abandon", "pr-1", "--yes")
	p.ends(t, cli.ExitUsage, "env", "abandon", "pr-1", "--reason", "the cluster was deleted") // nobody to ask
	_, said := p.ends(t, cli.ExitRefused, "env", "abandon", "pr-1", "--reason", "the cluster was deleted", "--yes")
	contains(t, "of what lives", said, "only a removal that has begun can be abandoned")

	r.Place.SetFaults(sim.Faults{Unreachable: true})
	p.must(t, "env", "destroy", "pr-1", "--yes")
	p.terminal, p.in = true, "n\n"
	p.ends(t, 0, "env", "abandon", "pr-1", "--reason", "the cluster was deleted")
	contains(t, "question", p.err.String(), "This ends the removal of pr-1, in project default, without a proof: what target local still holds of it stays there")
	p.terminal, p.in = false, ""
	if e := reads[sdk.Environment](t, p, 0, "env", "get", "pr-1"); e.Phase != sdk.Terminating {
		t.Fatalf("%s after it was not agreed to", e.Phase)
	}
	p.must(t, "env", "abandon", "pr-1", "--reason", "the cluster was deleted", "--yes", "--wait")
	contains(t, "receipt", p.must(t, "env", "receipt", "pr-1"), "abandoned", "the cluster was deleted", "blueberry target scan local")
}
