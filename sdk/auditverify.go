package sdk

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	auditFormat  = "blueberry-audit-1"
	maxAuditLine = 1 << 20 // bytes; an entry has at most about 40,000
)

// AuditVerifyOptions says what the verifier knows by itself, and not from the file.
type AuditVerifyOptions struct {
	// Keys are the signing keys that are trusted: their ids, "key_…", or the SHA-256 of the public key in hex. Without them a file proves only that it fits
	// together and was not changed by someone who lacks the key in it: whoever makes a whole file anew brings a key of their own.
	Keys []string
	// Head is an entry that is known to be in the chain: the end of an earlier export, say. A whole export must have it.
	Head *AuditHead
}

// AuditHead is a place in the chain.
type AuditHead struct {
	Seq  int64  `json:"seq" doc:"Place in the chain" example:"1042"`
	Hash string `json:"hash" doc:"Hash of the entry there" example:"fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"`
}

// AuditKey is a key that proved a signature.
type AuditKey struct {
	ID    string `json:"id" doc:"Id of the key, made of its public half" example:"key_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Given bool   `json:"given" doc:"Whether the verifier was told to trust it; else it was taken from the export itself" example:"false"` // it is one of AuditVerifyOptions.Keys; else it was taken from the file itself
}

// AuditReport is what an export proves.
type AuditReport struct {
	Whole       bool       `json:"whole" doc:"Whether it is all entries of the installation from the first; else those that a query chose" example:"true"` // all entries of the installation from the first; else those that a query chose
	ExportedAt  string     `json:"exported_at" doc:"When" example:"2026-11-27T09:30:00Z"`
	ExportedBy  string     `json:"exported_by" doc:"By whom" example:"ada@example.com"`
	Entries     int        `json:"entries" doc:"How many fit" example:"1042"`
	First       int64      `json:"first,omitempty" doc:"Place of the first entry in the chain" example:"1"`
	Head        AuditHead  `json:"head" doc:"The last entry"`
	Checkpoints int        `json:"checkpoints" doc:"How many signatures under the chain fit" example:"12"`
	SignedBy    string     `json:"signed_by" doc:"Id of the key under the export" example:"key_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Keys        []AuditKey `json:"keys" nullable:"false" doc:"Keys that signed"`
	Trusted     bool       `json:"trusted" doc:"Whether a key that was given signed it" example:"false"` // a key that was given signed the export, or the end of its chain
}

// AuditFault is the first thing in an export that does not fit.
type AuditFault struct {
	Line int    `json:"line" doc:"Of the export, from 1" example:"17"`
	Seq  int64  `json:"seq,omitempty" doc:"Place of the entry in the chain, if it is one" example:"16"`
	ID   string `json:"id,omitempty" doc:"Id of the entry, if it can be read" example:"aud_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	What string `json:"what" doc:"What is wrong with it, behind its name" example:"was changed: it does not have its hash"`
}

// Error names the entry and what is wrong with it.
func (f *AuditFault) Error() string {
	switch {
	case f.ID != "":
		return fmt.Sprintf("line %d: entry %d (%s) %s", f.Line, f.Seq, f.ID, f.What)
	case f.Seq != 0:
		return fmt.Sprintf("line %d: entry %d %s", f.Line, f.Seq, f.What)
	}
	return fmt.Sprintf("line %d: the file %s", f.Line, f.What)
}

// VerifyAudit proves an export of the audit, without a server. An error that is an *AuditFault names what does not fit; any other one is of reading. The report is
// complete only without an error.
func VerifyAudit(r io.Reader, o AuditVerifyOptions) (AuditReport, error) {
	v := auditVerifier{options: o, digest: sha256.New(), keys: map[string]ed25519.PublicKey{}, next: (*auditVerifier).export}
	in := bufio.NewReaderSize(r, 16<<10)
	for {
		text, err := readAuditLine(in)
		if errors.Is(err, io.EOF) && len(text) == 0 {
			break
		}
		v.line++
		switch {
		case errors.Is(err, errAuditLineLong):
			return v.report, v.fault("has a line of more than %d bytes", maxAuditLine)
		case errors.Is(err, io.EOF):
			return v.report, v.faultHere("is cut: the line has no end")
		case err != nil:
			return v.report, fmt.Errorf("read the export: %w", err)
		}
		if err := v.read(text); err != nil {
			return v.report, err
		}
	}
	if !v.ended {
		v.line++
		return v.report, v.faultHere("is missing: the file is cut, its last line is not there")
	}
	return v.report, nil
}

var errAuditLineLong = errors.New("line too long")

// readAuditLine gives a line with its line feed; io.EOF with what is left when there is none.
func readAuditLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxAuditLine {
			return nil, errAuditLineLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// auditLine is any line of an export; exactly one part is set, entry with prev and hash.
type auditLine struct {
	Export     *auditExport     `json:"export,omitempty"`
	Entry      json.RawMessage  `json:"entry,omitempty"`
	Prev       string           `json:"prev,omitempty"`
	Hash       string           `json:"hash,omitempty"`
	Key        *auditKey        `json:"key,omitempty"`
	Checkpoint *auditCheckpoint `json:"checkpoint,omitempty"`
	End        *auditEnd        `json:"end,omitempty"`
}

type auditExport struct {
	Format string          `json:"format"`
	Scope  string          `json:"scope"`
	At     string          `json:"at"`
	By     string          `json:"by"`
	Query  json.RawMessage `json:"query,omitempty"`
}

type auditKey struct {
	ID     string `json:"id"`
	Public []byte `json:"public"`
}

type auditCheckpoint struct {
	Seq       int64  `json:"seq"`
	Hash      string `json:"hash"`
	At        string `json:"at"`
	KeyID     string `json:"key_id"`
	Signature []byte `json:"signature"`
}

type auditEnd struct {
	Entries   int    `json:"entries"`
	Digest    string `json:"digest"`
	KeyID     string `json:"key_id"`
	Public    []byte `json:"public"`
	Signature []byte `json:"signature"`
}

// auditSealed is what is kept of an entry, for the checkpoints behind it.
type auditSealed struct {
	seq  int64
	hash [sha256.Size]byte
}

type auditVerifier struct {
	options AuditVerifyOptions
	report  AuditReport
	line    int
	next    func(*auditVerifier, auditLine) error // what may come now
	digest  hash.Hash                             // of the lines before
	entries []auditSealed
	keys    map[string]ed25519.PublicKey
	signed  auditCheckpoint // the last checkpoint
	ended   bool
}

func (v *auditVerifier) fault(format string, args ...any) error {
	return &AuditFault{Line: v.line, What: fmt.Sprintf(format, args...)}
}

// faultHere is the fault of the entry that should be on this line, in a whole export, while entries are read.
func (v *auditVerifier) faultHere(format string, args ...any) error {
	f := &AuditFault{Line: v.line, What: fmt.Sprintf(format, args...)}
	if v.report.Whole && v.report.Checkpoints == 0 && len(v.keys) == 0 {
		f.Seq = v.report.Head.Seq + 1
	}
	return f
}

// read takes one line. A line is exactly what an encoder writes for what was read of it, so nothing in it can be changed without being seen.
func (v *auditVerifier) read(text []byte) error {
	if v.ended {
		return v.fault("goes on behind its last line")
	}
	var l auditLine
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return v.faultHere("cannot be read")
	}
	var again bytes.Buffer
	e := json.NewEncoder(&again)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil || !bytes.Equal(again.Bytes(), text) {
		if len(l.Entry) > 0 {
			return v.entryFault(l.Entry, "was changed: the line is not of this format")
		}
		return v.faultHere("was changed: the line is not of this format")
	}
	if err := v.next(v, l); err != nil {
		return err
	}
	v.digest.Write(text)
	return nil
}

func (v *auditVerifier) export(l auditLine) error {
	switch {
	case l.Export == nil || l.Export.Format != auditFormat:
		return v.fault("is no export of the audit in the format %s", auditFormat)
	case l.Export.Scope != "whole" && l.Export.Scope != "part":
		return v.fault("has the unknown scope %q", l.Export.Scope)
	}
	v.report.Whole, v.report.ExportedAt, v.report.ExportedBy = l.Export.Scope == "whole", l.Export.At, l.Export.By
	v.report.Head.Hash = strings.Repeat("0", 2*sha256.Size)
	if v.options.Head != nil && !v.report.Whole {
		return v.fault("holds a part of the audit, which cannot be held against a known end of the chain")
	}
	v.next = (*auditVerifier).entry
	return nil
}

func (v *auditVerifier) entryFault(raw []byte, format string, args ...any) error {
	var e struct {
		Seq int64  `json:"seq"`
		ID  string `json:"id"`
	}
	_ = json.Unmarshal(raw, &e) // what can be read of it
	return &AuditFault{Line: v.line, Seq: e.Seq, ID: e.ID, What: fmt.Sprintf(format, args...)}
}

func (v *auditVerifier) entry(l auditLine) error {
	if len(l.Entry) == 0 {
		if err := v.entriesEnd(); err != nil {
			return err
		}
		v.next = (*auditVerifier).proof
		return v.proof(l)
	}
	var e struct {
		Seq int64  `json:"seq"`
		ID  string `json:"id"`
	}
	if err := json.Unmarshal(l.Entry, &e); err != nil || e.Seq <= 0 || e.ID == "" {
		return v.faultHere("cannot be read")
	}
	fault := func(format string, args ...any) error {
		return &AuditFault{Line: v.line, Seq: e.Seq, ID: e.ID, What: fmt.Sprintf(format, args...)}
	}
	prev, err := hex.DecodeString(l.Prev)
	if err != nil || len(prev) != sha256.Size || hex.EncodeToString(prev) != l.Prev {
		return fault("was changed: the hash before it is none")
	}
	is := sha256.Sum256(append(prev, l.Entry...))
	last := v.report.Head
	switch {
	case hex.EncodeToString(is[:]) != l.Hash:
		return fault("was changed: it does not have its hash")
	case e.Seq <= last.Seq:
		return fault("is out of order, or stands there twice: it comes behind entry %d", last.Seq)
	case v.report.Whole && e.Seq > last.Seq+1:
		return fault("does not follow entry %d: %d before it were removed", last.Seq, e.Seq-last.Seq-1)
	case e.Seq == last.Seq+1 && l.Prev != last.Hash && (v.report.Whole || len(v.entries) > 0 || e.Seq == 1):
		return fault("does not hang on entry %d as it is here: one of the two was put in place of another", last.Seq)
	case v.options.Head != nil && v.options.Head.Seq == e.Seq && v.options.Head.Hash != l.Hash:
		return fault("is not the one that is known to be at this place of the chain")
	}
	if v.report.Entries == 0 {
		v.report.First = e.Seq
	}
	v.report.Entries++
	v.report.Head = AuditHead{Seq: e.Seq, Hash: l.Hash}
	v.entries = append(v.entries, auditSealed{e.Seq, is})
	return nil
}

func (v *auditVerifier) entriesEnd() error {
	if h := v.options.Head; h != nil && h.Seq > v.report.Head.Seq {
		return v.fault("ends with entry %d, but the chain is known to go on to entry %d: its tail was cut", v.report.Head.Seq, h.Seq)
	}
	return nil
}

// proof reads the keys, the checkpoints and the end.
func (v *auditVerifier) proof(l auditLine) error {
	switch {
	case l.Key != nil:
		return v.key(l.Key.ID, l.Key.Public)
	case l.Checkpoint != nil:
		return v.checkpoint(*l.Checkpoint)
	case l.End != nil:
		return v.end(*l.End)
	}
	return v.fault("has a line where none of its kind may be")
}

// key notes a public key, whose id is made of it.
func (v *auditVerifier) key(id string, public []byte) error {
	if len(public) != ed25519.PublicKeySize || id != auditKeyID(public) {
		return v.fault("holds a public key that is not the one of its id %q", id)
	}
	if v.keys[id] == nil {
		v.keys[id] = public
		v.report.Keys = append(v.report.Keys, AuditKey{ID: id, Given: v.given(public)})
	}
	return nil
}

func auditKeyID(public []byte) string {
	digest := sha256.Sum256(public)
	return "key_" + hex.EncodeToString(digest[:13])
}

func (v *auditVerifier) given(public []byte) bool {
	digest := sha256.Sum256(public)
	return slices.ContainsFunc(v.options.Keys, func(k string) bool {
		k = strings.ToLower(strings.TrimSpace(k))
		return k == auditKeyID(public) || k == hex.EncodeToString(digest[:])
	})
}

func (v *auditVerifier) checkpoint(c auditCheckpoint) error {
	i, found := slices.BinarySearchFunc(v.entries, c.Seq, func(e auditSealed, seq int64) int { return int(max(-1, min(1, e.seq-seq))) })
	public := v.keys[c.KeyID]
	text := auditFormat + " checkpoint\n" + strconv.FormatInt(c.Seq, 10) + "\n" + c.Hash + "\n" + c.At + "\n"
	switch {
	case public == nil:
		return v.fault("has a checkpoint at entry %d by the key %q, which is not in the file", c.Seq, c.KeyID)
	case !ed25519.Verify(public, []byte(text), c.Signature):
		return v.fault("has a checkpoint at entry %d that the key %s did not sign", c.Seq, c.KeyID)
	case c.Seq <= v.signed.Seq:
		return v.fault("has checkpoints out of order: at entry %d behind entry %d", c.Seq, v.signed.Seq)
	case !found && c.Seq > v.report.Head.Seq:
		return &AuditFault{Line: v.line, Seq: v.report.Head.Seq + 1, What: fmt.Sprintf("is missing: the chain was signed up to entry %d, its tail was cut", c.Seq)}
	case !found:
		return &AuditFault{Line: v.line, Seq: c.Seq, What: "is missing: there is a checkpoint at it"}
	case hex.EncodeToString(v.entries[i].hash[:]) != c.Hash:
		return &AuditFault{Line: v.line, Seq: c.Seq, What: fmt.Sprintf("is not the one that was signed at this place: it, or one behind entry %d, was changed together with the hashes", v.signed.Seq)}
	}
	v.signed = c
	v.report.Checkpoints++
	return nil
}

func (v *auditVerifier) end(e auditEnd) error {
	if v.report.Whole && v.signed.Seq != v.report.Head.Seq {
		return &AuditFault{Line: v.line, Seq: v.report.Head.Seq, What: fmt.Sprintf("has no checkpoint, though it is the last: the signatures end at entry %d", v.signed.Seq)}
	}
	digest := hex.EncodeToString(v.digest.Sum(nil))
	switch {
	case e.Entries != v.report.Entries:
		return v.fault("holds %d entries, not the %d that were exported", v.report.Entries, e.Entries)
	case e.Digest != digest:
		return v.fault("was changed: its lines do not have the digest that was signed")
	}
	if err := v.key(e.KeyID, e.Public); err != nil {
		return err
	}
	if !ed25519.Verify(e.Public, []byte(auditFormat+" export\n"+digest+"\n"), e.Signature) {
		return v.fault("is not signed by the key %s that it names", e.KeyID)
	}
	v.report.SignedBy, v.ended = e.KeyID, true
	v.report.Trusted = v.given(e.Public) || v.report.Whole && v.report.Entries > 0 && v.given(v.keys[v.signed.KeyID])
	if len(v.options.Keys) > 0 && !v.report.Trusted {
		return v.fault("is signed by the key %s, which is none of the keys that were given", e.KeyID)
	}
	return nil
}
