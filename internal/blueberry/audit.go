package blueberry

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// AuditResult says how an action ended.
type AuditResult string

// The results.
const (
	AuditSucceeded AuditResult = "succeeded"
	AuditDenied    AuditResult = "denied" // the actor lacked a grant, or was nobody known
	AuditFailed    AuditResult = "failed" // it was refused for another reason, or broke
)

// AuditResults lists every result.
func AuditResults() []AuditResult { return []AuditResult{AuditSucceeded, AuditDenied, AuditFailed} }

// AuditEntry is one action of an actor, or a try at one. It is written in the transaction of the change and sealed a moment after: Seq, Prev and Hash
// then chain it to the entry before.
type AuditEntry struct {
	ID       string
	At       time.Time
	Actor    Actor
	Action   string // the grant that it took, or what else was done: "environments:create", "session:sign-in"
	Resource string // id or name of what was acted on
	Project  string // empty for the installation
	Detail   string
	Before   json.RawMessage // what the action changed, as it was; nil for nothing. Secrets are left out by whoever writes it
	After    json.RawMessage
	Result   AuditResult // empty means succeeded
	Caller   Caller      // empty for what nobody asked for

	Seq  int64  // place in the chain, from 1; 0 while it is not sealed
	Prev string // Hash of the entry before, hex; of the first, 64 zeros
	Hash string // SHA-256 over the canonical form and Prev, hex
}

// AuditFields is fields of what was acted on as Before and After have them; nil for none. A secret must not be among them.
func AuditFields(fields map[string]any) json.RawMessage {
	if len(fields) == 0 {
		return nil
	}
	b, _ := json.Marshal(fields) // of texts, numbers and nouns: it cannot fail
	return b
}

// AuditQuery asks for one page of entries, newest first.
type AuditQuery struct {
	ID       string   // exact: that one entry
	Actor    string   // id or name; of a user also what was done with their tokens
	Action   string   // exact, or a prefix that ends with ":" as "environments:"
	Resource string   // exact
	Project  string   // exact
	Projects []string // only of these and of none else; nil for all. For actors who may read some projects only
	Result   AuditResult
	Search   string    // part of the detail, resource or actor
	Request  string    // id of the request
	From, To time.Time // To is excluded
	Before   string    // id to start before; empty for the newest
	Limit    int
}

// Matches reports whether an entry is one that the query asks for, as the record answers it, whatever its Before and Limit.
func (q AuditQuery) Matches(e AuditEntry) bool {
	either := func(want string, is ...string) bool { return want == "" || slices.Contains(is, want) }
	action := q.Action == e.Action || strings.HasSuffix(q.Action, ":") && strings.HasPrefix(e.Action, q.Action)
	switch {
	case !either(q.Actor, e.Actor.ID, e.Actor.Name, e.Actor.UserID, e.Actor.OnBehalfOf), q.Action != "" && !action:
		return false
	case !either(q.ID, e.ID), !either(q.Resource, e.Resource), !either(q.Project, e.Project), !either(string(q.Result), string(e.Result)), !either(q.Request, e.Caller.RequestID):
		return false
	case q.Projects != nil && (e.Project == "" || !slices.Contains(q.Projects, e.Project)):
		return false
	case !q.From.IsZero() && e.At.Before(q.From), !q.To.IsZero() && !e.At.Before(q.To):
		return false
	}
	part := LowerASCII(q.Search)
	return slices.ContainsFunc([]string{e.Detail, e.Resource, e.Actor.Name, e.Actor.ID}, func(text string) bool { return strings.Contains(LowerASCII(text), part) })
}

// LowerASCII puts the letters of ASCII in lower case and leaves the others, as both databases can.
func LowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// AuditCheckpoint is a signature of this server under the chain as it was.
type AuditCheckpoint struct {
	Seq       int64
	Hash      string // of the entry Seq, hex
	At        time.Time
	KeyID     string
	Signature []byte // Ed25519
}

// AuditArchive is a run of entries that was moved out of the record to the objects.
type AuditArchive struct {
	Name        string // of the object
	First, Last int64  // Seq
	FirstPrev   string // Prev of the entry First
	LastHash    string // Hash of the entry Last
	From, To    time.Time
	Entries     int
	Digest      string // SHA-256 of the object, hex
	ArchivedAt  time.Time
}

// AuditLive is how long an entry is in the record before it goes to the objects.
const AuditLive = 90 * 24 * time.Hour
