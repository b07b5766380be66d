package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type blueprintUsersOptions struct {
	*shared
	scopeFlags
	limitFlags
}

func newBlueprintUsers(s *shared) *cobra.Command {
	o := &blueprintUsersOptions{shared: s}
	c := &cobra.Command{
		Use: "users REF", Short: "List the environments of a blueprint of the catalogue",
		Long:              `Lists the living environments that are made of a blueprint of the catalogue, with the version that each has, and whether newer ones reach it.`,
		Example:           `  blueberry blueprint users shop`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeBlueprints,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "blueprint")
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *blueprintUsersOptions) run(ctx context.Context, arg string) error {
	if err := o.check(); err != nil {
		return err
	}
	ref, err := o.unversioned(arg)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	entry, err := o.findBlueprint(ctx, client, ref)
	if err != nil {
		return err
	}
	found, err := client.ListBlueprintUsers(ctx, entry.ID)
	if err != nil {
		return err
	}
	err = o.print(usersResult(cut(o.shared, o.limitFlags, found.Items)))
	o.noteHidden(found.Hidden)
	return err
}
