//go:build !faults

package app

// faultPoint is nothing in a binary that people run; fault tests build with the tag faults.
func faultPoint() func(step string) { return nil }
