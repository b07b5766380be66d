package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type ciExceptionAddOptions struct {
	*shared
	r     sdk.AddScanExceptionRequest
	repo  string
	until string
}

func newCIExceptionAdd(s *shared) *cobra.Command {
	o := &ciExceptionAddOptions{shared: s}
	c := &cobra.Command{
		Use: "add FINDING --reason REASON --until DAY", Short: "Let a finding pass for a time", Args: exactly(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Lets a finding of scans pass the gates, in a repository or in the whole project, until a day that is at most 180 days ahead. Pull requests that it kept are looked at anew. FINDING is the id that the scan gives it, as CVE-2026-1234.`,
		Example: `  blueberry ci exception add CVE-2026-1234 --package openssl --repo acme/shop --until 2026-03-01 --reason 'the code that is concerned is not reached'
  blueberry ci exception add CVE-2026-1234 --until 30d --reason 'no fix yet'`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.r.Package, "package", "", "only in this package")
	f.StringVar(&o.r.Project, "project", "", "project that it counts in; else the default project")
	f.StringVar(&o.repo, "repo", "", "only for this repository: its name in the project, or its id")
	f.StringVar(&o.r.Reason, "reason", "", "why it may pass")
	f.StringVar(&o.until, "until", "", "the last day that it counts, as 2026-03-01, or how long, as 30d")
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("repo", s.completeRepositories))
	return c
}

func (o *ciExceptionAddOptions) run(ctx context.Context, finding string) error {
	r := o.r
	r.Finding = finding
	var wrong mistakes
	wrong.add(r.Reason == "", "--reason is needed")
	wrong.add(o.until == "", "--until is needed, as 2026-03-01 or 30d")
	if o.until != "" {
		var err error
		r.Until, err = o.dayOf(o.until)
		wrong.check(err)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if r.Repository, err = repositoryID(ctx, client, r.Project, o.repo); err != nil {
		return err
	}
	x, err := client.AddScanException(ctx, r)
	if err != nil {
		return err
	}
	o.note("added %s", plainText(x.ID))
	return o.print(result{value: x, names: []string{x.ID}, table: func(wide bool) table { return o.exceptionTable([]sdk.ScanException{x}, wide) }})
}

// dayOf is the end of a day, or of a length of time from now.
func (o *ciExceptionAddOptions) dayOf(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	hours, err := parseHours(text)
	if err != nil {
		return time.Time{}, usageErrorf("%q is neither a day, as 2026-03-01, nor a length of time, as 30d", text)
	}
	return o.streams.Now().Add(time.Duration(hours) * time.Hour).UTC().Truncate(time.Second), nil
}
