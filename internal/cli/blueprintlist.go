package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type blueprintListOptions struct {
	*shared
	limitFlags
	filter sdk.CatalogueFilter
}

func newBlueprintList(s *shared) *cobra.Command {
	o := &blueprintListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List the blueprints of the catalogue", Aliases: []string{"ls"},
		Long:    `Lists the blueprints of the catalogue: those of a project and those that are global, by name.`,
		Example: `  blueberry blueprint list --scope global`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	s.catalogueFlags(c, &o.filter)
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *blueprintListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	entries, err := take(o.shared, o.limitFlags, client.AllBlueprints(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: entries, names: each(entries, entryName), table: func(wide bool) table {
		t := table{head: []string{"NAME", "PROJECT", "LATEST", "UPDATED", "DESCRIPTION"}, empty: "no blueprints"}
		if wide {
			t.head = []string{"NAME", "PROJECT", "LATEST", "CREATED", "UPDATED", "ID", "DESCRIPTION"}
		}
		for _, e := range entries {
			row := []cell{plainCell(entryName(e)), plainCell(e.Project), plainCell(strconv.Itoa(e.Latest))}
			if wide {
				row = append(row, plainCell(exact(e.CreatedAt)), plainCell(exact(e.UpdatedAt)), plainCell(e.ID))
			} else {
				row = append(row, plainCell(relative(o.streams.Now(), e.UpdatedAt)))
			}
			t.rows = append(t.rows, append(row, plainCell(e.Description)))
		}
		return t
	}})
}

// entryName names a blueprint of the catalogue as references do.
func entryName(e sdk.CatalogueEntry) string { return refText(e.Global, e.Name, 0) }
