package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Lengths of what an entry keeps, in bytes. What is longer is cut: it is told by people and clients, and an entry cannot be removed again.
const (
	maxAuditDetail    = 2000
	maxAuditName      = 320 // an e-mail address has at most 254
	maxAuditUserAgent = 256
	maxAuditValue     = 16 << 10 // of Before and After; a longer one leaves its length and its digest
)

type auditRow struct {
	bun.BaseModel `bun:"table:audit"`

	ID          string `bun:"id,pk"`
	ActorKind   string `bun:"actor_kind"`
	ActorID     string `bun:"actor_id"`
	ActorName   string `bun:"actor_name"`
	ActorGrants string `bun:"actor_grants"` // those on the installation, as they were at that moment
	UserID      string `bun:"user_id"`
	OnBehalfOf  string `bun:"on_behalf_of"`
	Credential  string `bun:"credential"`
	Emergency   string `bun:"emergency"`
	Action      string `bun:"action"`
	Resource    string `bun:"resource"`
	Project     string `bun:"project"`
	Detail      string `bun:"detail"`
	Before      string `bun:"before"`
	After       string `bun:"after"`
	Result      string `bun:"result"`
	RequestID   string `bun:"request_id"`
	Address     string `bun:"address"`
	UserAgent   string `bun:"user_agent"`
	Route       string `bun:"route"`
	At          int64  `bun:"at"`
	Seq         int64  `bun:"seq"`
	Prev        string `bun:"prev"`
	Hash        string `bun:"hash"`
}

// AppendAudit adds what an actor did, and marks the call of the context as noted. ID is given here; Caller is taken from the context unless it is set. Secrets of
// a known form are hidden in every text. It is one INSERT that waits for nobody: the entry gets its place in the chain later.
func (t *Tx) AppendAudit(ctx context.Context, a blueberry.AuditEntry) error {
	call := blueberry.CallOf(ctx)
	if a.Caller == (blueberry.Caller{}) {
		a.Caller = call.Caller
	}
	row, err := auditRowOf(a)
	if err != nil {
		return err
	}
	if _, err := t.db.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("insert audit entry: %w", err)
	}
	t.calls = append(t.calls, call)
	return nil
}

func auditRowOf(a blueberry.AuditEntry) (auditRow, error) {
	grants, err := encode("grants", a.Actor.Grants)
	if err != nil {
		return auditRow{}, err
	}
	before, err := auditValue(a.Before)
	if err != nil {
		return auditRow{}, fmt.Errorf("encode what was before: %w", err)
	}
	after, err := auditValue(a.After)
	if err != nil {
		return auditRow{}, fmt.Errorf("encode what is after: %w", err)
	}
	if a.Result == "" {
		a.Result = blueberry.AuditSucceeded
	}
	name := func(s string) string { return auditText(s, maxAuditName) }
	return auditRow{
		ID: blueberry.NewID(blueberry.AuditID, a.At), At: micros(a.At),
		ActorKind: string(a.Actor.Kind), ActorID: name(a.Actor.ID), ActorName: name(a.Actor.Name), ActorGrants: grants,
		UserID: name(a.Actor.UserID), OnBehalfOf: name(a.Actor.OnBehalfOf), Credential: name(a.Actor.Credential), Emergency: name(a.Actor.Emergency),
		Action: name(a.Action), Resource: name(a.Resource), Project: name(a.Project), Detail: auditText(a.Detail, maxAuditDetail), Before: before, After: after,
		Result: string(a.Result), RequestID: name(a.Caller.RequestID), Address: name(a.Caller.Address), Route: name(a.Caller.Route),
		UserAgent: auditText(a.Caller.UserAgent, maxAuditUserAgent),
	}, nil
}

// auditText is a text without secrets of a known form, and no longer than the limit. It is hidden before it is cut, so that no half of a secret stays.
func auditText(s string, limit int) string {
	s = clean(blueberry.Redact(s))
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}

// auditValue is the JSON of a value without secrets of a known form; of one that is too long, its length and digest.
func auditValue(v json.RawMessage) (string, error) {
	if len(v) == 0 {
		return "", nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, v); err != nil {
		return "", err
	}
	text := clean(compact.String())
	if blueberry.TokenShape(text) != "" {
		d := json.NewDecoder(bytes.NewReader(compact.Bytes()))
		d.UseNumber()
		var decoded any
		if err := d.Decode(&decoded); err != nil {
			return "", err
		}
		redacted, err := json.Marshal(redactValue(decoded))
		if err != nil {
			return "", err
		}
		text = string(redacted)
		if blueberry.TokenShape(text) != "" { // it goes on across strings
			text = `"(hidden)"`
		}
	}
	if len(text) > maxAuditValue {
		sum := sha256.Sum256([]byte(text))
		return fmt.Sprintf(`{"bytes":%d,"sha256":%q}`, len(text), hex.EncodeToString(sum[:])), nil
	}
	return text, nil
}

func redactValue(v any) any {
	switch v := v.(type) {
	case string:
		return blueberry.Redact(v)
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[blueberry.Redact(k)] = redactValue(x)
		}
		return out
	}
	return v
}

func (r auditRow) entry() (blueberry.AuditEntry, error) {
	e := blueberry.AuditEntry{
		ID: r.ID, At: timeOf(r.At), Action: r.Action, Resource: r.Resource, Project: r.Project, Detail: r.Detail, Result: blueberry.AuditResult(r.Result),
		Actor: blueberry.Actor{
			Kind: blueberry.ActorKind(r.ActorKind), ID: r.ActorID, Name: r.ActorName,
			UserID: r.UserID, OnBehalfOf: r.OnBehalfOf, Credential: r.Credential, Emergency: r.Emergency,
		},
		Caller: blueberry.Caller{RequestID: r.RequestID, Address: r.Address, UserAgent: r.UserAgent, Route: r.Route},
		Seq:    r.Seq, Prev: r.Prev, Hash: r.Hash,
	}
	if r.Before != "" {
		e.Before = json.RawMessage(r.Before)
	}
	if r.After != "" {
		e.After = json.RawMessage(r.After)
	}
	return e, decode("grants", r.ActorGrants, &e.Actor.Grants)
}

func auditEntries(rows []auditRow) ([]blueberry.AuditEntry, error) {
	out := make([]blueberry.AuditEntry, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.entry(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
