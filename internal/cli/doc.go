//go:generate go test . -run "TestHelpIsWhatTheDocsSay|Pictures|TestEffectiveValues" -update

// Package cli is the command line: what people and scripts type to use a Blueberry server.
//
// It owns commands, flags, what is printed and how, the progress of a wait, and exit codes. It knows the server through sdk alone, and judges
// nothing that the server judges: a refusal is printed as the server gave it, one line for each fault.
//
// Invariant: one command is one file of one shape: options, constructor, run. Results go to the output, everything said on the way goes to
// the error output, so that a pipe gets results alone.
package cli
