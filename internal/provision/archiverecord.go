package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What follows are the files of an archive, as they are read by people and programs that know nothing of this one.

type eventLine struct {
	At      time.Time `json:"at"`
	Type    string    `json:"type"`
	Actor   string    `json:"actor,omitempty"`
	Message string    `json:"message"`
}

type recordFile struct {
	ID         string            `json:"id"`
	Project    string            `json:"project"`
	Name       string            `json:"name"`
	Namespace  string            `json:"namespace"`
	Target     string            `json:"target"`
	Owner      string            `json:"owner"`
	Labels     map[string]string `json:"labels,omitempty"`
	Phase      string            `json:"phase"`
	Reason     string            `json:"reason"`
	Message    string            `json:"message"`
	Cause      string            `json:"cause,omitempty"`
	Hosts      []string          `json:"hosts,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	ExpiresAt  time.Time         `json:"expires_at,omitzero"`
	Revision   int               `json:"revision"`
	Conditions []recordStep      `json:"conditions"`
	Revisions  []recordRev       `json:"revisions"` // newest first
	Objects    []recordObject    `json:"objects"`
}

type recordStep struct {
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"`
	Since   time.Time `json:"since"`
}

type recordRev struct {
	Number     int               `json:"number"`
	Author     string            `json:"author"`
	Reason     string            `json:"reason"`
	CreatedAt  time.Time         `json:"created_at"`
	Commit     string            `json:"gitops_commit,omitempty"`
	Repository string            `json:"source_repository,omitempty"`
	Ref        string            `json:"source_ref,omitempty"`
	Source     string            `json:"source_commit,omitempty"`
	Branch     string            `json:"branch,omitempty"`
	Sources    []recordSource    `json:"repositories,omitempty"`
	Commits    map[string]string `json:"commits,omitempty"`
	Images     map[string]string `json:"images,omitempty"`
	Blueprint  string            `json:"blueprint"`
	ConfigSets []string          `json:"config_sets,omitempty"`
	Parameters map[string]any    `json:"parameters,omitempty"`
	Overrides  map[string]any    `json:"overrides,omitempty"`
}

type recordSource struct {
	Name       string `json:"name"`
	Repository string `json:"repository"`
	Ref        string `json:"ref,omitempty"`
	Commit     string `json:"commit"`
}

type recordObject struct {
	Object    string    `json:"object"`
	Component string    `json:"component,omitempty"`
	Revision  int       `json:"revision"`
	MadeAt    time.Time `json:"made_at,omitzero"`
	GoneAt    time.Time `json:"gone_at,omitzero"`
}

type receiptFile struct {
	EnvironmentID string            `json:"environment_id"`
	Project       string            `json:"project"`
	Environment   string            `json:"environment"`
	Target        string            `json:"target"`
	Reason        string            `json:"reason"`
	By            string            `json:"by,omitempty"`
	BeganAt       time.Time         `json:"began_at"`
	LogsAt        time.Time         `json:"logs_at,omitzero"`
	StoppedAt     time.Time         `json:"stopped_at,omitzero"`
	EndedAt       time.Time         `json:"ended_at,omitzero"`
	Leftovers     int               `json:"leftovers"`
	Notes         []string          `json:"notes,omitempty"`
	Lines         []receiptFileLine `json:"lines"`
}

type receiptFileLine struct {
	System  string    `json:"system"`
	Object  string    `json:"object"`
	MadeAt  time.Time `json:"made_at,omitzero"`
	GoneAt  time.Time `json:"gone_at,omitzero"`
	Seconds float64   `json:"waited_seconds"`
	Control string    `json:"control"`
}

func receiptFileOf(r blueberry.Receipt) receiptFile {
	out := receiptFile{
		EnvironmentID: r.EnvironmentID, Project: r.Project, Environment: r.Environment, Target: r.Target, Reason: r.Reason, By: r.By, BeganAt: r.BeganAt,
		LogsAt: r.LogsAt, StoppedAt: r.StoppedAt, EndedAt: r.EndedAt, Leftovers: len(r.Leftovers), Notes: r.Notes, Lines: []receiptFileLine{},
	}
	for _, l := range r.Lines {
		out.Lines = append(out.Lines, receiptFileLine{l.System, l.Object, l.MadeAt, l.GoneAt, l.Waited.Seconds(), l.Control})
	}
	return out
}

// archiveRecord gives the record of an environment as a file, and its last revision. Manifests that are damaged are left out.
func (p *Provisioner) archiveRecord(ctx context.Context, e blueberry.Environment) ([]byte, blueberry.Revision, error) {
	out := recordFile{
		ID: e.ID, Project: e.Project, Name: e.Name, Namespace: e.Namespace, Target: e.Target, Owner: e.Owner, Labels: e.Labels, Phase: string(e.Phase), Reason: e.Reason,
		Message: e.Message, Cause: string(e.Cause), Hosts: e.Hosts, CreatedAt: e.CreatedAt, ExpiresAt: e.Lease.ExpiresAt, Revision: e.Revision,
	}
	for _, c := range e.Conditions {
		out.Conditions = append(out.Conditions, recordStep{string(c.Type), string(c.Status), c.Reason, c.Message, c.Since})
	}
	var last blueberry.Revision
	err := p.Record.View(ctx, func(tx Tx) (err error) {
		out.Revisions, out.Objects = []recordRev{}, []recordObject{}
		if last, err = tx.Revision(ctx, e.ID, e.Revision); errors.Is(err, blueberry.NotFound) {
			return err
		} // any other error: its manifests are damaged, and there is nothing to keep of them
		revs, err := tx.Revisions(ctx, blueberry.RevisionQuery{EnvironmentID: e.ID, Limit: blueberry.MaxPageSize})
		if err != nil {
			return err
		}
		for _, r := range revs {
			out.Revisions = append(out.Revisions, recordRevOf(r))
		}
		ledger, err := tx.LedgerOf(ctx, e.ID)
		if err != nil {
			return err
		}
		for _, l := range ledger {
			out.Objects = append(out.Objects, recordObject{l.ObjectRef.String(), l.Component, l.Revision, l.MadeAt, l.GoneAt})
		}
		return nil
	})
	if err != nil {
		return nil, last, fmt.Errorf("read record of %s: %w", e.Name, err)
	}
	content, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, last, fmt.Errorf("encode record of %s: %w", e.Name, err)
	}
	return content, last, nil
}

func recordRevOf(r blueberry.Revision) recordRev {
	out := recordRev{
		Number: r.Number, Author: r.Author, Reason: r.Reason, CreatedAt: r.CreatedAt, Commit: r.Commit, Repository: r.Source.Repository, Ref: r.Source.Ref,
		Source: r.Source.Commit, Blueprint: r.Blueprint.Name, Parameters: r.Parameters, Overrides: r.Overrides,
		Branch: r.Branch, Commits: r.Commits, Images: r.Images,
	}
	for _, s := range r.Sources {
		out.Sources = append(out.Sources, recordSource{s.Name, s.Repository, s.Ref, s.Commit})
	}
	if r.Catalogue.Name != "" {
		out.Blueprint = r.Catalogue.String()
	}
	for _, u := range r.Config {
		u.Version = u.Number
		out.ConfigSets = append(out.ConfigSets, u.String())
	}
	return out
}
