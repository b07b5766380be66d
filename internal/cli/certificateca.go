package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

type certificateCAOptions struct{ *shared }

func newCertificateCA(s *shared) *cobra.Command {
	o := &certificateCAOptions{s}
	return &cobra.Command{
		Use: "ca", Short: "Print the certificates of the authority",
		Long:    `Prints what servers and clients of mTLS trust, as PEM: two certificates while the authority is rotated.`,
		Example: `  blueberry certificate ca > ca.pem`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *certificateCAOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	ca, err := client.GetCertificateAuthority(ctx)
	if err != nil {
		return err
	}
	return o.print(result{value: ca, names: []string{"ca"}, text: func(w io.Writer, _ bool) { fmt.Fprint(w, ca.CertificatesPEM) }})
}
