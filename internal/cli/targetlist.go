package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type targetListOptions struct{ *shared }

func newTargetList(s *shared) *cobra.Command {
	o := &targetListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List targets, and whether they can be reached", Aliases: []string{"ls"}, Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *targetListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListTargets(ctx)
	if err != nil {
		return err
	}
	names := make([]string, len(found.Items))
	for i, t := range found.Items {
		names[i] = t.Name
	}
	return o.print(result{value: found.Items, names: names, table: func(bool) table {
		t := table{head: []string{"NAME", "DRIVER", "DOMAIN", "REACHABLE", "WHY NOT"}, empty: "no targets"}
		for _, x := range found.Items {
			reachable := cell{"yes", green}
			if !x.Reachable {
				reachable = cell{"no", red}
			}
			t.rows = append(t.rows, []cell{plainCell(x.Name), plainCell(x.Driver), plainCell(x.Domain), reachable, {text: plainText(x.Message)}})
		}
		return t
	}})
}
