//go:build faults

package app

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// faultPoint ends the process as kill -9 does when the step of BLUEBERRY_FAULT_STEP is reached for the BLUEBERRY_FAULT_NTH time (default 1).
func faultPoint() func(step string) {
	want := os.Getenv("BLUEBERRY_FAULT_STEP")
	nth, err := strconv.ParseInt(os.Getenv("BLUEBERRY_FAULT_NTH"), 10, 64)
	if err != nil {
		nth = 1
	}
	var seen atomic.Int64
	return func(step string) {
		if step == want && seen.Add(1) == nth {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing after the step may happen
		}
	}
}
