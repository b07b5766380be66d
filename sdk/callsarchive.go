package sdk

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
)

// ListArchives reads what is kept of environments that ended or failed, newest first.
func (c *Client) ListArchives(ctx context.Context, f ArchiveFilter) (ArchiveList, error) {
	k := IDWindow{Before: f.Before, Limit: f.Limit}.call("archives")
	k.set("project", f.Project)
	k.set("environment", f.Environment)
	k.set("state", f.State)
	return fetch[ArchiveList](ctx, c, k)
}

// AllArchives reads run after run, newest first. It ends after the first error.
func (c *Client) AllArchives(ctx context.Context, f ArchiveFilter) iter.Seq2[Archive, error] {
	return pages(f.Before, func(before string) ([]Archive, string, error) {
		f.Before = before
		run, err := c.ListArchives(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetArchive reads the archive of an environment.
func (c *Client) GetArchive(ctx context.Context, environmentID string) (Archive, error) {
	return fetch[Archive](ctx, c, newCall(http.MethodGet, "archives", environmentID))
}

// DownloadArchiveFile copies one file of an archive to w. A download that breaks off midway is an error. It ends with ctx alone.
func (c *Client) DownloadArchiveFile(ctx context.Context, environmentID, name string, w io.Writer) error {
	k := newCall(http.MethodGet, "archives", environmentID, "files", name)
	k.header.Set("Accept", "*/*")
	res, err := c.send(ctx, k, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		data, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what cannot be read is told by its status
		return readProblem(res, data)
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("read file: %w", outerCause(ctx, err))
	}
	return nil
}

// AbandonEnvironment ends a removal that its target holds up for good: what is not proven gone stays, and is named in the receipt.
func (c *Client) AbandonEnvironment(ctx context.Context, id, reason string, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(AbandonEnvironmentRequest{Reason: reason}, "environments", id, "abandon"), options...)
}

// UndoArchive makes an environment of an archive: the same revision, within 24 hours of the end.
func (c *Client) UndoArchive(ctx context.Context, environmentID string, r UndoRequest, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(r, "archives", environmentID, "undo"), options...)
}

// ListOrphans reads what scans found.
func (c *Client) ListOrphans(ctx context.Context, f OrphanFilter) (OrphanList, error) {
	k := newCall(http.MethodGet, "orphans")
	k.set("target", f.Target)
	k.set("kind", f.Kind)
	k.set("after", f.After)
	k.setInt("limit", int64(f.Limit))
	return fetch[OrphanList](ctx, c, k)
}

// AllOrphans reads run after run. It ends after the first error.
func (c *Client) AllOrphans(ctx context.Context, f OrphanFilter) iter.Seq2[Orphan, error] {
	return pages(f.After, func(after string) ([]Orphan, string, error) {
		f.After = after
		run, err := c.ListOrphans(ctx, f)
		return run.Items, run.NextAfter, err
	})
}

// GetOrphan reads one orphan by id.
func (c *Client) GetOrphan(ctx context.Context, id string) (Orphan, error) {
	return fetch[Orphan](ctx, c, newCall(http.MethodGet, "orphans", id))
}

// ApproveOrphan allows the removal of an orphan, which then begins. Asking twice is asking once.
func (c *Client) ApproveOrphan(ctx context.Context, id string, options ...CallOption) (Orphan, error) {
	return fetch[Orphan](ctx, c, post(nil, "orphans", id, "approval"), options...)
}

// ListRetentionRules reads what is kept for how long, and what the last runs removed.
func (c *Client) ListRetentionRules(ctx context.Context) (RetentionRuleList, error) {
	return fetch[RetentionRuleList](ctx, c, newCall(http.MethodGet, "retention"))
}
