// Package ports gives each component of a development cluster a loopback port and remembers it.
//
// It owns one file, name to port. It does not hold the ports: between the choice and the start of the component somebody
// else may take one, which the component then tells.
//
// Invariant: a remembered port that is still free stays, so that a kubeconfig handed out once goes on working.
package ports
