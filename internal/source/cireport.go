package source

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source/ciformat"
)

// CIRows are the rows of what pipelines say, and of exceptions.
type CIRows interface {
	// InsertCIReport adds one, at version 1; Conflict with code CI_REPORT_EXISTS while the repository has one of the commit and the pipeline.
	InsertCIReport(ctx context.Context, r blueberry.CIReport) error
	// CIReport reads one with all its parts, or NotFound with code CI_REPORT_NOT_FOUND.
	CIReport(ctx context.Context, id string) (blueberry.CIReport, error)
	// FindCIReport reads that of a pipeline on a commit, or NotFound with code CI_REPORT_NOT_FOUND.
	FindCIReport(ctx context.Context, repositoryID, commit, pipeline string) (blueberry.CIReport, error)
	// CIReports reads one page without findings and failures, the newest first.
	CIReports(ctx context.Context, q blueberry.CIQuery) ([]blueberry.CIReport, error)
	// CIReportsOf gives what every pipeline says of a commit, which may be told by its first 12 digits.
	CIReportsOf(ctx context.Context, repositoryID, commit string) ([]blueberry.CIReport, error)
	// UpdateCIReport writes r if the row's version is still r.Version, else Conflict with code VERSION_MOVED.
	UpdateCIReport(ctx context.Context, r blueberry.CIReport) error
	// PurgeCIReports removes at most limit of those that said their last news before a time.
	PurgeCIReports(ctx context.Context, before time.Time, limit int) (int, error)
	// PullsAt gives the open pull requests of a repository that have a commit.
	PullsAt(ctx context.Context, repositoryID, commit string) ([]blueberry.PullRequest, error)

	// InsertScanException adds one.
	InsertScanException(ctx context.Context, x blueberry.ScanException) error
	// ScanException reads one, or NotFound with code SCAN_EXCEPTION_NOT_FOUND.
	ScanException(ctx context.Context, id string) (blueberry.ScanException, error)
	// ScanExceptions reads one page, the newest first.
	ScanExceptions(ctx context.Context, q blueberry.ScanExceptionQuery) ([]blueberry.ScanException, error)
	// CountScanExceptions counts those of a project that live.
	CountScanExceptions(ctx context.Context, project string, now time.Time) (int, error)
	// DeleteScanException removes one, or NotFound with code SCAN_EXCEPTION_NOT_FOUND.
	DeleteScanException(ctx context.Context, id string) error
	// PurgeScanExceptions removes at most limit of those that ended before a time.
	PurgeScanExceptions(ctx context.Context, before time.Time, limit int) (int, error)
}

// CIWish is a report as a pipeline sends it. It is the body of both doors.
type CIWish struct {
	Commit   string            `json:"commit"`
	Branch   string            `json:"branch"`
	Pipeline string            `json:"pipeline"` // empty means blueberry.DefaultPipeline
	Run      CIRunWish         `json:"run"`
	Stages   []CIStageWish     `json:"stages"`
	Images   map[string]string `json:"images"` // component → reference by digest
	Files    []CIFileWish      `json:"files"`

	Found blueberry.Faults `json:"-"` // what was wrong with the request before it came here
}

// CIRunWish says which run of a pipeline, and which job of it, a report is of.
type CIRunWish struct {
	ID         string `json:"id"`
	Number     int64  `json:"number"`
	Attempt    int64  `json:"attempt"` // of the job; 0 for one that is not tried again within a run
	Job        string `json:"job"`
	URL        string `json:"url"`
	Provider   string `json:"provider"`
	StartedAt  string `json:"started_at"` // RFC 3339; empty when it is not known
	FinishedAt string `json:"finished_at"`
}

// CIStageWish is one stage.
type CIStageWish struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
	URL     string  `json:"url"`
}

// CIFileWish is one file that a tool of CI has written.
type CIFileWish struct {
	Kind     string `json:"kind"`     // of ciformat.Kinds; empty means auto
	Name     string `json:"name"`     // for people
	Content  string `json:"content"`  //
	Encoding string `json:"encoding"` // of Content: empty or "text", or "base64"
}

// ReportCI takes over what a pipeline says of a commit of a repository, which is named by id, or by project and name. Every fault is told at once. What is no
// news changes nothing.
func (s *Repositories) ReportCI(ctx context.Context, actor blueberry.Actor, repository, project, name string, w CIWish) (blueberry.CIReport, error) {
	r, err := s.repositoryNamed(ctx, actor, repository, project, name, blueberry.GrantCIReport, &w.Found)
	if err != nil {
		return blueberry.CIReport{}, err
	}
	report, err := s.readCI(r, w)
	if err != nil {
		return blueberry.CIReport{}, err
	}
	var out blueberry.CIReport
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) (err error) {
			out, _, err = s.keepCI(ctx, tx, actor, r, report)
			return err
		})
	})
	return out, err
}

// repositoryNamed finds a repository by id, or by its name in a project, for an actor who holds the grant on it. What is not named is a fault, which is told with
// the others.
func (s *Repositories) repositoryNamed(ctx context.Context, actor blueberry.Actor, id, project, name string, g blueberry.Grant, faults *blueberry.Faults) (blueberry.Repository, error) {
	if id != "" || name == "" {
		if id == "" {
			faults.Add("repository", "required", "is needed: an id, or a project and a name")
			return blueberry.Repository{}, faults.Err()
		}
		return s.of(ctx, actor, id, g)
	}
	if project == "" {
		project = blueberry.DefaultProject
	}
	if err := actor.CanIn(project, g); err != nil {
		return blueberry.Repository{}, err
	}
	q := blueberry.RepositoryQuery{Projects: []string{project}, Limit: blueberry.MaxPageSize}
	for {
		list, err := view(ctx, s, func(tx Tx) ([]blueberry.Repository, error) { return tx.Repositories(ctx, q) })
		if err != nil {
			return blueberry.Repository{}, err
		}
		for _, r := range list {
			if q.After = r.ID; r.Name == name {
				return r, nil
			}
		}
		if len(list) < blueberry.MaxPageSize {
			return blueberry.Repository{}, blueberry.Errorf(blueberry.NotFound, "REPOSITORY_NOT_FOUND", "there is no repository %q in project %s", name, project)
		}
	}
}

// readCI makes a report of a wish. The error has every fault by field.
func (s *Repositories) readCI(r blueberry.Repository, w CIWish) (blueberry.CIReport, error) {
	now := s.Now()
	faults := slices.Clone(w.Found)
	out := blueberry.CIReport{
		ID: blueberry.NewID(blueberry.CIReportID, now), RepositoryID: r.ID, Project: r.Project, Commit: strings.ToLower(w.Commit), Branch: w.Branch, Pipeline: w.Pipeline,
		Run:       blueberry.CIRun{ID: w.Run.ID, Number: w.Run.Number, URL: w.Run.URL, Provider: w.Run.Provider},
		CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	if out.Pipeline == "" {
		out.Pipeline = blueberry.DefaultPipeline
	}
	if out.Run.ID == "" && out.Run.Number > 0 {
		out.Run.ID = strconv.FormatInt(out.Run.Number, 10)
	}
	out.Run.StartedAt = timeIn(&faults, "run.started_at", w.Run.StartedAt)
	out.Run.FinishedAt = timeIn(&faults, "run.finished_at", w.Run.FinishedAt)
	part := blueberry.CIPart{Job: w.Run.Job, Attempt: w.Run.Attempt}
	if !blueberry.PlainLine(part.Job) || len(part.Job) > blueberry.MaxCIName {
		faults.Add("run.job", "pattern", "must be one line without control characters, of at most %d bytes", blueberry.MaxCIName)
	}
	switch {
	case part.Attempt < 0:
		faults.Add("run.attempt", "range", "is below 0")
	case part.Attempt == 0 && out.Run.ID == "": // nothing tells two apart but when they come
		part.Attempt = now.UnixMicro()
	}
	for _, x := range w.Stages {
		took := time.Duration(-1)
		if x.Seconds >= 0 && x.Seconds < 1e9 {
			took = time.Duration(x.Seconds * float64(time.Second)).Round(time.Millisecond)
		}
		out.Stages = append(out.Stages, blueberry.CIStage{CIPart: part, Name: x.Name, Status: blueberry.CIStatus(x.Status), URL: x.URL, Took: took})
	}
	for _, component := range slices.Sorted(maps.Keys(w.Images)) {
		out.Images = append(out.Images, blueberry.CIImage{CIPart: part, Component: component, Reference: w.Images[component]})
	}
	faults.CheckCIReport(out, now)
	readFiles(&faults, &out, part, w.Files)
	if len(w.Stages)+len(w.Images)+len(w.Files) == 0 {
		faults.Add("", "required", "a report names stages, images or files")
	}
	return out, faults.Err()
}

func timeIn(faults *blueberry.Faults, field, value string) time.Time {
	if value == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		faults.Add(field, "time", "is no time as RFC 3339 writes it")
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond) // as the record keeps it
}

// readFiles adds up what the files say: of one kind, those of a report are of one job.
func readFiles(faults *blueberry.Faults, r *blueberry.CIReport, part blueberry.CIPart, files []CIFileWish) {
	if len(files) > blueberry.MaxCIFiles {
		faults.Add("files", "range", "has %d items, at most %d are allowed", len(files), blueberry.MaxCIFiles)
		return
	}
	size := 0
	for i, f := range files {
		at := fmt.Sprintf("files[%d]", i)
		n := len(*faults)
		kind := ciformat.Kind(f.Kind)
		if kind == "" {
			kind = ciformat.Auto
		}
		if !slices.Contains(ciformat.Kinds(), kind) {
			faults.Add(at+".kind", "enum", "%q is not auto, junit, coverage, scan, lint or sbom", blueberry.PlainText(f.Kind, 50))
		}
		if len(f.Name) > blueberry.MaxCIText || !blueberry.PlainLine(f.Name) {
			faults.Add(at+".name", "pattern", "must be one line without control characters, of at most %d bytes", blueberry.MaxCIText)
		}
		content := []byte(f.Content)
		switch f.Encoding {
		case "", "text":
		case "base64":
			var err error
			if content, err = base64.StdEncoding.DecodeString(f.Content); err != nil {
				faults.Add(at+".content", "encoding", "is no base64")
			}
		default:
			faults.Add(at+".encoding", "enum", "%q is not text or base64", blueberry.PlainText(f.Encoding, 50))
		}
		if size += len(content); size > blueberry.MaxCIBody {
			faults.Add("files", "range", "are larger than %d MiB together", blueberry.MaxCIBody>>20)
			return
		}
		if len(*faults) > n {
			continue
		}
		got, err := ciformat.Read(kind, content)
		var wrong *ciformat.Wrong
		switch {
		case errors.As(err, &wrong):
			text := wrong.Text
			if f.Name != "" {
				text += " (" + blueberry.PlainText(f.Name, 200) + ")"
			}
			faults.Add(at+".content", wrong.Code, "%s", text)
		case err != nil:
			faults.Add(at+".content", "format", "cannot be read")
		default:
			addUp(r, part, got)
		}
	}
	for i := range r.Scans {
		r.Scans[i] = r.Scans[i].Keep(blueberry.MaxCIFindings)
	}
	for i := range r.Lints {
		r.Lints[i] = r.Lints[i].Keep(blueberry.MaxCILints)
	}
}

func addUp(r *blueberry.CIReport, part blueberry.CIPart, got ciformat.Result) {
	switch {
	case got.Tests != nil:
		if len(r.Tests) == 0 {
			r.Tests = []blueberry.CITests{{CIPart: part}}
		}
		t, x := &r.Tests[0], got.Tests
		t.Suites += x.Suites
		t.Passed += x.Passed
		t.Failed += x.Failed
		t.Errors += x.Errors
		t.Skipped += x.Skipped
		t.Took += x.Took
		t.Failures = append(t.Failures, x.Failures[:min(len(x.Failures), blueberry.MaxCIFailures-len(t.Failures))]...)
	case got.Coverage != nil:
		if len(r.Coverage) == 0 {
			r.Coverage = []blueberry.CICoverage{{CIPart: part}}
		}
		r.Coverage[0].Covered += got.Coverage.Covered
		r.Coverage[0].Total += got.Coverage.Total
	case got.SBOM != nil:
		got.SBOM.CIPart = part
		if len(r.SBOMs) > 0 { // of several images: the digest stays that of the first
			got.SBOM.Format, got.SBOM.Digest = r.SBOMs[0].Format, r.SBOMs[0].Digest
			got.SBOM.Components += r.SBOMs[0].Components
		}
		r.SBOMs = []blueberry.CISBOM{*got.SBOM}
	case got.Scan != nil:
		r.Scans = addScan(r.Scans, part, *got.Scan)
	case got.Lint != nil:
		r.Lints = addScan(r.Lints, part, *got.Lint)
	}
}

func addScan(list []blueberry.CIScan, part blueberry.CIPart, x blueberry.CIScan) []blueberry.CIScan {
	if len(list) == 0 {
		list = []blueberry.CIScan{{CIPart: part, Tool: x.Tool}}
	}
	s := &list[0]
	if !strings.Contains(s.Tool, x.Tool) && len(s.Tool)+len(x.Tool) < blueberry.MaxCIName {
		s.Tool += ", " + x.Tool
	}
	s.Counts = s.Counts.Plus(x.Counts)
	if s.Findings = append(s.Findings, x.Findings...); len(s.Findings) > 4*blueberry.MaxCIFindings {
		*s = s.Keep(blueberry.MaxCIFindings)
	}
	return list
}

// keepCI writes a report, merged with what is known, and has the pull requests at its commit looked at. What is no news changes nothing.
func (s *Repositories) keepCI(ctx context.Context, tx Tx, actor blueberry.Actor, r blueberry.Repository, said blueberry.CIReport) (out blueberry.CIReport, news bool, err error) {
	known, err := tx.FindCIReport(ctx, r.ID, said.Commit, said.Pipeline)
	switch {
	case errors.Is(err, blueberry.NotFound):
		switch others, err := tx.CIReports(ctx, blueberry.CIQuery{RepositoryID: r.ID, Commit: said.Commit, Limit: blueberry.MaxPipelines}); {
		case err != nil:
			return out, false, err
		case len(others) == blueberry.MaxPipelines: // a gate that looks at some of them would miss what the others say
			return out, false, blueberry.Errorf(blueberry.Conflict, "TOO_MANY_PIPELINES", "%d pipelines have reported on %.12s, which is the most", blueberry.MaxPipelines, said.Commit)
		}
		empty := blueberry.CIReport{Run: said.Run}
		out = empty.Take(said) // in the order and within the bounds of a merged one
		out.ID, out.RepositoryID, out.Project, out.Commit, out.Pipeline = said.ID, said.RepositoryID, said.Project, said.Commit, said.Pipeline
		out.CreatedAt, out.UpdatedAt, out.Version = said.CreatedAt, said.UpdatedAt, 1
		if err = tx.InsertCIReport(ctx, out); isCode(err, "CI_REPORT_EXISTS") { // another server was faster
			err = blueberry.Errorf(blueberry.Conflict, codeMoved, "pipeline %s has just reported", said.Pipeline)
		}
	case err != nil:
		return out, false, err
	default:
		out = known.Take(said)
		if news = !known.Same(out); !news && reflect.DeepEqual(known, out) {
			return known, false, nil
		}
		if out.UpdatedAt = known.UpdatedAt; news {
			out.UpdatedAt = said.UpdatedAt
		}
		if err = tx.UpdateCIReport(ctx, out); err == nil {
			out.Version++
		}
		if err == nil && !news { // the same of a later attempt: only that is noted
			return out, false, nil
		}
	}
	if err != nil {
		return out, false, err
	}
	message := fmt.Sprintf("pipeline %s of %s reported on %.12s", out.Pipeline, r.Name, out.Commit)
	if text := blueberry.TotalOf([]blueberry.CIReport{out}, nil, out.UpdatedAt).Line(); text != "" {
		message += ": " + text
	}
	if err := tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.CIReported, Project: r.Project, Actor: actor.Name, Message: message, At: out.UpdatedAt}); err != nil {
		return out, false, err
	}
	pulls, err := tx.PullsAt(ctx, r.ID, out.Commit)
	if err != nil {
		return out, false, err
	}
	for _, p := range pulls {
		if err := lookedAt(ctx, tx, r, p.ID); err != nil {
			return out, false, err
		}
	}
	return out, true, nil
}
