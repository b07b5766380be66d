package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

// scanExceptions are the routes of exceptions.
type scanExceptions struct {
	operations CI
	now        func() time.Time
}

func (h scanExceptions) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "add-scan-exception", Method: http.MethodPost, Path: "/v1/scan-exceptions", Tags: []string{tagCI}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Let a finding pass for a time", Description: "By its id, with a reason, for 180 days at most. The pull requests that it may concern are looked at anew.",
	}, h.add)
	r.example(http.MethodPost, "/v1/scan-exceptions", sdk.AddScanExceptionRequest{
		Project: "default", Finding: "CVE-2026-1234", Package: "openssl", Reason: "the code that is concerned is not reached", Until: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	})
	register(r, huma.Operation{
		OperationID: "list-scan-exceptions", Method: http.MethodGet, Path: "/v1/scan-exceptions", Tags: []string{tagCI},
		Summary: "List scan exceptions", Description: "The newest first. Those that have ended are listed for 90 days more.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "remove-scan-exception", Method: http.MethodDelete, Path: "/v1/scan-exceptions/{id}", Tags: []string{tagCI}, DefaultStatus: http.StatusNoContent,
		Summary: "End a scan exception", Description: "What runs stays. The next build of a commit with the finding is judged without it.",
	}, h.remove)
}

func (h scanExceptions) wire(x blueberry.ScanException) sdk.ScanException {
	return sdk.ScanException{
		ID: x.ID, Project: x.Project, Repository: x.RepositoryID, Finding: x.Finding, Package: x.Package, Reason: x.Reason, Until: instant(x.Until), By: x.CreatedBy,
		CreatedAt: instant(x.CreatedAt), Live: h.now().Before(x.Until),
	}
}

type addScanExceptionInput struct {
	strict
	OnceHeader
	Body body[sdk.AddScanExceptionRequest]
}

func (h scanExceptions) add(ctx context.Context, in *addScanExceptionInput) (*answer[sdk.ScanException], error) {
	b := in.Body.Value
	x, err := h.operations.AddScanException(ctx, actorOf(ctx), source.ScanExceptionWish{
		Project: b.Project, Repository: b.Repository, Finding: b.Finding, Package: b.Package, Reason: b.Reason, Until: b.Until, Found: in.Body.unknown,
	})
	return answered(x, err, h.wire)
}

type listScanExceptionsInput struct {
	strict
	Project    string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	Repository string `query:"repository" maxLength:"64" doc:"Only those that count for the repository with this id" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Live       bool   `query:"live" doc:"Only those that count now" example:"true"`
	Before     string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"sxc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h scanExceptions) list(ctx context.Context, in *listScanExceptionsInput) (*answer[sdk.ScanExceptionList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.ScanExceptionQuery{RepositoryID: in.Repository, Before: in.Before, Limit: limit}
	if in.Live {
		q.Live = h.now()
	}
	found, err := h.operations.ScanExceptions(ctx, actorOf(ctx), in.Project, q)
	return answered(found, err, func(found []blueberry.ScanException) sdk.ScanExceptionList {
		out := sdk.ScanExceptionList{Items: list(found, h.wire)}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].ID
		}
		return out
	})
}

// ScanExceptionByID names an exception.
type ScanExceptionByID struct {
	strict
	ID string `path:"id" doc:"Id of the exception" example:"sxc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h scanExceptions) remove(ctx context.Context, in *ScanExceptionByID) (*nothing, error) {
	if err := h.operations.RemoveScanException(ctx, actorOf(ctx), in.ID); err != nil {
		return nil, err
	}
	return &nothing{}, nil
}
