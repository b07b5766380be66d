//go:generate go test . -run TestGolden -update

// Package render turns a blueprint and layers of values into exact manifests: Helm charts and kustomizations in process, the built-in web-service chart,
// the guard rails of every environment, labels, policy on object kinds.
//
// It owns the parsing of blueberry.yaml, of documents of values and of Score files, the merge with the origin of every value, and the rendering. It does not
// read repositories (source), keep anything (store) or talk to a cluster. Charts and kustomizations are strangers' code: they reach neither network nor
// machine, and what they may use is bounded.
//
// Files: blueprint*, values, score* and document read what people write; secrets looks for secrets in it. environment is the operation. layers, share,
// classes and computed put the layers upon one another; charts, webservice and settle coalesce them with the chart's defaults as Helm does; provenance and
// conflicts say where each value comes from, locate where a fault belongs. helm, chartload, engine, functions and schema do what the helm CLI does with a
// chart; limits, guards and salt keep it bounded and repeatable. kustomize* build kustomizations from the tree. manifest and order read and sort objects;
// admit, kinds, labels, guardrails and quota are the rules of an environment. manifests, relabel, diff and version work on what was rendered.
//
// Invariant: same input, same bytes.
package render
