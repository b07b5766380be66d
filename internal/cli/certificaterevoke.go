package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type certificateRevokeOptions struct {
	*shared
	yes bool
}

func newCertificateRevoke(s *shared) *cobra.Command {
	o := &certificateRevokeOptions{shared: s}
	c := &cobra.Command{
		Use: "revoke SERIAL", Short: "Revoke a certificate",
		Long:              `Has a certificate refused from now on, on every server. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeCertificates,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *certificateRevokeOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This has certificate %s refused from now on.", plainText(arg))); err != nil || !sure {
		return err
	}
	if err := client.RevokeCertificate(ctx, arg); err != nil {
		return err
	}
	return o.print(said(map[string]string{"serial": arg}, arg, "revoked certificate "+arg))
}
