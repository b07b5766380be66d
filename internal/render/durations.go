package render

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// durationFunctions are Helm's functions on lengths of time. A value is a duration text, or a number of seconds; what is neither counts as nothing.
func durationFunctions() template.FuncMap {
	per := func(unit time.Duration) func(any) float64 {
		return func(v any) float64 { d, _ := toDuration(v); return float64(d) / float64(unit) }
	}
	whole := func(unit time.Duration) func(any) int64 {
		return func(v any) int64 { d, _ := toDuration(v); return int64(d / unit) }
	}
	return template.FuncMap{
		"mustToDuration":       toDuration,
		"durationSeconds":      func(v any) float64 { d, _ := toDuration(v); return d.Seconds() },
		"durationMinutes":      func(v any) float64 { d, _ := toDuration(v); return d.Minutes() },
		"durationHours":        func(v any) float64 { d, _ := toDuration(v); return d.Hours() },
		"durationDays":         func(v any) float64 { d, _ := toDuration(v); return d.Hours() / 24 },
		"durationWeeks":        func(v any) float64 { return per(time.Hour)(v) / 24 / 7 },
		"durationMilliseconds": whole(time.Millisecond),
		"durationMicroseconds": whole(time.Microsecond),
		"durationNanoseconds":  whole(time.Nanosecond),
		"durationRoundTo":      func(v, to any) time.Duration { return toMultiple(v, to, time.Duration.Round) },
		"durationTruncateTo":   func(v, to any) time.Duration { return toMultiple(v, to, time.Duration.Truncate) },
	}
}

func toMultiple(v, to any, by func(time.Duration, time.Duration) time.Duration) time.Duration {
	d, err := toDuration(v)
	m, err2 := toDuration(to)
	if err != nil || err2 != nil {
		return 0
	}
	return by(d, m)
}

func toDuration(v any) (time.Duration, error) {
	switch v := v.(type) {
	case nil:
		return 0, fmt.Errorf("a duration must be given")
	case time.Duration:
		return v, nil
	case string:
		text := strings.TrimSpace(v)
		if d, err := time.ParseDuration(text); err == nil {
			return d, nil
		}
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration", v)
		}
		return ofSeconds(seconds)
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		if n := r.Int(); n > math.MaxInt64/int64(time.Second) || n < math.MinInt64/int64(time.Second) {
			return 0, fmt.Errorf("%d seconds are too long for a duration", n)
		}
		return time.Duration(r.Int()) * time.Second, nil
	case r.CanUint():
		return ofSeconds(float64(r.Uint()))
	case r.CanFloat():
		return ofSeconds(r.Float())
	}
	return 0, fmt.Errorf("%T is not a duration", v)
}

func ofSeconds(seconds float64) (time.Duration, error) {
	n := seconds * float64(time.Second)
	if math.IsNaN(n) || n >= math.MaxInt64 || n <= math.MinInt64 {
		return 0, fmt.Errorf("%g seconds are not a duration", seconds)
	}
	return time.Duration(n), nil
}
