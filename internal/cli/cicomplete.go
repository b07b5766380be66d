package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// completeCIReports gives the ids of reports of CI.
func (s *shared) completeCIReports(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListCIReports(ctx, sdk.CIReportFilter{Limit: 100})
		return each(found.Items, func(x sdk.CIReport) cobra.Completion {
			return cobra.CompletionWithDesc(x.ID, plainText(fmt.Sprintf("%s at %.12s", x.Pipeline, x.Commit)))
		}), err
	})
}

// completeScanExceptions gives the ids of exceptions.
func (s *shared) completeScanExceptions(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListScanExceptions(ctx, sdk.ScanExceptionFilter{Limit: 100})
		return each(found.Items, func(x sdk.ScanException) cobra.Completion {
			return cobra.CompletionWithDesc(x.ID, plainText(x.Finding))
		}), err
	})
}
