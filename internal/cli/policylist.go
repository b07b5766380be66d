package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type policyListOptions struct {
	*shared
	limitFlags
	project      string
	installation bool
	search       string
}

func newPolicyList(s *shared) *cobra.Command {
	o := &policyListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List policies", Aliases: []string{"ls"},
		Long: `Lists the policies of the installation, which judge every project, and those of the projects.`,
		Example: `  blueberry policy list --project shop
  blueberry policy list --installation`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", "", "only those that judge this project")
	f.BoolVar(&o.installation, "installation", false, "only those of the installation")
	f.StringVar(&o.search, "search", "", "only with this text in the name")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *policyListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListPolicies(ctx, o.project)
	if err != nil {
		return err
	}
	policies := cut(o.shared, o.limitFlags, slices.DeleteFunc(found.Items, func(p sdk.Policy) bool {
		return o.installation && !p.Installation || !strings.Contains(p.Name, o.search)
	}))
	return o.print(result{value: policies, names: each(policies, policyName), table: func(wide bool) table {
		t := table{head: []string{"NAME", "JUDGES", "AUTHOR", "UPDATED"}, empty: "no policies"}
		if wide {
			t.head = []string{"NAME", "JUDGES", "AUTHOR", "CREATED", "UPDATED", "ID"}
		}
		for _, p := range policies {
			judges := "project " + p.Project
			if p.Installation {
				judges = "every project"
			}
			row := []cell{plainCell(policyName(p)), plainCell(judges), plainCell(p.Author)}
			if wide {
				row = append(row, plainCell(exact(p.CreatedAt)), plainCell(exact(p.UpdatedAt)), plainCell(p.ID))
			} else {
				row = append(row, plainCell(relative(o.streams.Now(), p.UpdatedAt)))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// installationScope names, before a policy, that it judges every project.
const installationScope = "installation/"

// policyName names a policy on a command line.
func policyName(p sdk.Policy) string {
	switch {
	case p.Installation:
		return installationScope + p.Name
	case p.Project == defaultProject:
		return p.Name
	}
	return p.Project + "/" + p.Name
}
