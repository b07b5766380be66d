// Package roomstest is the whole house behind the door for tests: the operations on a SQLite record, with their jobs, a Git repository and a simulated
// place. Only what is outside is a stand-in: application repositories, and who may come in.
//
// It owns the wiring of these parts, as internal/app owns that of the product.
//
// Invariant: two tests never share anything.
package roomstest
