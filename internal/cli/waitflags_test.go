package cli

import (
	"errors"
	"testing"

	"github.com/blueberry-idp/blueberry/sdk"
)

func TestTheWaitForARevision(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason     string
		phase      sdk.Phase
		synced     int
		done, fail bool
	}{
		"there":        {"the target holds it", sdk.Ready, 3, true, false},
		"later":        {"a later one is there: it went by", sdk.Ready, 4, true, false},
		"before":       {"it is ready as it was before", sdk.Ready, 2, false, false},
		"updating":     {"on its way", sdk.Updating, 2, false, false},
		"provisioning": {"it was not made yet when it was changed", sdk.Provisioning, 0, false, false},
		"degraded":     {"it does not get well", sdk.Degraded, 3, false, true},
		"failed":       {"it gave up", sdk.Failed, 2, false, true},
		"terminating":  {"it goes away", sdk.Terminating, 3, false, true},
	} {
		done, err := isAt(3)(sdk.Environment{Phase: tc.phase, SyncedRevision: tc.synced})
		var failed failedError
		if done != tc.done || errors.As(err, &failed) != tc.fail {
			t.Errorf("%s: %s: done is %v, %v", name, tc.reason, done, err)
		}
	}
}
