package audit

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// exportPage is how many rows an export reads at a time.
const exportPage = 500

// The scopes of an export.
const (
	scopeWhole = "whole"
	scopePart  = "part"
)

type exportLine struct {
	Export exportHead `json:"export"`
}

type exportHead struct {
	Format string       `json:"format"`
	Scope  string       `json:"scope"`
	At     string       `json:"at"`
	By     string       `json:"by"`
	Query  *exportQuery `json:"query,omitempty"`
}

type exportQuery struct {
	Actor    string   `json:"actor,omitempty"`
	Action   string   `json:"action,omitempty"`
	Resource string   `json:"resource,omitempty"`
	Project  string   `json:"project,omitempty"`
	Projects []string `json:"projects,omitempty"` // which the actor may see
	Result   string   `json:"result,omitempty"`
	Search   string   `json:"search,omitempty"`
	Request  string   `json:"request,omitempty"`
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
}

type keyLine struct {
	Key exportKey `json:"key"`
}

type exportKey struct {
	ID     string `json:"id"`
	Public []byte `json:"public"`
}

type checkpointLine struct {
	Checkpoint exportCheckpoint `json:"checkpoint"`
}

type exportCheckpoint struct {
	Seq       int64  `json:"seq"`
	Hash      string `json:"hash"`
	At        string `json:"at"`
	KeyID     string `json:"key_id"`
	Signature []byte `json:"signature"`
}

type endLine struct {
	End exportEnd `json:"end"`
}

type exportEnd struct {
	Entries   int    `json:"entries"`
	Digest    string `json:"digest"`
	KeyID     string `json:"key_id"`
	Public    []byte `json:"public"`
	Signature []byte `json:"signature"`
}

// Export writes every entry of a query, oldest first, with what proves them: see the documentation of the package. It seals first what waits. It takes the grants
// of List. When it fails the file has no last line, and does not verify. Before and Limit of the query are not heard.
func (a *Auditor) Export(ctx context.Context, actor blueberry.Actor, q blueberry.AuditQuery, w io.Writer) error {
	q.Before, q.Limit = "", 0
	q, err := seen(actor, q)
	if err != nil {
		return err
	}
	if err := checkQuery(q); err != nil {
		return err
	}
	if _, err := a.Seal(ctx); err != nil {
		return err
	}
	x := export{auditor: a, query: q, out: bufio.NewWriter(w), digest: sha256.New()}
	if err := a.Record.View(ctx, func(tx Tx) error { return x.start(ctx, tx) }); err != nil {
		return fmt.Errorf("export audit: %w", err)
	}
	for _, step := range []func(context.Context) error{
		func(context.Context) error { return x.head(actor) }, x.entries, x.checkpoints, x.end,
		func(context.Context) error { return x.out.Flush() },
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("export audit: %w", err)
		}
	}
	return nil
}

type export struct {
	auditor *Auditor
	query   blueberry.AuditQuery
	out     *bufio.Writer
	digest  hash.Hash
	until   int64                       // the end of the chain as it was at the start
	last    []blueberry.AuditCheckpoint // the signature under it, which may be thinned out meanwhile
	written []int64                     // places of the entries of a part
	count   int
	keys    map[string]bool
}

func (x *export) whole() bool { return x.queried() == nil }

// queried is what narrows the export; nil for nothing.
func (x *export) queried() *exportQuery {
	q := x.query
	out := exportQuery{
		Actor: q.Actor, Action: q.Action, Resource: q.Resource, Project: q.Project, Projects: q.Projects, Result: string(q.Result), Search: q.Search, Request: q.Request,
	}
	if !q.From.IsZero() {
		out.From = q.From.UTC().Format(timeForm)
	}
	if !q.To.IsZero() {
		out.To = q.To.UTC().Format(timeForm)
	}
	if out.Projects == nil && out.Actor+out.Action+out.Resource+out.Project+out.Result+out.Search+out.Request+out.From+out.To == "" {
		return nil
	}
	return &out
}

func (x *export) start(ctx context.Context, tx Tx) (err error) {
	if x.until, _, err = tx.AuditHead(ctx); err != nil {
		return err
	}
	x.last, err = tx.LastAuditCheckpoints(ctx, 1)
	return err
}

func (x *export) write(v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	x.digest.Write(text)
	_, err = x.out.Write(text)
	return err
}

func (x *export) head(actor blueberry.Actor) error {
	h := exportHead{Format: Format, Scope: scopeWhole, At: x.auditor.Now().UTC().Format(timeForm), By: actor.Name, Query: x.queried()}
	if !x.whole() {
		h.Scope = scopePart
	}
	return x.write(exportLine{h})
}

// entries follows the chain through archives and record. An entry that is moved meanwhile is found where it is then.
func (x *export) entries(ctx context.Context) error {
	for at := int64(0); at < x.until; {
		var archive blueberry.AuditArchive
		var inArchive bool
		var run []blueberry.AuditEntry
		err := x.auditor.Record.View(ctx, func(tx Tx) (err error) {
			if archive, inArchive, err = tx.AuditArchiveOf(ctx, at+1); err != nil || inArchive {
				return err
			}
			run, err = tx.AuditRun(ctx, x.query, at, x.until, exportPage)
			return err
		})
		if err != nil {
			return err
		}
		if inArchive {
			if err := x.archive(ctx, archive, at); err != nil {
				return err
			}
			at = archive.Last
			continue
		}
		for _, e := range run {
			l, err := lineOf(e)
			if err != nil {
				return err
			}
			if err := x.entry(l, e.Seq); err != nil {
				return err
			}
			at = e.Seq
		}
		if len(run) < exportPage {
			return nil
		}
	}
	return nil
}

// archive writes the entries of an archive behind a place, unless the time that is asked for does not touch it.
func (x *export) archive(ctx context.Context, archive blueberry.AuditArchive, after int64) error {
	if !x.query.From.IsZero() && archive.To.Before(x.query.From) || !x.query.To.IsZero() && !archive.From.Before(x.query.To) {
		return nil
	}
	return x.auditor.open(ctx, archive, func(e archived) error {
		if e.entry.Seq <= after || e.entry.Seq > x.until || !x.query.Matches(e.entry) {
			return nil
		}
		return x.entry(e.line, e.entry.Seq)
	})
}

func (x *export) entry(l line, seq int64) error {
	x.count++
	if !x.whole() {
		x.written = append(x.written, seq)
	}
	return x.write(l)
}

// checkpoints writes the signatures under the chain, of a part those under entries that are in it.
func (x *export) checkpoints(ctx context.Context) error {
	for at := int64(0); ; {
		var page []blueberry.AuditCheckpoint
		err := x.auditor.Record.View(ctx, func(tx Tx) (err error) {
			page, err = tx.AuditCheckpoints(ctx, at, x.until-1, exportPage)
			return err
		})
		if err != nil {
			return err
		}
		for _, c := range page {
			at = c.Seq
			if err := x.checkpoint(ctx, c); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			break
		}
	}
	for _, c := range x.last {
		if c.Seq == x.until {
			return x.checkpoint(ctx, c)
		}
	}
	return nil
}

func (x *export) checkpoint(ctx context.Context, c blueberry.AuditCheckpoint) error {
	if _, in := slices.BinarySearch(x.written, c.Seq); !in && !x.whole() {
		return nil
	}
	if !x.keys[c.KeyID] {
		public, err := x.key(ctx, c.KeyID)
		if err != nil {
			return err
		}
		if x.keys == nil {
			x.keys = map[string]bool{}
		}
		x.keys[c.KeyID] = true
		if err := x.write(keyLine{exportKey{ID: c.KeyID, Public: public}}); err != nil {
			return err
		}
	}
	return x.write(checkpointLine{exportCheckpoint{Seq: c.Seq, Hash: c.Hash, At: c.At.UTC().Format(timeForm), KeyID: c.KeyID, Signature: c.Signature}})
}

func (x *export) key(ctx context.Context, id string) (public []byte, err error) {
	err = x.auditor.Record.View(ctx, func(tx Tx) (err error) {
		public, err = tx.SigningKey(ctx, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the key %s: %w", id, err)
	}
	return public, nil
}

func (x *export) end(ctx context.Context) error {
	e := exportEnd{Entries: x.count, Digest: hex.EncodeToString(x.digest.Sum(nil))}
	e.KeyID, e.Signature = x.auditor.Signer.Sign(SignedExport(e.Digest))
	var err error
	if e.Public, err = x.key(ctx, e.KeyID); err != nil {
		return err
	}
	return x.write(endLine{e})
}
