package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type certificateRotateCAOptions struct {
	*shared
	yes bool
}

func newCertificateRotateCA(s *shared) *cobra.Command {
	o := &certificateRotateCAOptions{shared: s}
	c := &cobra.Command{
		Use: "rotate-ca", Short: "Make a new authority",
		Long: `Makes a new root that signs certificates from now on. The one before is trusted until the certificates that it signed have ended: give blueberry certificate ca to whoever verifies. It says what it does and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *certificateRotateCAOptions) run(ctx context.Context) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, "This makes a new root, which signs certificates from now on."); err != nil || !sure {
		return err
	}
	if err := client.RotateCertificateAuthority(ctx); err != nil {
		return err
	}
	return o.print(said(map[string]bool{"rotated": true}, "ca", "made a new root; blueberry certificate ca prints what to trust"))
}
