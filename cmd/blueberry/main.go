// Command blueberry is the platform and its client in one binary: server and dev run it, everything else asks it.
//
// Built with -tags slim it is the client alone: small and quick to start, for CI images and laptops.
package main

import (
	"context"
	"os"

	"github.com/blueberry-idp/blueberry/internal/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	streams := cli.System()
	os.Exit(cli.Execute(context.Background(), cli.NewRoot(streams, version, serverCommands(version)...), streams))
}
