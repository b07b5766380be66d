package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type groupRuleAddOptions struct {
	*shared
	r sdk.CreateGroupRuleRequest
}

func newGroupRuleAdd(s *shared) *cobra.Command {
	o := &groupRuleAddOptions{shared: s}
	c := &cobra.Command{
		Use: "add --provider NAME --group GROUP --role ROLE [--project PROJECT]", Short: "Give a group a role",
		Long: `Gives everyone whom an identity provider names in a group a role: admin, maintainer, developer or viewer in a project, or owner of the installation.`,
		Example: `  blueberry group-rule add --provider google --group platform --project shop --role developer
  blueberry group-rule add --provider github --group acme/owners --role owner`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().StringVar(&o.r.Provider, "provider", "", "name of the identity provider")
	c.Flags().StringVar(&o.r.Group, "group", "", "group, as the provider spells it")
	must(c.RegisterFlagCompletionFunc("provider", s.completeProviders))
	c.Flags().StringVar(&o.r.Role, "role", "", "admin, maintainer, developer or viewer with --project, owner without")
	c.Flags().StringVar(&o.r.Project, "project", "", "where the role counts; else on the installation")
	must(c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"owner", "admin", "maintainer", "developer", "viewer"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *groupRuleAddOptions) run(ctx context.Context) error {
	var wrong mistakes
	wrong.add(o.r.Provider == "", "--provider is needed: the name of an identity provider")
	wrong.add(o.r.Group == "", "--group is needed, as the provider spells it")
	wrong.add(o.r.Role == "", "--role is needed: admin, maintainer, developer or viewer with --project, owner without")
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	r, err := client.CreateGroupRule(ctx, o.r)
	if err != nil {
		return err
	}
	return o.print(said(r, r.ID, "group "+r.Group+" of "+r.Provider+" has role "+r.Role+" "+placeOf(r.Project)))
}

func placeOf(project string) string {
	if project == "" {
		return "on the installation"
	}
	return "in project " + project
}
