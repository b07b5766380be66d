package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

type configExportOptions struct {
	*shared
	scopeFlags
	file string
}

func newConfigExport(s *shared) *cobra.Command {
	o := &configExportOptions{shared: s}
	c := &cobra.Command{
		Use: "export NAME[@VERSION] [--file FILE]", Short: "Write a config set to a file",
		Long: "Writes the content of a version of a config set as it was written, byte for byte: to a file, or to the output. To export to a path of a Git repository, write the file into a checkout of it and commit it; `blueberry config import --repo` reads it from there again.",
		Example: `  blueberry config export shop --file shop.yaml
  blueberry config export global/logging@3 > logging.yaml`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	c.Flags().StringVar(&o.file, "file", "", "file to write; else the output")
	must(c.MarkFlagFilename("file", "yaml", "yml", "json"))
	return c
}

func (o *configExportOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	v, err := o.readVersion(ctx, client, arg)
	if err != nil {
		return err
	}
	r := o.versionResult(v)
	if o.file != "" {
		if err := os.WriteFile(o.file, []byte(v.Version.Content), 0o644); err != nil {
			return fmt.Errorf("export %s: %w", v.name(), err)
		}
		o.note("wrote %s to %s", plainText(v.name()), o.file)
		if o.output == "" || o.output == "wide" {
			return nil
		}
	}
	return o.print(r)
}
