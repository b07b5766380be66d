package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// newBlueprintTest stands in for the command of the full binary, which renders by itself and needs no server.
func newBlueprintTest() *cobra.Command {
	return &cobra.Command{
		Use: "test [DIR | FILE]", Short: "Render a blueprint over its table of cases (full binary)",
		Long:               `Renders a blueprint over the table of cases beside it, and checks its schema, the policies and the golden manifests, without a server. It needs the full binary: the client alone cannot render. There, "blueberry blueprint test --help" tells its flags.`,
		Args:               cobra.ArbitraryArgs,
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true}, // those of the full binary
		RunE: func(*cobra.Command, []string) error {
			return errors.New("blueprint test needs the full binary; this one is the client alone, built without the renderer")
		},
	}
}
