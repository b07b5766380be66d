package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type keyRotateOptions struct {
	*shared
	yes bool
}

func newKeyRotate(s *shared) *cobra.Command {
	o := &keyRotateOptions{shared: s}
	c := &cobra.Command{
		Use: "rotate", Short: "Make a new key, and encrypt anew what those before hold",
		Long: `Makes a new key for the secrets in the record. A job encrypts anew what the keys before hold, while everything goes on; keys that hold nothing any more go. Back the file of the keys up afterwards: without it the secrets are lost. It says what it does and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *keyRotateOptions) run(ctx context.Context) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, "This makes a new key for the secrets in the record, and begins to encrypt them anew. Back up the file of the keys afterwards."); err != nil || !sure {
		return err
	}
	r, err := client.RotateKeys(ctx)
	if err != nil {
		return err
	}
	return o.print(said(r, r.KeyID, "made key "+r.KeyID+"; blueberry job list --kind keys.reencrypt shows how far it is"))
}
