package supervise

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// The first file handed to a child is file 3.
const lifelineFile = 3

// EndWithParent makes this process end when its supervisor does: politely at once, by force after grace. The main function
// of a child calls it before all else. It is an error to call it in a process that no supervisor started.
func EndWithParent(grace time.Duration) error {
	var stat syscall.Stat_t
	if err := syscall.Fstat(lifelineFile, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return errors.New("not started by a supervisor")
	}
	syscall.CloseOnExec(lifelineFile)
	lifeline := os.NewFile(lifelineFile, "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, lifeline) // returns when the last writing end is closed
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(grace)
		os.Exit(1)
	}()
	return nil
}
