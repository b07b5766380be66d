package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectGetOptions struct{ *shared }

func newProjectGet(s *shared) *cobra.Command {
	o := &projectGetOptions{s}
	return &cobra.Command{
		Use: "get NAME", Short: "Show a project with its quota",
		Long:              `Shows a project: what its environments use, together and by kind, and the limits of its quota.`,
		Example:           `  blueberry project get default`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeProjects,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *projectGetOptions) run(ctx context.Context, name string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.GetProject(ctx, name)
	if err != nil {
		return err
	}
	return o.print(o.projectResult(p))
}

func (s *shared) projectResult(p sdk.Project) result {
	return result{value: p, names: []string{p.Name}, text: func(w io.Writer, wide bool) {
		fmt.Fprintf(w, "%-13s %s\n", "name", plainText(p.Name))
		if len(p.ClusterKinds) > 0 {
			fmt.Fprintf(w, "%-13s %s\n", "cluster kinds", plainText(strings.Join(p.ClusterKinds, ", ")))
		}
		if wide {
			fmt.Fprintf(w, "%-13s %s\n", "created", exact(p.CreatedAt))
		}
		fmt.Fprintln(w)
		_ = usageTable(p).print(w, s.streams.colours(s.streams.OutTerminal)) // the output may be closed: nobody is there to be told
	}}
}

// usageTable tells what is used and what may be: of all environments, then of each kind that has limits or environments.
func usageTable(p sdk.Project) table {
	t := table{head: []string{"ENVIRONMENTS", "RESOURCE", "USED", "LIMIT"}}
	add := func(of string, u sdk.Usage, l sdk.Limits) {
		for _, r := range resources(u, l) {
			t.rows = append(t.rows, []cell{plainCell(of), plainCell(r.name), plainCell(r.used), plainCell(r.limit)})
		}
	}
	add("all", p.Used, p.Quota.Limits)
	kinds := maps.Clone(p.UsedByKind)
	if kinds == nil {
		kinds = map[string]sdk.Usage{}
	}
	for kind := range p.Quota.Kinds {
		kinds[kind] = p.UsedByKind[kind]
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if l, limited := p.Quota.Kinds[kind]; limited || kinds[kind].Environments > 0 {
			add(kind, kinds[kind], l)
		}
	}
	return t
}
