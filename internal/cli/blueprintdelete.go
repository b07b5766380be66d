package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type blueprintDeleteOptions struct {
	*shared
	scopeFlags
	yes bool
}

func newBlueprintDelete(s *shared) *cobra.Command {
	o := &blueprintDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete REF", Short: "Delete a blueprint of the catalogue",
		Long:              `Removes a blueprint of the catalogue with all its versions. While environments are made of it, it is refused, and they are listed. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeBlueprints,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "blueprint")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *blueprintDeleteOptions) run(ctx context.Context, arg string) error {
	ref, err := o.unversioned(arg)
	if err != nil {
		return err
	}
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	entry, err := o.findBlueprint(ctx, client, ref)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("This removes blueprint %s with its %s from the catalogue.", plainText(entryName(entry)), count(entry.Latest, "version"))
	if sure, err := o.agreed(o.yes, what); err != nil || !sure {
		return err
	}
	if err := client.DeleteBlueprint(ctx, entry.ID, sdk.IfMatch(entry.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(entry, entryName(entry)))
}
