package sdk

import (
	"context"
	"iter"
	"net/http"
)

// ReportCI says what a pipeline has to say of a commit. Said again it changes nothing. A Problem of status 422 has every fault by field.
func (c *Client) ReportCI(ctx context.Context, r ReportCIRequest, options ...CallOption) (CIReport, error) {
	return fetch[CIReport](ctx, c, post(r, "ci", "reports"), options...)
}

// ListCIReports reads one run of reports without findings and failures, the newest first.
func (c *Client) ListCIReports(ctx context.Context, f CIReportFilter) (CIReportList, error) {
	k := newCall(http.MethodGet, "ci", "reports")
	k.set("project", f.Project)
	k.set("repository", f.Repository)
	k.set("commit", f.Commit)
	k.set("branch", f.Branch)
	k.set("pipeline", f.Pipeline)
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[CIReportList](ctx, c, k)
}

// AllCIReports reads run after run, the newest first. It ends after the first error.
func (c *Client) AllCIReports(ctx context.Context, f CIReportFilter) iter.Seq2[CIReport, error] {
	return pages(f.Before, func(before string) ([]CIReport, string, error) {
		f.Before = before
		run, err := c.ListCIReports(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetCIReport reads one report with all its parts, or gives a Problem of status 404 CI_REPORT_NOT_FOUND.
func (c *Client) GetCIReport(ctx context.Context, id string) (CIReport, error) {
	return fetch[CIReport](ctx, c, newCall(http.MethodGet, "ci", "reports", id))
}

// AddScanException lets a finding pass the gates until a time. A Problem of status 422 has every fault by field. It is not repeated by itself.
func (c *Client) AddScanException(ctx context.Context, r AddScanExceptionRequest, options ...CallOption) (ScanException, error) {
	return fetch[ScanException](ctx, c, single(r, "scan-exceptions"), options...)
}

// ListScanExceptions reads one run of exceptions, the newest first.
func (c *Client) ListScanExceptions(ctx context.Context, f ScanExceptionFilter) (ScanExceptionList, error) {
	k := newCall(http.MethodGet, "scan-exceptions")
	k.set("project", f.Project)
	k.set("repository", f.Repository)
	if f.Live {
		k.set("live", "true")
	}
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[ScanExceptionList](ctx, c, k)
}

// AllScanExceptions reads run after run, the newest first. It ends after the first error.
func (c *Client) AllScanExceptions(ctx context.Context, f ScanExceptionFilter) iter.Seq2[ScanException, error] {
	return pages(f.Before, func(before string) ([]ScanException, string, error) {
		f.Before = before
		run, err := c.ListScanExceptions(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// RemoveScanException ends an exception now, or gives a Problem of status 404 SCAN_EXCEPTION_NOT_FOUND.
func (c *Client) RemoveScanException(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "scan-exceptions", id), options...)
}
