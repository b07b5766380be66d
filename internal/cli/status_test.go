package cli_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/target/sim"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestStatus: each part is told with its state, and one that is down with what to do.
func TestStatus(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	contains(t, "status", p.must(t, "status"), "PART", "TOOK", "target local  sim", "mail          smtp    off")
	contains(t, "what is said beside it", p.err.String(), "server 0.0.0-test on rooms is up", "migration 1 of 1")
	if got := p.must(t, "status", "-o", "name"); got != "jobs\nmail\ntarget local\n" {
		t.Errorf("status -o name prints %q", got)
	}
	r.Place.SetFaults(sim.Faults{Unreachable: true})
	for down := false; !down; { // what was found is told again for a second
		s := reads[sdk.SystemStatus](t, p, 0, "status")
		down = s.State == "down" && s.Parts[2].Fix == "Look at the cluster."
	}
	usage(t, p, "", "status", "now")
}
