package cli

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/sdk"
)

// waitFlags say whether a command ends when its work is accepted or when it is done.
type waitFlags struct {
	wait    bool
	timeout time.Duration
}

func (w *waitFlags) flags(f *pflag.FlagSet, until string) {
	f.BoolVar(&w.wait, "wait", false, "wait until it is "+until)
	f.DurationVar(&w.timeout, "timeout", 15*time.Minute, "longest wait")
}

// isAt ends the wait for a revision: the target holds it, and it is ready.
func isAt(revision int) func(sdk.Environment) (bool, error) {
	return func(e sdk.Environment) (bool, error) {
		switch e.Phase {
		case sdk.Ready:
			return e.SyncedRevision >= revision, nil
		case sdk.Failed, sdk.Degraded, sdk.Terminating, sdk.Terminated:
			return false, failedError{e}
		}
		return false, nil
	}
}
