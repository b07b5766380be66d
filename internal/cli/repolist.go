package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoListOptions struct {
	*shared
	limitFlags
	filter sdk.RepositoryFilter
}

func newRepoList(s *shared) *cobra.Command {
	o := &repoListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List repositories whose pull requests bring their environments", Aliases: []string{"ls"}, Args: exactly(0),
		Example: `  blueberry repo list --project shop`,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *repoListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	found, err := take(o.shared, o.limitFlags, client.AllRepositories(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: found, names: each(found, repositoryRef), table: func(wide bool) table {
		t := table{head: []string{"NAME", "PROJECT", "HOST", "ENVIRONMENTS", "LAST DELIVERY", "LAST REFUSED"}, empty: "no repositories"}
		if wide {
			t.head = append(t.head, "ID", "URL", "WEBHOOK")
		}
		for _, x := range found {
			row := []cell{
				plainCell(x.Name), plainCell(x.Project), plainCell(x.Host), plainCell(environmentsText(x.Policy)), plainCell(o.when(x.LastDeliveryAt, wide)),
				plainCell(o.when(x.LastRefusedAt, wide)),
			}
			if wide {
				row = append(row, plainCell(x.ID), plainCell(x.URL), plainCell(x.WebhookURL))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}
