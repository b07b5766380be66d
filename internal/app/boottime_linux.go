package app

import (
	"time"

	"golang.org/x/sys/unix"
)

// evenly counts from any fixed moment, also while the machine sleeps, so that a laptop that wakes has not jumped.
func evenly(start time.Time) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return time.Since(start)
	}
	return time.Duration(t.Nano())
}
