// Package charts holds the charts that come with Blueberry, as files: web-service is the golden path of a component that is one image.
//
// It owns no logic: internal/render reads the files.
//
// Invariant: what is embedded is what `helm lint charts/web-service` reads.
package charts

import "embed"

// FS holds the directory web-service.
//
//go:embed all:web-service
var FS embed.FS
