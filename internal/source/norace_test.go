//go:build !race

package source_test

// underRace reports whether the race detector runs along.
const underRace = false
