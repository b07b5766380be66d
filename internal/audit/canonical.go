package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Format names the form of exports and archives.
const Format = "blueberry-audit-1"

// timeForm is a time in UTC with the microseconds that the record keeps.
const timeForm = "2006-01-02T15:04:05.000000Z"

// canonical is an entry as it is hashed. Fields keep their names and their order for good; a new one is added before the last and left out when empty, so that the
// hashes of older entries stay.
type canonical struct {
	Seq      int64            `json:"seq"`
	ID       string           `json:"id"`
	At       string           `json:"at"`
	Actor    canonicalActor   `json:"actor"`
	Action   string           `json:"action"`
	Resource string           `json:"resource,omitempty"`
	Project  string           `json:"project,omitempty"`
	Detail   string           `json:"detail,omitempty"`
	Before   json.RawMessage  `json:"before,omitempty"`
	After    json.RawMessage  `json:"after,omitempty"`
	Result   string           `json:"result"`
	Caller   *canonicalCaller `json:"caller,omitempty"`
}

type canonicalActor struct {
	Kind       string            `json:"kind"`
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	UserID     string            `json:"user_id,omitempty"`
	OnBehalfOf string            `json:"on_behalf_of,omitempty"`
	Credential string            `json:"credential,omitempty"`
	Emergency  string            `json:"emergency,omitempty"`
	Grants     []blueberry.Grant `json:"grants,omitempty"`
}

type canonicalCaller struct {
	RequestID string `json:"request_id,omitempty"`
	Address   string `json:"address,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Route     string `json:"route,omitempty"`
}

// Canonical is the form of an entry that is hashed and exported.
func Canonical(e blueberry.AuditEntry) ([]byte, error) {
	c := canonical{
		Seq: e.Seq, ID: e.ID, At: e.At.UTC().Format(timeForm), Action: e.Action, Resource: e.Resource, Project: e.Project, Detail: e.Detail,
		Before: valid(e.Before), After: valid(e.After), Result: string(e.Result),
		Actor: canonicalActor{
			Kind: string(e.Actor.Kind), ID: e.Actor.ID, Name: e.Actor.Name, UserID: e.Actor.UserID, OnBehalfOf: e.Actor.OnBehalfOf,
			Credential: e.Actor.Credential, Emergency: e.Actor.Emergency, Grants: e.Actor.Grants,
		},
	}
	if e.Caller != (blueberry.Caller{}) {
		caller := canonicalCaller(e.Caller)
		c.Caller = &caller
	}
	return encode(c)
}

// valid makes a text of what is no JSON, so that an entry which someone changed in the record can still be exported, and then does not verify.
func valid(v json.RawMessage) json.RawMessage {
	if len(v) == 0 || json.Valid(v) {
		return v
	}
	text, _ := json.Marshal(string(v)) //nolint:errchkjson // a string is always encoded
	return text
}

// encode gives a value as one line of JSON, without the escapes for HTML and without the line feed.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode audit: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// parse reads the canonical form. Fields of a later version are left out.
func parse(raw []byte) (blueberry.AuditEntry, error) {
	var c canonical
	if err := json.Unmarshal(raw, &c); err != nil {
		return blueberry.AuditEntry{}, fmt.Errorf("decode audit entry: %w", err)
	}
	at, err := time.Parse(timeForm, c.At)
	if err != nil {
		return blueberry.AuditEntry{}, fmt.Errorf("decode audit entry: %w", err)
	}
	e := blueberry.AuditEntry{
		Seq: c.Seq, ID: c.ID, At: at, Action: c.Action, Resource: c.Resource, Project: c.Project, Detail: c.Detail,
		Before: c.Before, After: c.After, Result: blueberry.AuditResult(c.Result),
		Actor: blueberry.Actor{
			Kind: blueberry.ActorKind(c.Actor.Kind), ID: c.Actor.ID, Name: c.Actor.Name, UserID: c.Actor.UserID, OnBehalfOf: c.Actor.OnBehalfOf,
			Credential: c.Actor.Credential, Emergency: c.Actor.Emergency, Grants: c.Actor.Grants,
		},
	}
	if c.Caller != nil {
		e.Caller = blueberry.Caller(*c.Caller)
	}
	return e, nil
}

// hashOf chains the canonical form of an entry to the hash before it.
func hashOf(prev string, raw []byte) (string, error) {
	before, err := hex.DecodeString(prev)
	if err != nil || len(before) != sha256.Size {
		return "", fmt.Errorf("the hash %q before an audit entry is none", prev)
	}
	h := sha256.New()
	h.Write(before)
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// SignedCheckpoint is the text that the signature of a checkpoint is under.
func SignedCheckpoint(c blueberry.AuditCheckpoint) []byte {
	return []byte(Format + " checkpoint\n" + strconv.FormatInt(c.Seq, 10) + "\n" + c.Hash + "\n" + c.At.UTC().Format(timeForm) + "\n")
}

// SignedExport is the text that the signature of an export is under; digest is the SHA-256 in hex of all its lines but the last.
func SignedExport(digest string) []byte { return []byte(Format + " export\n" + digest + "\n") }
