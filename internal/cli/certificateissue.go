package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type certificateIssueOptions struct {
	*shared
	request, out string
	days         int
}

func newCertificateIssue(s *shared) *cobra.Command {
	o := &certificateIssueOptions{shared: s}
	c := &cobra.Command{
		Use: "issue NAME", Short: "Issue a certificate to an internal client",
		Long: `Issues a certificate by which an internal client connects by mTLS. With --request it is for a key that the client has made, which is best: the key never leaves it. Else the server makes a key, and the answer is the only one that tells it.

With --out the certificate is written to NAME.pem, and the key to NAME-key.pem, which only you may read; files that are there are not replaced. Without it both go to the output.`,
		Example: `  blueberry certificate issue prometheus --out certificates
  blueberry certificate issue prometheus --request prometheus.csr --days 7 > prometheus.pem`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.request, "request", "", "file with a certificate request (PKCS #10, PEM); - reads the input")
	f.StringVar(&o.out, "out", "", "directory to write to; else the output")
	f.IntVar(&o.days, "days", 0, "how long it counts, up to 90; else 30")
	must(c.MarkFlagDirname("out"))
	return c
}

func (o *certificateIssueOptions) run(ctx context.Context, arg string) error {
	if o.days < 0 || o.days > 90 {
		return usageErrorf("--days is 1 to 90, not %d", o.days)
	}
	r := sdk.IssueCertificateRequest{Name: arg, Days: o.days}
	if o.request != "" {
		data, err := o.read(o.request)
		if err != nil {
			return err
		}
		r.Request = string(data)
	}
	var files []string
	if o.out != "" {
		files = []string{filepath.Join(o.out, filepath.Base(arg)+".pem"), filepath.Join(o.out, filepath.Base(arg)+"-key.pem")}
		for _, file := range files {
			if _, err := os.Stat(file); err == nil {
				return refusedError{fmt.Errorf("%s is there already: move it away, or name another --out", file)} // before a certificate is issued that nobody gets
			}
		}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	made, err := client.IssueCertificate(ctx, r)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := o.write(files, made); err != nil {
			return err
		}
		made.PrivateKeyPEM = ""
	}
	return o.print(result{value: made, names: []string{made.Certificate.Serial}, text: func(w io.Writer, _ bool) {
		if o.out == "" {
			fmt.Fprint(w, made.CertificatePEM, made.PrivateKeyPEM)
			return
		}
		fmt.Fprintln(w, plainText("issued certificate "+made.Certificate.Serial+" to "+made.Certificate.Name+", until "+exact(made.Certificate.NotAfter)+": "+files[0]))
	}})
}

func (o *certificateIssueOptions) write(files []string, made sdk.IssuedCertificate) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("keep the certificate: %w", err)
	}
	for i, text := range []string{made.CertificatePEM, made.PrivateKeyPEM} {
		if text == "" {
			continue
		}
		mode := []os.FileMode{0o644, 0o600}[i]
		f, err := os.OpenFile(files[i], os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return fmt.Errorf("keep the certificate: %w", err)
		}
		_, err = io.WriteString(f, text)
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return fmt.Errorf("keep the certificate: %w", err)
		}
	}
	return nil
}
