//go:build race

package source_test

// underRace reports whether the race detector runs along, which makes what is long ten times as long.
const underRace = true
