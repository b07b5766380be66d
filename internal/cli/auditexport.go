package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

type auditExportOptions struct {
	*shared
	auditFlags
	file string
}

func newAuditExport(s *shared) *cobra.Command {
	o := &auditExportOptions{shared: s}
	c := &cobra.Command{
		Use: "export [--file FILE]", Short: "Export the audit, so that it can be verified",
		Long: `Writes entries of the audit as JSON lines, oldest first, with what proves them: blueberry audit verify checks the file without a server. Without a filter it is the whole chain.`,
		Example: `  blueberry audit export --file audit.jsonl
  blueberry audit export --project shop --since 2026-01-01 > shop.jsonl`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.auditFlags.flags(c)
	c.Flags().StringVar(&o.file, "file", "", "file to write; else the output")
	must(c.MarkFlagFilename("file", "jsonl"))
	return c
}

func (o *auditExportOptions) run(ctx context.Context) error {
	filter, err := o.filter(o.streams.Now())
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.file == "" {
		return client.ExportAudit(ctx, filter, o.streams.Out)
	}
	half := o.file + ".part" // a file of the name is a whole export
	f, err := os.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("export the audit: %w", err)
	}
	err = client.ExportAudit(ctx, filter, f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(half, o.file)
	}
	if err != nil {
		_ = os.Remove(half) // it is worth nothing
		return err
	}
	return o.print(said(map[string]string{"file": o.file}, o.file, "wrote the audit to "+o.file))
}
