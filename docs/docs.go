// Package docs is what is written about Blueberry: the guide, the design, the reference of commands, and their pictures. It is in the binary, so that a server shows what
// holds for its own version. It owns the files and nothing that is done with them.
package docs

import "embed"

// Files are the documents, by their path below this directory.
//
//go:embed guide design cli pictures blueprint.schema.json
var Files embed.FS
