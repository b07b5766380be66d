// Package system tells how the installation is: what runs, and how everything is that it leans on.
//
// It owns the look at all parts at once, its time limit, and who may see it. It does not know any part: how each is asked is given by who wires the server.
//
// Invariant: a part that does not answer holds up neither the others nor the answer.
package system
