package httpapi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// archives are the routes of what is kept of environments that ended or failed.
type archives struct {
	operations Archives
	now        func() time.Time
	logger     *slog.Logger
}

func (h archives) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-archives", Method: http.MethodGet, Path: "/v1/archives", Tags: []string{tagArchives},
		Summary: "List archives", Description: "What is kept of environments that ended or failed, newest first.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-archive", Method: http.MethodGet, Path: "/v1/archives/{environment_id}", Tags: []string{tagArchives},
		Summary: "Read an archive", Description: "With its files, and the receipt of the removal.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "download-archive-file", Method: http.MethodGet, Path: "/v1/archives/{environment_id}/files/{name}", Tags: []string{tagArchives},
		Summary: "Download a file of an archive", Description: "The name is one part of the path: its slashes are written as `%2F`. A download that breaks off midway is cut, and so no whole answer.",
	}, h.file)
	ok := r.api.OpenAPI().Paths["/v1/archives/{environment_id}/files/{name}"].Get.Responses["200"]
	ok.Content = map[string]*huma.MediaType{}
	for _, kind := range []string{"application/json", jsonLines, "application/yaml", "text/plain", "application/octet-stream"} {
		ok.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "The file, byte for byte"}}
	}
	register(r, huma.Operation{
		OperationID: "undo-archive", Method: http.MethodPost, Path: "/v1/archives/{environment_id}/undo", Tags: []string{tagArchives}, DefaultStatus: http.StatusAccepted,
		Metadata: gathers(),
		Summary:  "Undo a removal",
		Description: "Within 24 hours of the end: makes a new environment with the same revision, from the same inputs, and the same name unless the body says another. " +
			"What it stored is gone. Quota and policies judge it like any other.",
	}, h.undo)
	register(r, huma.Operation{
		OperationID: "abandon-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/abandon", Tags: []string{tagArchives}, DefaultStatus: http.StatusAccepted,
		Summary: "Abandon a removal",
		Description: "For a removal that cannot end because its target is gone for good: its files, its record and its name are freed, and what the target may still hold is named in the " +
			"receipt instead of proven gone. Should the target come back, a scan finds it there.",
	}, h.abandon)
	r.example(http.MethodPost, "/v1/environments/{id}/abandon", sdk.AbandonEnvironmentRequest{Reason: "the cluster was deleted"})
	hours := blueberry.DefaultLeaseHours
	r.example(http.MethodPost, "/v1/archives/{environment_id}/undo", sdk.UndoRequest{Name: "pr-42", TTLHours: &hours})
}

type listArchivesInput struct {
	strict
	IDWindow
	Project     string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	Environment string `query:"environment" maxLength:"64" doc:"Only of environments with this very name" example:"pr-42"`
	State       string `query:"state" enum:"terminated,failed" doc:"Only of environments that are gone, or that failed and are still there" example:"terminated"`
}

func (h archives) list(ctx context.Context, in *listArchivesInput) (*answer[sdk.ArchiveList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.ArchiveQuery{
		Project: in.Project, Environment: in.Environment, State: blueberry.ArchiveState(in.State), Before: in.Before, Limit: limit,
	}
	found, err := h.operations.Archives(ctx, actorOf(ctx), q)
	return answered(found, err, func(found []blueberry.Archive) sdk.ArchiveList {
		now := h.now()
		out := sdk.ArchiveList{Items: list(found, func(a blueberry.Archive) sdk.Archive { return wireArchive(a, now) })}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].EnvironmentID
		}
		return out
	})
}

// ArchiveByID names an archive by its environment.
type ArchiveByID struct {
	strict
	EnvironmentID string `path:"environment_id" doc:"Id of the environment" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h archives) get(ctx context.Context, in *ArchiveByID) (*answer[sdk.Archive], error) {
	a, err := h.operations.Archive(ctx, actorOf(ctx), in.EnvironmentID)
	return answered(a, err, func(a blueberry.Archive) sdk.Archive { return wireWholeArchive(a, h.now()) })
}

type archiveFileInput struct {
	ArchiveByID
	Name string `path:"name" maxLength:"512" doc:"Name of the file in the archive" example:"receipt.json"`
}

// file opens the file before it answers, so that a refusal is still a problem.
func (h archives) file(ctx context.Context, in *archiveFileInput) (*huma.StreamResponse, error) {
	content, size, err := h.operations.ArchiveFile(ctx, actorOf(ctx), in.EnvironmentID, in.Name)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { _ = content.Close() }() // it was read to its end, or is not wanted any more
		r, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", fileType(in.Name))
		w.Header().Set("Content-Disposition", attachment(in.EnvironmentID+"-"+path.Base(in.Name)))
		if size >= 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		}
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return
		}
		n, err := io.Copy(w, content)
		if err == nil && size >= 0 && n != size {
			err = fmt.Errorf("it has %d bytes, not %d", n, size)
		}
		if err != nil {
			if ctx.Err() == nil {
				h.logger.ErrorContext(ctx, "download of an archive broke off", "request_id", exchangeOf(ctx).id, "environment", in.EnvironmentID, "error", err)
			}
			panic(http.ErrAbortHandler) // half a file must not look whole
		}
	}}, nil
}

// fileType is of what a file is, by its name. None of them is shown by a browser as a page.
func fileType(name string) string {
	switch path.Ext(name) {
	case ".json":
		return "application/json"
	case ".ndjson", ".jsonl":
		return jsonLines
	case ".yaml", ".yml":
		return "application/yaml"
	case ".log", ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// attachment has a browser keep an answer as a file. A name that no header can hold is left out.
func attachment(name string) string {
	if d := mime.FormatMediaType("attachment", map[string]string{"filename": name}); d != "" {
		return d
	}
	return "attachment"
}

type abandonInput struct {
	ByID
	OnceHeader
	Body body[sdk.AbandonEnvironmentRequest]
}

func (h archives) abandon(ctx context.Context, in *abandonInput) (*tagged[sdk.Environment], error) {
	return environmentTold(h.operations.Abandon(ctx, actorOf(ctx), in.ID, in.Body.Value.Reason))
}

type undoInput struct {
	ArchiveByID
	OnceHeader
	Body body[sdk.UndoRequest]
}

func (h archives) undo(ctx context.Context, in *undoInput) (*tagged[sdk.Environment], error) {
	b := in.Body.Value
	r := provision.UndoRequest{Name: b.Name, Target: b.Target, Found: in.Body.unknown, Key: in.IdempotencyKey}
	if b.TTLHours != nil {
		if r.Hours = *b.TTLHours; r.Hours == 0 { // for the operation, 0 asks for the usual length
			r.Found.CheckHours("ttl_hours", 0)
		}
	}
	return environmentTold(h.operations.Undo(ctx, actorOf(ctx), in.EnvironmentID, r))
}
