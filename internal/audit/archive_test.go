package audit_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/audit"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func (h *house) inObjects(t testing.TB) []string {
	t.Helper()
	names, err := h.objects.List(t.Context(), "audit/", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (h *house) inRecord(t testing.TB) (n int) {
	t.Helper()
	if err := h.store.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM audit").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestArchive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := open(t, s)
		h.note(t, 6)
		h.seal(t)
		before := h.list(t, owner, blueberry.AuditQuery{})
		h.add(blueberry.AuditLive - 5*time.Second) // the first is 90 days old, to the moment
		if n := h.archive(t); n != 0 {
			t.Errorf("archived %d, none is older than 90 days", n)
		}
		h.add(2 * time.Second)
		if n := h.archive(t); n != 2 {
			t.Errorf("archived %d", n)
		}
		h.note(t, 3) // not sealed yet
		h.add(blueberry.AuditLive - 2*time.Second)
		if n := h.archive(t); n != 4 {
			t.Errorf("archived %d: what is not sealed stays", n)
		}
		if d := cmp.Diff([]string{"audit/2026/000000000001-000000000002.jsonl.gz", "audit/2026/000000000003-000000000006.jsonl.gz"}, h.inObjects(t)); d != "" {
			t.Error(d)
		}
		if n := h.inRecord(t); n != 3 {
			t.Errorf("%d are in the record", n)
		}
		if d := cmp.Diff(before, h.list(t, owner, blueberry.AuditQuery{})[3:]); d != "" {
			t.Errorf("what was archived is not found as it was:\n%s", d)
		}
		r := h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
		if !r.Whole || r.Entries != 9 || r.First != 1 {
			t.Errorf("the chain is not whole: %+v", r)
		}
	})
}

// failing is a place for objects, or a record, that fails at one line.
type failing struct {
	audit.Objects
	put, list error
}

func (f failing) Put(ctx context.Context, name string, content io.Reader) error {
	if f.put != nil {
		return f.put
	}
	return f.Objects.Put(ctx, name, content)
}

func (f failing) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if f.list != nil {
		return nil, f.list
	}
	return f.Objects.List(ctx, prefix, after, limit)
}

// A process that archives dies at any line; the next one does the work, and nothing is lost or doubled.
func TestArchiveDies(t *testing.T) {
	t.Parallel()
	died := errors.New("died")
	for reason, breaks := range map[string]func(*audit.Auditor, *house){
		"before the object":          func(a *audit.Auditor, h *house) { a.Objects = failing{Objects: h.objects, put: died} },
		"before the record knows it": func(a *audit.Auditor, h *house) { a.Record = dying{record{h.store}, died} },
		"behind the commit":          func(a *audit.Auditor, h *house) { a.Objects = failing{Objects: h.objects, list: died} },
	} {
		h := open(t, storetest.SQLite(t))
		h.note(t, 4)
		h.seal(t)
		want := h.list(t, owner, blueberry.AuditQuery{})
		h.add(blueberry.AuditLive - time.Second)
		broken := *h.Auditor
		breaks(&broken, h)
		if _, err := broken.Archive(t.Context()); !errors.Is(err, died) {
			t.Errorf("%s: %v", reason, err)
		}
		if d := cmp.Diff(want, h.list(t, owner, blueberry.AuditQuery{})); d != "" {
			t.Errorf("%s, meanwhile:\n%s", reason, d)
		}
		h.add(time.Hour) // one entry more is due now, so the next archive has another name
		h.archive(t)
		if n := h.inRecord(t); n != 0 {
			t.Errorf("%s: %d are in the record", reason, n)
		}
		if d := cmp.Diff(want, h.list(t, owner, blueberry.AuditQuery{})); d != "" {
			t.Errorf("%s:\n%s", reason, d)
		}
		h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
		last := h.inObjects(t)
		if reason != "behind the commit" && cmp.Diff([]string{"audit/2026/000000000001-000000000004.jsonl.gz"}, last) != "" {
			t.Errorf("%s: it leaves %v", reason, last)
		}
	}
}

func TestManyArchiveAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := open(t, s)
		h.note(t, 20)
		h.seal(t)
		want := h.list(t, owner, blueberry.AuditQuery{})
		var wg sync.WaitGroup
		for i := range 4 {
			h.add(blueberry.AuditLive / 3)
			other := *h.Auditor
			at := h.clock().Add(time.Duration(i) * time.Second)
			other.Now = func() time.Time { return at } // whose clocks are not the same
			wg.Go(func() {
				if _, err := other.Archive(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		h.archive(t)
		if d := cmp.Diff(want, h.list(t, owner, blueberry.AuditQuery{})); d != "" {
			t.Error(d)
		}
		h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
	})
}

// FuzzUnpack: no object makes the reader of archives fall over, and what it reads it would write again.
func FuzzUnpack(f *testing.F) {
	h := open(f, storetest.SQLite(f))
	h.note(f, 3)
	h.seal(f)
	good, err := audit.Pack(h.list(f, owner, blueberry.AuditQuery{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, []byte(nil))
	f.Add(good[:len(good)/2], []byte(nil))
	f.Add([]byte(nil), []byte(`{"entry":{"seq":1,"id":"aud_1","at":"2026-03-01T10:00:00.123456Z","actor":{}},"prev":"","hash":""}`))
	f.Add([]byte(nil), []byte(`{"entry":null}{}`))
	f.Fuzz(func(t *testing.T, content, lines []byte) {
		if len(lines) > 0 {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			if _, err := z.Write(lines); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			content = b.Bytes()
		}
		entries, err := audit.Unpack(content)
		if err != nil {
			return
		}
		again, err := audit.Pack(entries)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := audit.Unpack(again); err != nil || len(got) != len(entries) {
			t.Errorf("%d entries come back as %d, %v", len(entries), len(got), err)
		}
	})
}
