// Package hosttest is what every driver of source.Host and source.Speaker is held to: what it takes for signed, what it reads, and what it does with what nobody
// should send; what it sets at its host, how often, and what it says when the host does not do what it is asked.
//
// It owns the cases that all hosts have in common. What a host's deliveries look like is in the driver's own testdata; the host in its own words, over what a Forge
// keeps, is in the driver's tests.
package hosttest
