package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	ciCommit  = "9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"
	ciImage   = "ghcr.io/acme/shop-api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	ciJUnit   = `<testsuite name="cart"><testcase classname="cart" name="sorts"/><testcase classname="cart" name="sums"><failure message="3 is not 2"/></testcase></testsuite>`
	ciTrivy   = `{"SchemaVersion": 2, "Results": [{"Target": "image", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1", "PkgName": "openssl", "Severity": "HIGH"}]}]}`
	ciProfile = "mode: set\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 0\n"
)

func ciReport(change ...func(r *sdk.ReportCIRequest)) sdk.ReportCIRequest {
	r := sdk.ReportCIRequest{
		Repository: "acme/shop", Commit: ciCommit, Branch: "sort", Run: sdk.CIRunRequest{ID: "7", Number: 7, Job: "test", Attempt: 1, URL: "https://ci.test/7", StartedAt: "2026-01-31T09:30:00Z"},
		Stages: []sdk.CIStage{{Name: "test", Status: "failed", Seconds: 1.5, URL: "https://ci.test/7/test"}}, Images: map[string]string{"api": ciImage},
		Files: []sdk.CIFile{{Kind: "junit", Name: "a.xml", Content: ciJUnit}, {Content: ciTrivy}, {Kind: "coverage", Content: ciProfile}},
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

// everyCICall is everyCall for what pipelines say. A call that the story gives no ground is refused with the code that it names.
func everyCICall(t *testing.T, api http.Handler, c *sdk.Client) {
	t.Helper()
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	added, err := c.AddRepository(ctx, sdk.AddRepositoryRequest{Name: "acme/ci", Host: "generic", URL: shopRepository, Policy: sdk.PullPolicy{Off: true, Gates: sdk.PullGates{Image: true, ScanMax: "low"}}})
	if err != nil {
		t.Fatal(err)
	}
	pull := got[sdk.Delivery](t)(c.GetDelivery(ctx, deliver(t, api, added, pullBody("acme/ci", 7, ciCommit)).said(t).ID)).PullID
	var report sdk.CIReport
	var exception sdk.ScanException
	for _, call := range []struct {
		operation, code string
		do              func() error
	}{
		{"report-ci", "", func() (err error) {
			report, err = c.ReportCI(ctx, ciReport(func(r *sdk.ReportCIRequest) { r.Repository, r.Project = "acme/ci", "default" }))
			return err
		}},
		{"report-ci", "", func() error {
			again, err := c.ReportCI(ctx, ciReport(func(r *sdk.ReportCIRequest) { r.Repository = added.Repository.ID }))
			if again.ID != report.ID || again.Version != report.Version {
				t.Errorf("again it is %+v", again)
			}
			return err
		}},
		{"report-ci", "REPOSITORY_NOT_FOUND", func() error {
			return second(c.ReportCI(ctx, ciReport(func(r *sdk.ReportCIRequest) { r.Repository = "acme/none" })))
		}},
		{"list-ci-reports", "", func() error {
			found, err := c.ListCIReports(ctx, sdk.CIReportFilter{Project: "default", Repository: added.Repository.ID, Commit: ciCommit, Branch: "sort", Pipeline: "ci", Limit: 1})
			if len(found.Items) != 1 || found.NextBefore != report.ID || found.Items[0].Tests[0].Failures != nil || found.Items[0].Scans[0].Findings != nil {
				t.Errorf("the list is %+v", found)
			}
			return err
		}},
		{"get-ci-report", "", func() error {
			r, err := c.GetCIReport(ctx, report.ID)
			want := sdk.CITests{Job: "test", Suites: 1, Passed: 1, Failed: 1, Failures: []sdk.CIFailure{{Suite: "cart", Name: "cart.sums", Message: "3 is not 2"}}}
			if d := cmp.Diff([]sdk.CITests{want}, r.Tests); d != "" || r.Images["api"] != ciImage || r.Coverage[0].Percent != "75.0" || r.Scans[0].Findings[0].ID != "CVE-2026-1" || r.Stages[0].Seconds != 1.5 || r.Run.Number != 7 {
				t.Errorf("the report is %+v\n%s", r, d)
			}
			return err
		}},
		{"get-ci-report", "CI_REPORT_NOT_FOUND", func() error { return second(c.GetCIReport(ctx, "cir_none")) }},
		{"add-scan-exception", "", func() (err error) {
			exception, err = c.AddScanException(ctx, sdk.AddScanExceptionRequest{Repository: added.Repository.ID, Finding: "CVE-2026-1", Reason: "not reached", Until: time.Now().Add(24 * time.Hour)})
			if !exception.Live || exception.By == "" || exception.Project != "default" {
				t.Errorf("the exception is %+v", exception)
			}
			return err
		}},
		{"get-pull", "", func() error {
			p, err := c.GetPull(ctx, pull)
			if err != nil || p.CI == nil {
				t.Fatalf("the pull request is %+v, %v", p, err)
			}
			if p.CI.Summary != "1 of 2 tests failed, coverage 75.0 %, scan 0 critical 0 high" || len(p.CI.Gates) != 2 || p.CI.Gates[0].State != "open" || p.CI.Gates[1].State != "open" ||
				p.CI.Gates[1].Excepted[0].ExceptionID != exception.ID || p.CI.Reports[0].Stages[0].URL == "" || p.CI.Reports[0].Scans[0].Findings != nil || p.CI.Tests.Failed != 1 || p.CI.Scan.High != 0 {
				t.Errorf("CI says of it %+v", p.CI)
			}
			return err
		}},
		{"list-scan-exceptions", "", func() error {
			found, err := c.ListScanExceptions(ctx, sdk.ScanExceptionFilter{Project: "default", Repository: added.Repository.ID, Live: true, Limit: 1})
			if len(found.Items) != 1 || found.NextBefore != exception.ID {
				t.Errorf("the exceptions are %+v", found)
			}
			return err
		}},
		{"remove-scan-exception", "", func() error { return c.RemoveScanException(ctx, exception.ID) }},
		{"remove-scan-exception", "SCAN_EXCEPTION_NOT_FOUND", func() error { return c.RemoveScanException(ctx, exception.ID) }},
	} {
		err := call.do()
		var p *sdk.Problem
		if call.code == "" && err != nil || call.code != "" && (!errors.As(err, &p) || p.Code != call.code) {
			t.Errorf("%s: %v (%+v), want %q", call.operation, err, p, call.code)
		}
	}
}

// TestAReportThatIsSigned is the door for pipelines without a token.
func TestAReportThatIsSigned(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	added := addShop(t, c, "")
	inbox := strings.TrimPrefix(added.Repository.WebhookURL, roomstest.PublicURL) + "/ci"
	body, err := json.Marshal(ciReport(func(r *sdk.ReportCIRequest) { r.Repository = "" }))
	if err != nil {
		t.Fatal(err)
	}
	good := string(body)
	bad := `{"commit":"main","files":[{"content":"hello"},{"kind":"x","content":""}],"stages":[{"name":"","status":"x"}]}`
	whole := strings.Repeat("x", blueberry.MaxCIBody)
	for _, tc := range []struct {
		reason, path, body string
		header             http.Header
		status             int
		says               string
	}{
		{"nobody signed it", inbox, good, nil, 401, "DELIVERY_REFUSED"},
		{"another secret", inbox, good, roomstest.Sign("not the secret of it", good), 401, "DELIVERY_REFUSED"},
		{"a browser", inbox, good, http.Header{"Accept": {"text/html"}}, 401, "DELIVERY_REFUSED"},
		{"no repository", "/hooks/rep_none/ci", good, roomstest.Sign(added.Secret, good), 404, "REPOSITORY_NOT_FOUND"},
		{"news", inbox, good, roomstest.Sign(added.Secret, good), 202, "accepted"},
		{"every fault", inbox, bad, roomstest.Sign(added.Secret, bad), 422, "VALIDATION_FAILED"},
		{"as large as may be, and no JSON", inbox, whole, roomstest.Sign(added.Secret, whole), 422, "VALIDATION_FAILED"},
		{"a byte more", inbox, whole + "x", roomstest.Sign(added.Secret, whole+"x"), 413, "BODY_TOO_LARGE"},
	} {
		a := send(t, api, tc.path, tc.body, tc.header)
		says := ""
		if a.StatusCode == 202 {
			var v struct{ ID, Verdict, Report string }
			if err := json.Unmarshal([]byte(a.text), &v); err != nil || v.ID == "" || !strings.HasPrefix(v.Report, "cir_") {
				t.Errorf("%s: %s", tc.reason, a.text)
			}
			says = v.Verdict
		} else {
			says = a.problem(t).Code
		}
		if a.StatusCode != tc.status || says != tc.says {
			t.Errorf("%s: %d %s, want %d %s", tc.reason, a.StatusCode, a.text, tc.status, tc.says)
		}
		if tc.reason == "every fault" {
			p := a.problem(t)
			want := []string{"commit pattern", "files[0].content format", "files[1].kind enum", "stages[0].name required", "stages[0].status enum"}
			if diff := cmp.Diff(want, sorted(fieldsOf(&p))); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		}
	}
	if n := len(got[sdk.CIReportList](t)(c.ListCIReports(ctx, sdk.CIReportFilter{})).Items); n != 1 {
		t.Errorf("%d reports are kept", n)
	}
	refused := got[sdk.DeliveryList](t)(c.ListDeliveries(ctx, sdk.DeliveryFilter{Verdict: "refused"})).Items
	if len(refused) != 4 || refused[0].Event != "ci" {
		t.Errorf("refused are %+v", refused)
	}
	signed := *c
	signed.Token = "not sent"
	srv, _ := r.Serve(t)
	at := srv.URL + inbox
	receipt, err := signed.ReportCISigned(ctx, at, added.Secret, ciReport())
	if err != nil || receipt.Verdict != "ignored" && receipt.Verdict != "duplicate" { // within one second it is the same call
		t.Errorf("by the client: %+v, %v", receipt, err)
	}
	var p *sdk.Problem
	if _, err := signed.ReportCISigned(ctx, strings.TrimSuffix(at, "/ci"), "another secret than that", ciReport()); !errors.As(err, &p) || p.Status != 401 {
		t.Errorf("by the client with another secret: %v", err)
	}
}

// TestAReportMayBeLarge: more than other calls, by both doors.
func TestAReportMayBeLarge(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	addShop(t, c, "")
	large := ciReport(func(r *sdk.ReportCIRequest) {
		r.Files = []sdk.CIFile{{Content: `<testsuite name="a"><system-out>` + strings.Repeat("x", 3<<20) + `</system-out><testcase name="b"/></testsuite>`}}
	})
	if report := got[sdk.CIReport](t)(c.ReportCI(t.Context(), large)); report.Tests[0].Passed != 1 {
		t.Errorf("the report is %+v", report)
	}
	if a := ask(t, r.API(t), "POST", "/v1/ci/reports", strings.Repeat(" ", blueberry.MaxCIBody+1)); a.StatusCode != 413 {
		t.Errorf("too much: %d %s", a.StatusCode, a.text)
	}
}

// TestPoliciesTranslate holds that a policy on the wire and one in the record have the same fields by the same names.
func TestPoliciesTranslate(t *testing.T) {
	t.Parallel()
	names := func(v any) string {
		var walk func(t reflect.Type) []string
		walk = func(x reflect.Type) (out []string) {
			for i := range x.NumField() {
				f := x.Field(i)
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if f.Type.Kind() == reflect.Struct {
					for _, inner := range walk(f.Type) {
						out = append(out, name+"."+inner)
					}
					continue
				}
				kind := f.Type.Kind().String()
				if f.Type.Kind() == reflect.Slice {
					kind += " of " + f.Type.Elem().Kind().String()
				}
				out = append(out, name+" "+kind)
			}
			return out
		}
		return strings.Join(slices.Sorted(slices.Values(walk(reflect.TypeOf(v)))), "\n")
	}
	if d := cmp.Diff(names(blueberry.PullPolicy{}), names(sdk.PullPolicy{})); d != "" {
		t.Errorf("in the record (-) and on the wire (+)\n%s", d)
	}
}
