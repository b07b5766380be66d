package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// small is an export of four entries with two checkpoints, at 2 and 4.
func small(t testing.TB) (*house, []byte) {
	t.Helper()
	h := open(t, storetest.SQLite(t))
	h.note(t, 2)
	h.seal(t)
	h.add(time.Minute)
	h.note(t, 2)
	return h, h.export(t, owner, blueberry.AuditQuery{})
}

// Whatever byte of an export is changed, the verifier names the entry that it is in, or refuses the file.
func TestAByteIsFlipped(t *testing.T) {
	t.Parallel()
	h, whole := small(t)
	h.verify(t, whole)
	for name, export := range map[string][]byte{"whole": whole, "part": h.export(t, owner, blueberry.AuditQuery{Action: "environments:"})} {
		line, entry := 1, 0
		flipped := bytes.Clone(export)
		for i := range export {
			flipped[i] ^= 1 << (i % 8)
			f := faultOf(t, flipped, sdk.AuditVerifyOptions{})
			if f == nil {
				t.Fatalf("%s: byte %d, %q, was flipped to %q on line %d, and nobody sees it", name, i, export[i], flipped[i], line)
			}
			if entry > 0 && f.Line != line {
				t.Errorf("%s: byte %d of line %d was flipped, and the fault is %v", name, i, line, f)
			}
			if entry > 0 && name == "whole" && f.Seq == 0 {
				t.Errorf("byte %d of entry %d was flipped, and the fault names none: %v", i, entry, f)
			}
			flipped[i] = export[i]
			if export[i] == '\n' {
				line++
				if entry = line - 1; line > 5 {
					entry = 0
				}
			}
		}
	}
}

// attack is what someone does to the lines of an export. The lines are: head, entries 1 to 4, key, checkpoints at 2 and 4, end.
type attack struct {
	change func(lines []string) []string
	seq    int64 // of the entry that is named; 0: the file is refused
	what   string
}

func attacks() map[string]attack {
	return map[string]attack{
		"an entry is removed":           {func(l []string) []string { return slices.Delete(l, 2, 3) }, 3, "1 before it were removed"},
		"the first entry is removed":    {func(l []string) []string { return slices.Delete(l, 1, 2) }, 2, "1 before it were removed"},
		"two change places":             {func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }, 3, "1 before it were removed"},
		"one stands there twice":        {func(l []string) []string { return slices.Insert(l, 3, l[2]) }, 2, "twice"},
		"the last entry is removed":     {func(l []string) []string { return slices.Delete(l, 4, 5) }, 4, "its tail was cut"},
		"the tail and its checkpoint":   {func(l []string) []string { return slices.Delete(slices.Delete(l, 7, 8), 3, 5) }, 0, "holds 2 entries, not the 4"},
		"the last checkpoint":           {func(l []string) []string { return slices.Delete(l, 7, 8) }, 4, "has no checkpoint"},
		"a checkpoint in the middle":    {func(l []string) []string { return slices.Delete(l, 6, 7) }, 0, "was changed"},
		"the checkpoints change places": {func(l []string) []string { l[6], l[7] = l[7], l[6]; return l }, 0, "out of order"},
		"the key":                       {func(l []string) []string { return slices.Delete(l, 5, 6) }, 0, "which is not in the file"},
		"the end":                       {func(l []string) []string { return l[:8] }, 0, "the file is cut"},
		"all but the head":              {func(l []string) []string { return l[:1] }, 1, "the file is cut"},
		"everything":                    {func([]string) []string { return nil }, 0, "the file is cut"},
		"the head":                      {func(l []string) []string { return l[1:] }, 0, "is no export"},
		"something behind the end":      {func(l []string) []string { return append(l, l[1]) }, 0, "goes on"},
		"an empty line":                 {func(l []string) []string { return slices.Insert(l, 2, "") }, 2, "cannot be read"},
		"an entry behind the keys":      {func(l []string) []string { return slices.Insert(l, 6, l[4]) }, 0, "where none of its kind may be"},
		"white space in an entry":       {func(l []string) []string { l[2] = strings.Replace(l[2], `{"seq"`, `{ "seq"`, 1); return l }, 2, "was changed"},
		"white space in a line":         {func(l []string) []string { l[2] = strings.Replace(l[2], `{"entry"`, `{ "entry"`, 1); return l }, 2, "was changed"},
		"a field beside it":             {func(l []string) []string { l[2] = strings.Replace(l[2], `{"entry"`, `{"x":1,"entry"`, 1); return l }, 2, "cannot be read"},
		"a second entry in a line": {func(l []string) []string {
			l[2] = strings.Replace(l[2], `"prev"`, `"entry":{"seq":2,"id":"x"},"prev"`, 1)
			return l
		}, 2, "was changed"},
		"a detail":                     {func(l []string) []string { l[3] = strings.Replace(l[3], "made", "Made", 1); return l }, 3, "does not have its hash"},
		"a detail and its hash":        {func(l []string) []string { l[3] = rehash(l[3], "made", "Made", ""); return l }, 4, "does not hang on entry 3"},
		"a detail and all hashes":      {forge, 4, "is not the one that was signed"},
		"a whole one is called a part": {func(l []string) []string { l[0] = strings.Replace(l[0], "whole", "part", 1); return l }, 0, "was changed"},
		"a line without end":           {func(l []string) []string { l[2] = strings.Repeat("x", 2<<20); return l }, 0, "more than"},
	}
}

// rehash changes an entry and gives it the hash that fits, behind another one if prev is given.
func rehash(text, old, new, prev string) string {
	var l struct {
		Entry json.RawMessage `json:"entry"`
		Prev  string          `json:"prev"`
		Hash  string          `json:"hash"`
	}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		panic(err)
	}
	entry := strings.Replace(string(l.Entry), old, new, 1)
	if prev != "" {
		l.Prev = prev
	}
	before, _ := hex.DecodeString(l.Prev)
	sum := sha256.Sum256(append(before, entry...))
	return fmt.Sprintf(`{"entry":%s,"prev":%q,"hash":%q}`, entry, l.Prev, hex.EncodeToString(sum[:]))
}

func hashOf(text string) string {
	var l struct{ Hash string }
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		panic(err)
	}
	return l.Hash
}

// forge changes the third entry and hangs all behind it on the change.
func forge(l []string) []string {
	l[3] = rehash(l[3], "made", "Made", "")
	l[4] = rehash(l[4], "", "", hashOf(l[3]))
	return l
}

func TestTampering(t *testing.T) {
	t.Parallel()
	_, export := small(t)
	for reason, a := range attacks() {
		lines := a.change(strings.Split(strings.TrimSuffix(string(export), "\n"), "\n"))
		text := strings.Join(lines, "\n") + "\n"
		if len(lines) == 0 {
			text = ""
		}
		f := faultOf(t, []byte(text), sdk.AuditVerifyOptions{})
		if f == nil || f.Seq != a.seq || !strings.Contains(f.What, a.what) {
			t.Errorf("%s: %+v, want entry %d: %s", reason, f, a.seq, a.what)
		}
	}
	for n := 0; n < len(export); n += 5 {
		if f := faultOf(t, export[:n], sdk.AuditVerifyOptions{}); f == nil {
			t.Fatalf("cut to %d bytes, it verifies", n)
		}
	}
}

func TestWhatTheVerifierKnows(t *testing.T) {
	t.Parallel()
	h, export := small(t)
	forger, forged := small(t)
	sum := sha256.Sum256(h.ring.Public())
	digest := hex.EncodeToString(sum[:])
	report := h.verify(t, export)
	part := h.export(t, owner, blueberry.AuditQuery{Project: "shop"})
	for reason, c := range map[string]struct {
		export []byte
		o      sdk.AuditVerifyOptions
		what   string // of the fault; empty for none
	}{
		"nothing":                      {export, sdk.AuditVerifyOptions{}, ""},
		"the key":                      {export, sdk.AuditVerifyOptions{Keys: []string{h.ring.ID()}}, ""},
		"its digest":                   {export, sdk.AuditVerifyOptions{Keys: []string{"x", " " + strings.ToUpper(digest) + "\n"}}, ""},
		"another key":                  {export, sdk.AuditVerifyOptions{Keys: []string{forger.ring.ID()}}, "none of the keys that were given"},
		"no key, a file made anew":     {forged, sdk.AuditVerifyOptions{}, ""}, // the report says that the key came from the file
		"the key, a file made anew":    {forged, sdk.AuditVerifyOptions{Keys: []string{h.ring.ID()}}, "none of the keys that were given"},
		"the key, a part":              {part, sdk.AuditVerifyOptions{Keys: []string{h.ring.ID()}}, ""},
		"another key, a part":          {part, sdk.AuditVerifyOptions{Keys: []string{forger.ring.ID()}}, "none of the keys that were given"},
		"the head":                     {export, sdk.AuditVerifyOptions{Head: &report.Head}, ""},
		"an earlier head":              {export, sdk.AuditVerifyOptions{Head: &sdk.AuditHead{Seq: 2, Hash: hashOf(strings.Split(string(export), "\n")[2])}}, ""},
		"a later head":                 {export, sdk.AuditVerifyOptions{Head: &sdk.AuditHead{Seq: 9, Hash: "x"}}, "its tail was cut"},
		"another entry at this place":  {forged, sdk.AuditVerifyOptions{Head: &sdk.AuditHead{Seq: 2, Hash: report.Head.Hash}}, "is not the one that is known"},
		"a head, a part":               {part, sdk.AuditVerifyOptions{Head: &report.Head}, "cannot be held against"},
		"no export but something else": {[]byte("{}\n"), sdk.AuditVerifyOptions{}, "is no export"},
	} {
		f := faultOf(t, c.export, c.o)
		if (f == nil) != (c.what == "") || f != nil && !strings.Contains(f.What, c.what) {
			t.Errorf("%s: %v", reason, f)
		}
	}
	r, err := sdk.VerifyAudit(bytes.NewReader(forged), sdk.AuditVerifyOptions{})
	if err != nil || r.Trusted || len(r.Keys) != 1 || r.Keys[0].Given {
		t.Errorf("a file made anew is reported as %+v, %v", r, err)
	}
	broken := errors.New("the disk is broken")
	if _, err := sdk.VerifyAudit(iotest.ErrReader(broken), sdk.AuditVerifyOptions{}); !errors.Is(err, broken) {
		t.Errorf("reading fails: %v", err)
	}
}

// What is changed in the record itself is seen in the export.
func TestTheRecordIsTamperedWith(t *testing.T) {
	t.Parallel()
	h, _ := small(t)
	h.exec(t, `CREATE TABLE kept AS SELECT * FROM audit`)
	for reason, c := range map[string]struct {
		query string
		seq   int64
	}{
		"a detail":           {`UPDATE audit SET detail = 'nothing' WHERE seq = 2`, 2},
		"the actor":          {`UPDATE audit SET actor_name = 'eve' WHERE seq = 3`, 3},
		"the result":         {`UPDATE audit SET result = 'denied' WHERE seq = 1`, 1},
		"the time":           {`UPDATE audit SET at = at + 1 WHERE seq = 1`, 1},
		"no JSON any more":   {`UPDATE audit SET "after" = '{' WHERE seq = 2`, 2},
		"an entry is gone":   {`DELETE FROM audit WHERE seq = 2`, 3},
		"the first is gone":  {`DELETE FROM audit WHERE seq = 1`, 2},
		"the last is gone":   {`DELETE FROM audit WHERE seq = 4`, 4},
		"one was put in":     {`INSERT INTO audit SELECT 'aud_x', actor_kind, actor_id, actor_name, actor_grants, action, resource, detail, at, user_id, on_behalf_of, credential, emergency, project, "before", "after", result, request_id, address, user_agent, route, 5, prev, hash FROM audit WHERE seq = 4`, 0},
		"two changed places": {`UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); UPDATE audit SET seq = -seq WHERE seq < 0`, 2},
	} {
		h.exec(t, c.query)
		f := faultOf(t, h.export(t, owner, blueberry.AuditQuery{}), sdk.AuditVerifyOptions{})
		switch {
		case reason == "one was put in": // behind the head: it is not of the chain, and is not exported
			if f != nil {
				t.Errorf("%s: %v", reason, f)
			}
		case f == nil || f.Seq != c.seq:
			t.Errorf("%s: %v, want entry %d", reason, f, c.seq)
		}
		h.exec(t, `DELETE FROM audit; INSERT INTO audit SELECT * FROM kept`)
		h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
	}
}

// FuzzVerifyAudit: no file makes the verifier fall over, and none but ours verifies by our key.
func FuzzVerifyAudit(f *testing.F) {
	h, export := small(f)
	f.Add(export)
	f.Add(h.export(f, owner, blueberry.AuditQuery{Project: "shop"}))
	f.Add([]byte("{}\n"))
	for _, l := range bytes.SplitAfter(export, []byte("\n")) {
		f.Add(l)
	}
	ours := map[string]bool{}
	ours[string(export)] = true
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := sdk.VerifyAudit(bytes.NewReader(text), sdk.AuditVerifyOptions{Keys: []string{h.ring.ID()}})
		if err == nil && r.Whole && !ours[string(text)] {
			t.Errorf("a forged file verifies: %+v", r)
		}
	})
}
