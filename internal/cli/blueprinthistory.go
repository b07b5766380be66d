package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type blueprintHistoryOptions struct {
	*shared
	scopeFlags
	limitFlags
}

func newBlueprintHistory(s *shared) *cobra.Command {
	o := &blueprintHistoryOptions{shared: s}
	c := &cobra.Command{
		Use: "history REF", Short: "List the versions of a blueprint of the catalogue",
		Long:              `Lists the versions of a blueprint of the catalogue, newest first: who published each, and why. Versions never change.`,
		Example:           `  blueberry blueprint history shop`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeBlueprints,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "blueprint")
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *blueprintHistoryOptions) run(ctx context.Context, arg string) error {
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
	versions, err := take(o.shared, o.limitFlags, client.AllBlueprintVersions(ctx, entry.ID, sdk.Window{Limit: o.page()}))
	if err != nil {
		return err
	}
	names := each(versions, func(v sdk.CatalogueVersion) string { return refText(entry.Global, entry.Name, v.Number) })
	return o.print(result{value: versions, names: names, table: func(wide bool) table {
		rows := each(versions, func(v sdk.CatalogueVersion) versionRow {
			return versionRow{v.Number, exact(v.CreatedAt), relative(o.streams.Now(), v.CreatedAt), v.Author, v.Message, sourceText(v.Source), v.Digest}
		})
		return versionTable(wide, rows)
	}})
}
