package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoRuleAddOptions struct {
	oneRepository
	rule sdk.BranchRule
	ttl  string
}

func newRepoRuleAdd(s *shared) *cobra.Command {
	o := &repoRuleAddOptions{oneRepository: oneRepository{shared: s}}
	c := o.command(&cobra.Command{
		Use: "add NAME --branch BRANCH --environment ENVIRONMENT", Short: "Give branches environments of their own",
		Long: `Adds a rule behind those that there are; one of the same branch takes the place of the former, where that stood. BRANCH may be a pattern: * stands for anything but a slash, ** for any number of parts. {branch} in ENVIRONMENT stands for the name of the branch, with dashes for what the name of an environment cannot hold; a pattern of several branches takes it.

The environment lives as long as its branch, unless --ttl says how long a lease is. NAME is a name or an id of the repository.`,
		Example: `  blueberry repo rule add acme/shop --branch main --environment staging
  blueberry repo rule add acme/shop --branch 'release/*' --environment 'rel-{branch}' --mode approval --config production
  blueberry repo rule add acme/shop --branch main --environment staging --off`,
	}, o.run)
	f := c.Flags()
	f.StringVar(&o.rule.Branch, "branch", "", "branch, or pattern of branches, as release/*")
	f.StringVar(&o.rule.Environment, "environment", "", "name of the environment; {branch} stands for that of the branch")
	f.StringVar(&o.rule.Mode, "mode", "", "automatic: each push moves it; approval: blueberry branch deploy does; else automatic")
	f.BoolVar(&o.rule.Keep, "keep", false, "the environment also stays when its branch is gone")
	f.BoolVar(&o.rule.Off, "off", false, "nothing moves its environments")
	f.StringVar(&o.ttl, "ttl", "", "length of the leases: 24h, 24 or 7d, from 1 to 168 hours; else as long as the branch is there")
	f.StringVar(&o.rule.Target, "target", "", "place that runs them; else the server's default target")
	f.StringVar(&o.rule.Blueprint, "blueprint", "", "path of the blueprint in the repository; else blueberry.yaml")
	f.StringSliceVar(&o.rule.ConfigSet, "config", nil, "config set above those that the blueprint names; repeatable, the later the higher")
	must(c.RegisterFlagCompletionFunc("branch", cobra.NoFileCompletions))
	must(c.RegisterFlagCompletionFunc("environment", cobra.NoFileCompletions))
	must(c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"automatic", "approval"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	must(c.RegisterFlagCompletionFunc("config", s.completeConfigSets))
	return c
}

func (o *repoRuleAddOptions) run(ctx context.Context, arg string) error {
	rule := o.rule
	var wrong mistakes
	wrong.add(rule.Branch == "", "--branch is needed, as main or release/*")
	wrong.add(rule.Environment == "", "--environment is needed, as staging or rel-{branch}")
	wrong.add(rule.Mode != "" && rule.Mode != "automatic" && rule.Mode != "approval", "--mode is automatic or approval")
	var err error
	if o.ttl != "" {
		rule.Hours, err = parseHours(o.ttl)
	}
	wrong.check(err)
	if err := wrong.err(); err != nil {
		return err
	}
	client, r, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	rules := slices.Clone(r.Rules)
	if i := slices.IndexFunc(rules, func(x sdk.BranchRule) bool { return x.Branch == rule.Branch }); i >= 0 {
		rules[i] = rule
	} else {
		rules = append(rules, rule)
	}
	changed, err := client.ChangeRepository(ctx, r.ID, sdk.ChangeRepositoryRequest{Rules: &rules}, sdk.IfMatch(r.Version))
	if err != nil {
		return err
	}
	return o.print(o.rulesResult(changed))
}
