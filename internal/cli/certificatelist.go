package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type certificateListOptions struct{ *shared }

func newCertificateList(s *shared) *cobra.Command {
	o := &certificateListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List the certificates that were issued", Aliases: []string{"ls"},
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *certificateListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListCertificates(ctx)
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(x sdk.Certificate) string { return x.Serial }), table: func(wide bool) table {
		t := table{head: []string{"SERIAL", "NAME", "ENDS", "REVOKED"}, empty: "no certificates"}
		if wide {
			t.head = append(t.head, "BEGINS", "ISSUED BY", "REVOKED BY")
		}
		for _, x := range found.Items {
			row := []cell{plainCell(x.Serial), plainCell(x.Name), plainCell(o.when(x.NotAfter, wide)), plainCell(o.when(x.RevokedAt, wide))}
			if wide {
				row = append(row, plainCell(exact(x.NotBefore)), plainCell(x.IssuedBy), plainCell(x.RevokedBy))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// completeCertificates gives the serial numbers of certificates.
func (s *shared) completeCertificates(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListCertificates(ctx)
		return each(page.Items, func(x sdk.Certificate) cobra.Completion { return cobra.CompletionWithDesc(x.Serial, plainText(x.Name)) }), err
	})
}
