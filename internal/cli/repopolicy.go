package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// pullPolicyFlags say which pull requests get an environment, and what kind of one.
type pullPolicyFlags struct {
	policy sdk.PullPolicy
	ttl    string
	named  func(flag string) bool
}

func (p *pullPolicyFlags) flags(c *cobra.Command, s *shared) {
	f := c.Flags()
	f.BoolVar(&p.policy.Off, "off", false, "make no environments; those that are there go when their pull requests are closed")
	f.StringArrayVar(&p.policy.Bases, "base", nil, "only of pull requests to this branch, as main or release/*; repeatable")
	f.StringArrayVar(&p.policy.Labels, "label", nil, "only while one of these labels is on; repeatable")
	f.BoolVar(&p.policy.Drafts, "drafts", false, "also of drafts")
	f.BoolVar(&p.policy.Bots, "bots", false, "also of bots")
	f.BoolVar(&p.policy.Forks, "forks", false, "also from forks, of authors whom the host calls owner, member or collaborator")
	f.BoolVar(&p.policy.Outsiders, "outsiders", false, "also from forks of anybody else: restricted environments, until a maintainer approves a commit; it takes --forks")
	f.IntVar(&p.policy.AtOnce, "at-once", 0, "so many environments at once, the others wait; 0 means 10")
	f.StringVar(&p.ttl, "ttl", "", "length of their leases: 24h, 24 or 7d, from 1 to 168 hours; else the blueprint's own, or 24 hours")
	f.StringVar(&p.policy.Target, "target", "", "place that runs them; else the server's default target")
	f.StringVar(&p.policy.Blueprint, "blueprint", "", "path of the blueprint in the repository; else blueberry.yaml")
	f.StringArrayVar(&p.policy.Paths, "path", nil, "only of pull requests that change such a file, as 'services/shop/**'; repeatable")
	f.StringArrayVar(&p.policy.PathsIgnore, "ignore-path", nil, "such a file does not count as changed, as 'docs/**' or '**/*.md'; repeatable")
	f.StringVar(&p.policy.Prefix, "prefix", "", "of their names, before the number; else pr-")
	f.StringSliceVar(&p.policy.ConfigSet, "config", nil, "config set above those that the blueprint names; repeatable, the later the higher")
	f.BoolVar(&p.policy.NoCommands, "no-commands", false, "do not read comments: nobody asks for anything by /blueberry below a pull request")
	gateFlags(c, &p.policy.Gates)
	p.named = f.Changed
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	must(c.RegisterFlagCompletionFunc("config", s.completeConfigSets))
}

// over gives what a policy is to be: as it is, but for the flags that were named. An empty value takes away what it names.
func (p *pullPolicyFlags) over(was sdk.PullPolicy) (sdk.PullPolicy, error) {
	out, given := was, p.policy
	set := func(flag string, take func()) {
		if p.named(flag) {
			take()
		}
	}
	set("off", func() { out.Off = given.Off })
	set("base", func() { out.Bases = filled(given.Bases) })
	set("label", func() { out.Labels = filled(given.Labels) })
	set("drafts", func() { out.Drafts = given.Drafts })
	set("bots", func() { out.Bots = given.Bots })
	set("forks", func() { out.Forks = given.Forks })
	set("outsiders", func() { out.Outsiders = given.Outsiders })
	set("at-once", func() { out.AtOnce = given.AtOnce })
	set("target", func() { out.Target = given.Target })
	set("blueprint", func() { out.Blueprint = given.Blueprint })
	set("path", func() { out.Paths = filled(given.Paths) })
	set("ignore-path", func() { out.PathsIgnore = filled(given.PathsIgnore) })
	set("prefix", func() { out.Prefix = given.Prefix })
	set("config", func() { out.ConfigSet = filled(given.ConfigSet) })
	set("no-commands", func() { out.NoCommands = given.NoCommands })
	out.Gates = gatesOver(out.Gates, given.Gates, p.named)
	if !p.named("ttl") {
		return out, nil
	}
	var err error
	if out.Hours = 0; p.ttl != "" {
		out.Hours, err = parseHours(p.ttl)
	}
	return out, err
}

// some reports whether a flag of the policy was named.
func (p *pullPolicyFlags) some() bool {
	return slices.ContainsFunc([]string{"off", "base", "label", "drafts", "bots", "forks", "outsiders", "at-once", "ttl", "target", "blueprint", "prefix", "config", "path", "ignore-path", "no-commands"}, p.named) || slices.ContainsFunc(gateFlagNames(), p.named)
}

// filled is a list without what is empty; --base "" takes all of it away.
func filled(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return x == "" })
}
