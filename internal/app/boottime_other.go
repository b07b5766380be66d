//go:build !linux

package app

import "time"

// evenly counts by the runtime's own clock, which nobody sets.
func evenly(start time.Time) time.Duration { return time.Since(start) }
