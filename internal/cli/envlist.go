package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envListOptions struct {
	*shared
	filter sdk.EnvironmentFilter
	phases []string
	limit  int
	all    bool
}

func newEnvList(s *shared) *cobra.Command {
	o := &envListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List environments", Aliases: []string{"ls"},
		Long: `Lists environments, newest first. Those that are gone are left out unless --phase terminated asks for them.`,
		Example: `  blueberry env list --phase ready,degraded --sort expires_at
  blueberry env list --label team=checkout --label demo
  blueberry env list --owner admin -o name`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.filter.Owner, "owner", "", "only of this owner")
	f.StringVar(&o.filter.Target, "target", "", "only on this target")
	f.StringVar(&o.filter.Restricted, "restricted", "", "yes: only those that are restricted; no: only those that are not")
	f.StringArrayVar(&o.filter.Labels, "label", nil, "only with this label: key=value, or a key alone for any value; repeatable")
	f.StringVar(&o.filter.Search, "search", "", "only with this text in name, owner, repository or labels")
	f.StringSliceVar(&o.phases, "phase", nil, "only in these phases")
	f.StringVar(&o.filter.Sort, "sort", "-created_at", "created_at, updated_at, expires_at, name or phase; descending with a dash before")
	f.IntVar(&o.limit, "limit", 50, "at most so many")
	f.BoolVar(&o.all, "all", false, "as many as there are")
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	must(c.RegisterFlagCompletionFunc("label", s.completeLabels))
	must(c.RegisterFlagCompletionFunc("restricted", cobra.FixedCompletions([]string{"yes", "no"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("phase", cobra.FixedCompletions(phaseWords(), cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions([]string{
		"created_at", "-created_at", "updated_at", "-updated_at",
		"expires_at", "-expires_at", "name", "-name", "phase", "-phase",
	}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func phaseWords() []string {
	return []string{"pending", "provisioning", "ready", "degraded", "updating", "sleeping", "failed", "terminating", "terminated"}
}

// maxPage is the largest page that the server gives.
const maxPage = 500

func (o *envListOptions) run(ctx context.Context) error {
	if o.limit < 1 {
		return usageErrorf("--limit must be at least 1")
	}
	if r := o.filter.Restricted; r != "" && r != "yes" && r != "no" {
		return usageErrorf("--restricted is yes or no")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	for _, p := range o.phases {
		o.filter.Phases = append(o.filter.Phases, sdk.Phase(p))
	}
	o.filter.Limit = maxPage
	if !o.all {
		o.filter.Limit = min(o.limit, maxPage)
	}
	envs := []sdk.Environment{}
	more := false
	for e, err := range client.AllEnvironments(ctx, o.filter) {
		if err != nil {
			return err
		}
		if !o.all && len(envs) == o.limit {
			more = true
			break
		}
		envs = append(envs, e)
	}
	if more {
		defer o.note("there are more: --all lists them")
	}
	names := make([]string, len(envs))
	for i, e := range envs {
		names[i] = refOf(e)
	}
	return o.print(result{value: envs, names: names, table: func(wide bool) table { return environmentTable(o.streams.Now(), wide, envs) }})
}
