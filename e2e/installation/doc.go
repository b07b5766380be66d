// Package installation runs the real binary as an installation of its own: a state directory, a database, a server that is started, killed and started again.
//
// It owns processes it starts and nothing else; the stories and the benchmarks share it.
package installation
