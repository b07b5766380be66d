//go:build !faults

package app

import "github.com/blueberry-idp/blueberry/internal/target/sim"

// faultPoint is nothing in a binary that people run; fault tests build with the tag faults.
func faultPoint() func(step string) { return nil }

// anotherHand is nothing, too.
func anotherHand(*sim.Place) {}
