package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type blueprintRenderOptions struct {
	blueprintOptions
	dir string
}

func newBlueprintRender(s *shared) *cobra.Command {
	o := &blueprintRenderOptions{blueprintOptions: blueprintOptions{shared: s}}
	c := &cobra.Command{
		Use: "render [DIR | FILE]", Short: "Print the manifests of a blueprint",
		Long: `Prints the manifests that an environment of a blueprint would be made of. The blueprint and what it is rendered with are given as to validate. Nothing is stored.`,
		Example: `  blueberry blueprint render --name pr-42 --dir out
  blueberry blueprint render --from shop@3 --config shop --set backend.replicas=2`,
		Args: atMost(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	o.flags(c)
	c.Flags().StringVar(&o.dir, "dir", "", "write the files into this directory instead")
	must(c.MarkFlagDirname("dir"))
	return c
}

func (o *blueprintRenderOptions) run(ctx context.Context, args []string) error {
	r, err := o.request(args)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	rendered, err := client.RenderBlueprint(ctx, r)
	if err != nil {
		return err
	}
	o.warn(rendered.Warnings)
	return o.printFiles(rendered, rendered.Files, o.dir)
}
