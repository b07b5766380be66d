// Package ciformat reads the files that tools of CI write: JUnit XML; Cobertura XML, LCOV and Go cover profiles; the JSON of Trivy and SARIF; checkstyle XML;
// CycloneDX and SPDX in JSON.
//
// It owns which format a file has, which its content says and never its name, and what is taken of it. It owns neither what is kept of several files together
// nor what follows of them.
//
// A file may be anything that somebody sent. Sizes, depths and counts are bounded, entities are never expanded, and whatever text is taken becomes one line
// without control characters, bounded in length, in which secrets of a known form are hidden. What a scan says that it found a secret in is not taken.
//
// Invariant: Read never panics, takes time in proportion to the size of the file, and its error names no content of it.
package ciformat
