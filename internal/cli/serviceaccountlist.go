package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type serviceAccountListOptions struct {
	*shared
	limitFlags
	project string
}

func newServiceAccountList(s *shared) *cobra.Command {
	o := &serviceAccountListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List the service accounts of a project", Aliases: []string{"ls"},
		Example: `  blueberry service-account list --project shop`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the service account")
	o.limitFlags.flags(c.Flags())
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *serviceAccountListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListServiceAccounts(ctx, o.project)
	if err != nil {
		return err
	}
	accounts := cut(o.shared, o.limitFlags, found.Items)
	return o.print(result{value: accounts, names: each(accounts, serviceAccountName), table: func(wide bool) table {
		t := table{head: []string{"NAME", "ROLE", "DISABLED", "DESCRIPTION"}, empty: "no service accounts"}
		if wide {
			t.head = append(t.head, "CREATED", "BY", "ID")
		}
		for _, a := range accounts {
			row := []cell{plainCell(a.Name), plainCell(a.Role), yesNo(a.Disabled), plainCell(a.Description)}
			if wide {
				row = append(row, plainCell(exact(a.CreatedAt)), plainCell(a.CreatedBy), plainCell(a.ID))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// serviceAccountOf finds the service account that an argument names: PROJECT/NAME, NAME in the project of the flag, or an id.
func (s *shared) serviceAccountOf(ctx context.Context, client *sdk.Client, project, ref string) (sdk.ServiceAccount, error) {
	if strings.HasPrefix(ref, "svc_") {
		return client.GetServiceAccount(ctx, ref)
	}
	if p, name, ok := strings.Cut(ref, "/"); ok {
		project, ref = p, name
	}
	found, err := client.ListServiceAccounts(ctx, project)
	if err != nil {
		return sdk.ServiceAccount{}, err
	}
	for _, a := range found.Items {
		if a.Name == ref {
			return a, nil
		}
	}
	return sdk.ServiceAccount{}, unknownError{fmt.Errorf("there is no service account %s in project %s", ref, project)}
}

func serviceAccountName(a sdk.ServiceAccount) string { return a.Project + "/" + a.Name }

func serviceAccountResult(s *shared, a sdk.ServiceAccount) result {
	return result{value: a, names: []string{serviceAccountName(a)}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("name", serviceAccountName(a))
		f.add("id", a.ID)
		f.add("role", a.Role)
		f.some("description", a.Description)
		f.flag("disabled", a.Disabled)
		f.add("created", s.when(a.CreatedAt, wide)+" by "+a.CreatedBy)
		f.print(w)
	}}
}

// completeServiceAccounts gives the names of the service accounts of the project of --project.
func (s *shared) completeServiceAccounts(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListServiceAccounts(ctx, projectFlag(c))
		return each(page.Items, func(a sdk.ServiceAccount) cobra.Completion { return cobra.CompletionWithDesc(a.Name, a.Role) }), err
	})
}

func projectFlag(c *cobra.Command) string {
	project, _ := c.Flags().GetString("project")
	return first(project, defaultProject)
}
