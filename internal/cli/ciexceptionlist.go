package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type ciExceptionListOptions struct {
	*shared
	limitFlags
	filter sdk.ScanExceptionFilter
	repo   string
	ended  bool
}

func newCIExceptionList(s *shared) *cobra.Command {
	o := &ciExceptionListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List exceptions that count", Aliases: []string{"ls"}, Args: exactly(0),
		Long: `Lists the exceptions that count now, newest first; with --ended, those of the last 90 days as well that count no longer.`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.repo, "repo", "", "only those that count for this repository: its name in the project, or its id")
	f.BoolVar(&o.ended, "ended", false, "also those that have ended")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("repo", s.completeRepositories))
	return c
}

func (o *ciExceptionListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.filter.Repository, err = repositoryID(ctx, client, o.filter.Project, o.repo); err != nil {
		return err
	}
	o.filter.Live, o.filter.Limit = !o.ended, o.page()
	list, err := take(o.shared, o.limitFlags, client.AllScanExceptions(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: list, names: each(list, func(x sdk.ScanException) string { return x.ID }), table: func(wide bool) table { return o.exceptionTable(list, wide) }})
}
