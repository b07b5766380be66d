// Package hosttest is what every driver of source.Host is held to: what it takes for signed, what it reads, and what it does with what nobody should send.
//
// It owns the cases that all hosts have in common. What a host's deliveries look like is in the driver's own testdata.
package hosttest
