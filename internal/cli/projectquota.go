package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectQuotaOptions struct {
	*shared
	environments, pods   int64
	cpu, memory, storage string
	kinds                []string
	unset                []string
	named                func(flag string) bool
}

// limitNames are the limits of a quota.
var limitNames = []string{"environments", "cpu", "memory", "pods", "storage"}

func newProjectQuota(s *shared) *cobra.Command {
	o := &projectQuotaOptions{shared: s}
	c := &cobra.Command{
		Use: "quota NAME", Short: "Set the limits of a project",
		Long: `Sets limits for what the environments of a project may use together, or with --kind those of a kind. Limits that are not named stay as they are; --unset takes limits away. What runs already stays, also above a limit: it only stops growing.`,
		Example: `  blueberry project quota default --environments 20 --cpu 10 --memory 20Gi
  blueberry project quota default --kind preview --environments 10
  blueberry project quota default --unset cpu,memory`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeProjects,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.Int64Var(&o.environments, "environments", 0, "how many environments")
	f.StringVar(&o.cpu, "cpu", "", "requested cores: 10, 0.5 or 1500m")
	f.StringVar(&o.memory, "memory", "", "requested memory: 512Mi or 20Gi")
	f.Int64Var(&o.pods, "pods", 0, "how many pods")
	f.StringVar(&o.storage, "storage", "", "claimed storage: 100Gi")
	f.StringSliceVar(&o.kinds, "kind", nil, "of the environments of a kind alone: preview, ephemeral or standing; repeatable")
	f.StringSliceVar(&o.unset, "unset", nil, "limits to take away: environments, cpu, memory, pods, storage or all")
	must(c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"preview", "ephemeral", "standing"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("unset", cobra.FixedCompletions(append([]string{"all"}, limitNames...), cobra.ShellCompDirectiveNoFileComp)))
	o.named = f.Changed
	return c
}

func (o *projectQuotaOptions) run(ctx context.Context, name string) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.GetProject(ctx, name)
	if err != nil {
		return err
	}
	var options []sdk.CallOption
	if p.Version > 0 { // a project whose quota was never set has no version yet
		options = append(options, sdk.IfMatch(p.Version))
	}
	if p, err = client.SetProjectQuota(ctx, p.Name, o.quota(p.Quota), options...); err != nil {
		return err
	}
	return o.print(o.projectResult(p))
}

func (o *projectQuotaOptions) check() error {
	if len(o.unset) == 0 && !slices.ContainsFunc(limitNames, o.named) {
		return usageErrorf("name a limit, as --environments 20 or --unset cpu")
	}
	for _, name := range o.unset {
		switch {
		case name == "all":
		case !slices.Contains(limitNames, name):
			return usageErrorf("--unset: there is no limit %q", name)
		case o.named(name):
			return usageErrorf("--%s and --unset %s cannot be given together", name, name)
		}
	}
	return nil
}

// quota gives all limits that the project is to have.
func (o *projectQuotaOptions) quota(has sdk.Quota) sdk.Quota {
	if len(o.kinds) == 0 {
		has.Limits = o.limits(has.Limits)
		return has
	}
	has.Kinds = maps.Clone(has.Kinds)
	if has.Kinds == nil {
		has.Kinds = map[string]sdk.Limits{}
	}
	for _, kind := range o.kinds {
		if l := o.limits(has.Kinds[kind]); l == (sdk.Limits{}) {
			delete(has.Kinds, kind)
		} else {
			has.Kinds[kind] = l
		}
	}
	return has
}

func (o *projectQuotaOptions) limits(l sdk.Limits) sdk.Limits {
	alters := func(name string) bool {
		return o.named(name) || slices.Contains(o.unset, name) || slices.Contains(o.unset, "all")
	}
	number := func(name string, limit **int64, value *int64) {
		switch {
		case o.named(name):
			*limit = value
		case alters(name):
			*limit = nil
		}
	}
	number("environments", &l.Environments, &o.environments)
	number("pods", &l.Pods, &o.pods)
	text := func(name string, limit *string, value string) {
		if alters(name) {
			*limit = value // empty when it is not named: then it goes
		}
	}
	text("cpu", &l.CPU, o.cpu)
	text("memory", &l.Memory, o.memory)
	text("storage", &l.Storage, o.storage)
	return l
}
