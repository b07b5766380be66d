package main

import (
	"fmt"
	"slices"
	"time"
)

// quantile of measured times; q in 0..1.
func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(times))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

func spread(times []time.Duration) string {
	return fmt.Sprintf("median %s, most %s", round(quantile(times, .5)), round(slices.Max(times)))
}

func percentiles(times []time.Duration) string {
	return fmt.Sprintf("p50 %s, p95 %s", round(quantile(times, .5)), round(quantile(times, .95)))
}

func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

func most(x []float64) float64 { return slices.Max(x) }
