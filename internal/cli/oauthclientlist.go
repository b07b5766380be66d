package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type oauthClientListOptions struct {
	*shared
	limitFlags
}

func newOAuthClientList(s *shared) *cobra.Command {
	o := &oauthClientListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List OAuth clients", Aliases: []string{"ls"},
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *oauthClientListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	clients, err := take(o.shared, o.limitFlags, client.AllOAuthClients(ctx, sdk.OAuthClientFilter{Limit: o.page()}))
	if err != nil {
		return err
	}
	return o.print(result{value: clients, names: each(clients, func(x sdk.OAuthClient) string { return x.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "NAME", "PUBLIC", "FLOWS", "DISABLED", "LAST USED"}, empty: "no OAuth clients"}
		if wide {
			t.head = append(t.head, "PROJECTS", "CREATED", "BY", "GRANTS")
		}
		for _, x := range clients {
			row := []cell{plainCell(x.ID), plainCell(x.Name), yesNo(x.Public), {text: list(each(x.Flows, shortFlow), "none")}, yesNo(x.Disabled), plainCell(o.when(x.LastUsedAt, wide))}
			if wide {
				row = append(row, cell{text: list(x.Projects, "all")}, plainCell(exact(x.CreatedAt)), plainCell(x.CreatedBy), cell{text: list(x.Grants, "none")})
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// deviceFlow is the name of the device flow on the wire; nobody types it.
const deviceFlow = "urn:ietf:params:oauth:grant-type:device_code"

// shortFlow names a flow as flags do.
func shortFlow(flow string) string {
	if flow == deviceFlow {
		return "device_code"
	}
	return flow
}

// longFlow names a flow as the wire does.
func longFlow(flow string) string {
	if flow == "device_code" {
		return deviceFlow
	}
	return flow
}

// completeOAuthClients gives OAuth clients.
func (s *shared) completeOAuthClients(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListOAuthClients(ctx, sdk.OAuthClientFilter{Limit: 100})
		return each(page.Items, func(x sdk.OAuthClient) cobra.Completion { return cobra.CompletionWithDesc(x.ID, plainText(x.Name)) }), err
	})
}
