// Package fleet looks after the targets: the places that hold environments.
//
// It owns the operations on them (register, read, update, check, cordon, drain, remove) and that their kubeconfigs are sealed in the record and given to
// nobody. It does not own what a target can do (engine target and its drivers), which drivers a process has open, or the environments: what a drain has to
// remove is removed by provision.
//
// Invariant: a target that environments live on stays.
package fleet
