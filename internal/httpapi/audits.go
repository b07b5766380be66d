package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// jsonLines is what an export is.
const jsonLines = "application/jsonl"

// audits are the routes of the audit.
type audits struct {
	operations AuditReads
	logger     *slog.Logger
}

func (h audits) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-audit-entries", Method: http.MethodGet, Path: "/v1/audit", Tags: []string{tagAudit},
		Summary: "List audit entries", Description: "Who did what, newest first, also what was moved to the archive: of every project whose audit one may read. A page may be short, or empty, and still have a `next_before`: much was searched for it then.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "export-audit", Method: http.MethodGet, Path: "/v1/audit/export", Tags: []string{tagAudit},
		Summary: "Export the audit",
		Description: "JSON lines: every entry from the oldest on as it stands in the chain, or those that the query chooses, with signatures. `blueberry audit verify` proves " +
			"offline that nothing is missing or altered. An export that breaks off midway is cut, and so no whole answer.",
	}, h.export)
	register(r, huma.Operation{
		OperationID: "get-audit-entry", Method: http.MethodGet, Path: "/v1/audit/{id}", Tags: []string{tagAudit},
		Summary: "Get an audit entry", Description: "One action with what it changed, also when it was moved to the archive.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "verify-audit", Method: http.MethodGet, Path: "/v1/audit/verification", Tags: []string{tagAudit},
		Summary: "Verify the audit",
		Description: "The server reads its own export, of the whole chain or of what the query chooses, and proves it as `blueberry audit verify` does: each hash, each link, each signature. " +
			"It finds what was changed, removed or put in place of another by somebody who has the database and not the signing key. Whoever does not trust the server exports, and verifies elsewhere with a key from an earlier export.",
	}, h.verify)
	ok := r.api.OpenAPI().Paths["/v1/audit/export"].Get.Responses["200"]
	ok.Content = map[string]*huma.MediaType{jsonLines: {Schema: &huma.Schema{Type: huma.TypeString, Description: "One JSON object on each line"}}}
}

func wireAuditEntry(e blueberry.AuditEntry) sdk.AuditEntry {
	a, result := e.Actor, e.Result
	if result == "" {
		result = blueberry.AuditSucceeded
	}
	return sdk.AuditEntry{
		ID: e.ID, At: instant(e.At), Action: e.Action, Resource: e.Resource, Project: e.Project, Detail: e.Detail, Before: e.Before, After: e.After,
		Actor: sdk.AuditActor{
			Kind: string(a.Kind), ID: a.ID, Name: a.Name, OnBehalfOf: a.OnBehalfOf, Credential: a.Credential, Emergency: a.Emergency,
		},
		Result: string(result), RequestID: e.Caller.RequestID, Address: e.Caller.Address, UserAgent: e.Caller.UserAgent, Route: e.Caller.Route,
		Seq: e.Seq, Prev: e.Prev, Hash: e.Hash,
	}
}

// AuditSelection says which entries are meant.
type AuditSelection struct {
	Actor    string `query:"actor" maxLength:"254" doc:"Only by this one: id or name" example:"ada@example.com"`
	Action   string `query:"action" maxLength:"100" doc:"Only this, or with a colon at its end all that begins so" example:"environments:"`
	Resource string `query:"resource" maxLength:"254" doc:"Only on this" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project  string `query:"project" maxLength:"64" doc:"Only in this project" example:"shop"`
	Result   string `query:"result" enum:"succeeded,denied,failed" doc:"Only what ended so" example:"denied"`
	Search   string `query:"q" maxLength:"200" doc:"Only with this text in detail, resource or actor" example:"pr-1"`
	Request  string `query:"request" maxLength:"64" doc:"Only what this request did" example:"req_06d5xw7k3c8qf2v9m4n1r0t6ya"`

	From time.Time `query:"from" doc:"Only from this time on" example:"2026-11-01T00:00:00Z"`
	To   time.Time `query:"to" doc:"Only before this time" example:"2026-12-01T00:00:00Z"`
}

func (in AuditSelection) query() blueberry.AuditQuery {
	return blueberry.AuditQuery{
		Actor: in.Actor, Action: in.Action, Resource: in.Resource, Project: in.Project, Result: blueberry.AuditResult(in.Result), Search: in.Search,
		Request: in.Request, From: in.From, To: in.To,
	}
}

type listAuditInput struct {
	strict
	AuditSelection
	IDWindow
}

func (h audits) list(ctx context.Context, in *listAuditInput) (*answer[sdk.AuditList], error) {
	q := in.query()
	q.Before, q.Limit = in.Before, pageSize(in.Limit)
	found, next, err := h.operations.List(ctx, actorOf(ctx), q)
	return answered(found, err, func(found []blueberry.AuditEntry) sdk.AuditList {
		return sdk.AuditList{Items: list(found, wireAuditEntry), NextBefore: next}
	})
}

type auditEntryPath struct {
	strict
	ID string `path:"id" maxLength:"64" doc:"Id of the entry" example:"aud_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h audits) get(ctx context.Context, in *auditEntryPath) (*answer[sdk.AuditEntry], error) {
	e, err := h.operations.Entry(ctx, actorOf(ctx), in.ID)
	return answered(e, err, wireAuditEntry)
}

// verify has an export read while it is written, so nothing of it is kept.
func (h audits) verify(ctx context.Context, in *exportAuditInput) (*answer[sdk.AuditVerification], error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r, w := io.Pipe()
	exported := make(chan error, 1)
	go func() {
		err := h.operations.Export(ctx, actorOf(ctx), in.query(), w)
		w.CloseWithError(err) // nil is the end of the file
		exported <- err
	}()
	report, err := sdk.VerifyAudit(r, sdk.AuditVerifyOptions{})
	r.CloseWithError(errVerified) // the first fault ends the export
	var fault *sdk.AuditFault
	found := errors.As(err, &fault)
	if failed := <-exported; failed != nil && !errors.Is(failed, errVerified) {
		return nil, failed
	}
	if err != nil && !found {
		return nil, err
	}
	if report.Keys == nil {
		report.Keys = []sdk.AuditKey{}
	}
	return answered(sdk.AuditVerification{Holds: !found, Report: report, Fault: fault}, nil, func(v sdk.AuditVerification) sdk.AuditVerification { return v })
}

// errVerified ends an export of which nothing more needs to be read.
var errVerified = errors.New("the verification has ended")

type exportAuditInput struct {
	strict
	AuditSelection
}

// export answers with the first line, so that a refusal is still a problem. Behind it a failure can only cut the answer.
func (h audits) export(ctx context.Context, in *exportAuditInput) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		begun := &begunWriter{ResponseWriter: w}
		err := h.operations.Export(ctx, actorOf(ctx), in.query(), begun)
		switch {
		case err == nil && !begun.begun:
			_, _ = begun.Write(nil) // nothing to tell: an empty answer of its type
		case err == nil:
		case !begun.begun:
			writeProblem(w, r, refuse(ctx, h.logger, err).Problem)
		default:
			h.logger.ErrorContext(ctx, "export of the audit broke off", "request_id", exchangeOf(ctx).id, "error", err)
			panic(http.ErrAbortHandler) // half an export must not look whole
		}
	}}, nil
}

// begunWriter sets the type of the answer with its first bytes.
type begunWriter struct {
	http.ResponseWriter
	begun bool
}

// Write begins the answer if it has not begun.
func (b *begunWriter) Write(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		b.Header().Set("Content-Type", jsonLines)
		b.Header().Set("Content-Disposition", `attachment; filename="blueberry-audit.jsonl"`)
		b.WriteHeader(http.StatusOK)
	}
	return b.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (b *begunWriter) Unwrap() http.ResponseWriter { return b.ResponseWriter }
