package cli

import (
	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

func newCIException(s *shared) *cobra.Command {
	c := group("exception", "Findings that are let pass for a time", `An exception lets a finding of scans pass the gates of pull requests: by its id, for a reason, until a day. Who made it and until when stands wherever the finding would.`,
		newCIExceptionAdd(s), newCIExceptionList(s), newCIExceptionRemove(s))
	c.Aliases = []string{"exceptions"}
	return c
}

func (s *shared) exceptionTable(list []sdk.ScanException, wide bool) table {
	t := table{head: []string{"ID", "FINDING", "PACKAGE", "FOR", "UNTIL", "BY", "REASON"}, empty: "no exceptions"}
	for _, x := range list {
		until := plainCell(s.when(x.Until, wide))
		if !x.Live {
			until = plainCell("ended " + s.when(x.Until, wide))
		}
		t.rows = append(t.rows, []cell{
			plainCell(x.ID), plainCell(x.Finding), plainCell(dash(x.Package)), plainCell(first(x.Repository, "project "+x.Project)), until, plainCell(x.By), plainCell(x.Reason),
		})
	}
	return t
}
