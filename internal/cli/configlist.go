package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configListOptions struct {
	*shared
	limitFlags
	filter sdk.CatalogueFilter
}

func newConfigList(s *shared) *cobra.Command {
	o := &configListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List config sets", Aliases: []string{"ls"},
		Long: `Lists the config sets of a project and those that are global, by name.`,
		Example: `  blueberry config list
  blueberry config list --scope global --search log`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	s.catalogueFlags(c, &o.filter)
	o.limitFlags.flags(c.Flags())
	return c
}

// catalogueFlags say which config sets or blueprints to list.
func (s *shared) catalogueFlags(c *cobra.Command, filter *sdk.CatalogueFilter) {
	f := c.Flags()
	f.StringVar(&filter.Project, "project", "", "of this project; else of the default project")
	f.StringVar(&filter.Scope, "scope", "all", "project, global or all")
	f.StringVar(&filter.Search, "search", "", "only with this text in the name")
	must(c.RegisterFlagCompletionFunc("scope", cobra.FixedCompletions([]string{"project", "global", "all"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
}

func (o *configListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	sets, err := take(o.shared, o.limitFlags, client.AllConfigSets(ctx, o.filter))
	if err != nil {
		return err
	}
	names := each(sets, setName)
	return o.print(result{value: sets, names: names, table: func(wide bool) table {
		t := table{head: []string{"NAME", "PROJECT", "LATEST", "UPDATED"}, empty: "no config sets"}
		if wide {
			t.head = []string{"NAME", "PROJECT", "LATEST", "CREATED", "UPDATED", "ID"}
		}
		for _, x := range sets {
			row := []cell{plainCell(setName(x)), plainCell(x.Project), plainCell(strconv.Itoa(x.Latest))}
			if wide {
				row = append(row, plainCell(exact(x.CreatedAt)), plainCell(exact(x.UpdatedAt)), plainCell(x.ID))
			} else {
				row = append(row, plainCell(relative(o.streams.Now(), x.UpdatedAt)))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// setName names a config set as references do.
func setName(s sdk.ConfigSet) string { return refText(s.Global, s.Name, 0) }
