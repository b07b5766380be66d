package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

// CI are the operations on what pipelines say of commits, and on exceptions.
type CI interface {
	// ReportCI takes over what a pipeline says. The repository is named by id, or by project and name.
	ReportCI(ctx context.Context, actor blueberry.Actor, repository, project, name string, w source.CIWish) (blueberry.CIReport, error)
	// ReceiveCI takes a report that proves itself by its signature.
	ReceiveCI(ctx context.Context, c source.Call) (blueberry.Delivery, blueberry.CIReport, error)
	CIReports(ctx context.Context, actor blueberry.Actor, project string, q blueberry.CIQuery) ([]blueberry.CIReport, error)
	CIReport(ctx context.Context, actor blueberry.Actor, id string) (blueberry.CIReport, error)
	// CIOf tells what CI says of the commit of a pull request, which the actor may read.
	CIOf(ctx context.Context, p blueberry.PullRequest) (source.CIStanding, error)

	AddScanException(ctx context.Context, actor blueberry.Actor, w source.ScanExceptionWish) (blueberry.ScanException, error)
	ScanExceptions(ctx context.Context, actor blueberry.Actor, project string, q blueberry.ScanExceptionQuery) ([]blueberry.ScanException, error)
	RemoveScanException(ctx context.Context, actor blueberry.Actor, id string) error
}

// ciReportRoute is where a report comes in; it may be larger than other calls.
const ciReportRoute = http.MethodPost + " /v1/ci/reports"

// ciReports are the routes of reports.
type ciReports struct {
	operations CI
}

func (h ciReports) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "report-ci", Method: http.MethodPost, Path: "/v1/ci/reports", Tags: []string{tagCI}, DefaultStatus: http.StatusOK, Metadata: gathers(),
		Summary: "Report what CI says of a commit",
		Description: "Reports of one run are merged, part by part; a newer run takes the place of an older one, whichever came first. What comes again changes nothing. " +
			"The body has at most 25 MiB, each file 10. A pipeline without a token sends it, signed, to `POST /hooks/{id}/ci`.",
		MaxBodyBytes: blueberry.MaxCIBody + 1,
	}, h.report)
	r.example(http.MethodPost, "/v1/ci/reports", sdk.ReportCIRequest{
		Repository: "acme/shop", Commit: "9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b", Branch: "sort", Run: sdk.CIRunRequest{ID: "9512345678", Number: 412, Job: "test", Provider: "github"},
		Stages: []sdk.CIStage{{Name: "test", Status: "passed", Seconds: 42.5}},
		Images: map[string]string{"api": "ghcr.io/acme/shop-api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
		Files:  []sdk.CIFile{{Kind: "junit", Name: "junit.xml", Content: `<testsuite name="cart" tests="1"><testcase classname="cart" name="sorts"/></testsuite>`}},
	})
	register(r, huma.Operation{
		OperationID: "list-ci-reports", Method: http.MethodGet, Path: "/v1/ci/reports", Tags: []string{tagCI},
		Summary: "List CI reports", Description: "The newest first: of each pipeline and commit, what the newest run said. Without findings and failures. They are kept for 90 days.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-ci-report", Method: http.MethodGet, Path: "/v1/ci/reports/{id}", Tags: []string{tagCI},
		Summary: "Read a CI report", Description: "With its findings, and with the first tests that failed.",
	}, h.get)
}

type reportCIInput struct {
	strict
	OnceHeader
	Body body[sdk.ReportCIRequest]
}

func (h ciReports) report(ctx context.Context, in *reportCIInput) (*answer[sdk.CIReport], error) {
	b := in.Body.Value
	id, name := b.Repository, ""
	if !strings.HasPrefix(id, blueberry.RepositoryID+"_") {
		id, name = "", b.Repository
	}
	r, err := h.operations.ReportCI(ctx, actorOf(ctx), id, b.Project, name, ciWish(b, in.Body.unknown))
	return answered(r, err, wireCIReport)
}

type listCIReportsInput struct {
	strict
	Project    string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	Repository string `query:"repository" maxLength:"64" doc:"Only of the repository with this id" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Commit     string `query:"commit" maxLength:"64" doc:"Only of the commit with this whole name" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	Branch     string `query:"branch" maxLength:"255" doc:"Only of this branch" example:"main"`
	Pipeline   string `query:"pipeline" maxLength:"100" doc:"Only of this pipeline" example:"ci"`
	Before     string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"cir_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h ciReports) list(ctx context.Context, in *listCIReportsInput) (*answer[sdk.CIReportList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.CIQuery{RepositoryID: in.Repository, Commit: in.Commit, Branch: in.Branch, Pipeline: in.Pipeline, Before: in.Before, Limit: limit}
	found, err := h.operations.CIReports(ctx, actorOf(ctx), in.Project, q)
	return answered(found, err, func(found []blueberry.CIReport) sdk.CIReportList {
		out := sdk.CIReportList{Items: list(found, wireCIReport)}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].ID
		}
		return out
	})
}

// CIReportByID names a report.
type CIReportByID struct {
	strict
	ID string `path:"id" doc:"Id of the report" example:"cir_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h ciReports) get(ctx context.Context, in *CIReportByID) (*answer[sdk.CIReport], error) {
	r, err := h.operations.CIReport(ctx, actorOf(ctx), in.ID)
	return answered(r, err, wireCIReport)
}
