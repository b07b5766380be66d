// Package render turns a blueprint and layers of values into exact manifests: Helm charts and kustomizations in process, the built-in web-service chart,
// the guard rails of every environment, labels, policy on object kinds.
//
// It owns the parsing of blueberry.yaml and the rendering. It does not read repositories (source), keep anything (store) or talk to a cluster.
//
// Invariant: same input, same bytes.
package render
