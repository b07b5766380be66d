package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// list follows the pages to the end.
func (h *house) list(t testing.TB, actor blueberry.Actor, q blueberry.AuditQuery) (all []blueberry.AuditEntry) {
	t.Helper()
	for {
		page, next, err := h.List(t.Context(), actor, q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		if q.Before != "" && next >= q.Before {
			t.Fatalf("the page before %s goes on before %s", q.Before, next)
		}
		q.Before = next
	}
}

// manyArchives is a house with a run of two entries in each of n archives, and some in the record.
func manyArchives(t testing.TB, n int) *house {
	t.Helper()
	h := open(t, storetest.SQLite(t))
	for range n {
		h.note(t, 2)
		h.seal(t)
		h.add(blueberry.AuditLive + time.Hour)
		h.archive(t)
	}
	h.note(t, 3)
	return h
}

func TestListGoesThroughArchives(t *testing.T) {
	t.Parallel()
	h := manyArchives(t, 25)
	all := h.list(t, owner, blueberry.AuditQuery{Limit: 500})
	if len(all) != 53 {
		t.Fatalf("found %d", len(all))
	}
	for i := 1; i < len(all); i++ {
		if all[i-1].ID <= all[i].ID {
			t.Fatalf("out of order at %d", i)
		}
	}
	for reason, q := range map[string]blueberry.AuditQuery{
		"page by page":        {Limit: 1},
		"seven at a time":     {Limit: 7},
		"one project":         {Project: "shop", Limit: 2},
		"a resource":          {Resource: "env_1", Limit: 5},
		"a text":              {Search: "ENV_0", Limit: 3},
		"a time":              {From: all[40].At, To: all[10].At, Limit: 4},
		"the oldest":          {To: all[50].At},
		"nothing":             {Resource: "none"},
		"before one":          {Before: all[20].ID, Limit: 6},
		"before an old one":   {Before: all[51].ID},
		"before the very old": {Before: all[52].ID},
	} {
		var want []blueberry.AuditEntry
		for _, e := range all {
			if q.Matches(e) && (q.Before == "" || e.ID < q.Before) {
				want = append(want, e)
			}
		}
		if d := cmp.Diff(want, h.list(t, owner, q)); d != "" {
			t.Errorf("%s:\n%s", reason, d)
		}
	}
	page, next, err := h.List(t.Context(), owner, blueberry.AuditQuery{Resource: "none"})
	if err != nil || len(page) != 0 || next == "" {
		t.Errorf("a search that finds nothing reads on without end: %v, %q, %v", page, next, err)
	}
}

// Entries whose transactions end late get higher places in the chain than younger ones, so an archive may hold something newer than the next one.
func TestArchivesOverlap(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	put := func(at time.Time, name string) {
		t.Helper()
		if err := h.Note(t.Context(), blueberry.AuditEntry{At: at, Actor: owner, Resource: name}); err != nil {
			t.Fatal(err)
		}
	}
	put(start.Add(30*time.Second), "c")
	put(start, "a")
	h.seal(t)
	h.add(blueberry.AuditLive + time.Minute)
	h.archive(t)
	put(start.Add(20*time.Second), "b")
	put(start.Add(40*time.Second), "d")
	h.seal(t)
	h.archive(t)
	put(start.Add(25*time.Second), "bc") // not archived yet
	for limit := range 4 {
		var got []string
		for _, e := range h.list(t, owner, blueberry.AuditQuery{Limit: limit + 1}) {
			got = append(got, e.Resource)
		}
		if d := cmp.Diff([]string{"d", "c", "bc", "b", "a"}, got); d != "" {
			t.Errorf("%d at a time:\n%s", limit+1, d)
		}
	}
	h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
}

func TestAnArchiveIsTamperedWith(t *testing.T) {
	t.Parallel()
	for reason, change := range map[string]func(t *testing.T, h *house, name string){
		"changed": func(t *testing.T, h *house, name string) {
			if err := h.objects.Put(t.Context(), name, strings.NewReader("another")); err != nil {
				t.Fatal(err)
			}
		},
		"removed": func(t *testing.T, h *house, name string) {
			if err := h.objects.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		},
	} {
		h := manyArchives(t, 1)
		change(t, h, h.inObjects(t)[0])
		if _, _, err := h.List(t.Context(), owner, blueberry.AuditQuery{}); !errors.Is(err, blueberry.Unavailable) || !strings.Contains(err.Error(), "000000000001") {
			t.Errorf("%s: %v", reason, err)
		}
		var b bytes.Buffer
		if err := h.Export(t.Context(), owner, blueberry.AuditQuery{}, &b); !errors.Is(err, blueberry.Unavailable) {
			t.Errorf("%s: %v", reason, err)
		}
		if f := faultOf(t, b.Bytes(), sdk.AuditVerifyOptions{}); f == nil {
			t.Errorf("%s: what was exported of it verifies", reason)
		}
		if page, _, err := h.List(t.Context(), owner, blueberry.AuditQuery{From: h.clock().Add(-time.Hour)}); err != nil || len(page) != 3 {
			t.Errorf("%s: a page that does not need it is %d, %v", reason, len(page), err)
		}
	}
}

func TestWhoSeesTheAudit(t *testing.T) {
	t.Parallel()
	h := manyArchives(t, 2)
	for reason, c := range map[string]struct {
		actor blueberry.Actor
		q     blueberry.AuditQuery
		want  error
		only  string // project
	}{
		"the owner":                        {owner, blueberry.AuditQuery{}, nil, ""},
		"an admin of a project":            {admin, blueberry.AuditQuery{}, nil, "shop"},
		"an admin who asks for it":         {admin, blueberry.AuditQuery{Project: "shop"}, nil, "shop"},
		"an admin who asks for all":        {admin, blueberry.AuditQuery{Projects: []string{"pay", "shop", ""}}, nil, "shop"},
		"where the actor lacks the grant":  {admin, blueberry.AuditQuery{Project: "pay"}, blueberry.Forbidden, ""},
		"a project that one may not see":   {admin, blueberry.AuditQuery{Project: "hr"}, blueberry.NotFound, ""},
		"nobody":                           {nobody, blueberry.AuditQuery{}, blueberry.Forbidden, ""},
		"nobody, a project":                {nobody, blueberry.AuditQuery{Project: "shop"}, blueberry.NotFound, ""},
		"a result that is none":            {owner, blueberry.AuditQuery{Result: "x"}, blueberry.Invalid, ""},
		"a cursor of nobody":               {owner, blueberry.AuditQuery{Before: "env_1"}, blueberry.Invalid, ""},
		"to before from":                   {owner, blueberry.AuditQuery{From: start, To: start}, blueberry.Invalid, ""},
		"a result that is none, by nobody": {nobody, blueberry.AuditQuery{Result: "x"}, blueberry.Forbidden, ""},
	} {
		_, _, err := h.List(t.Context(), c.actor, c.q)
		if c.want != nil {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", reason, err)
			}
			var b bytes.Buffer
			if err := h.Export(t.Context(), c.actor, c.q, &b); !errors.Is(err, c.want) && c.q.Before == "" || b.Len() > 0 && c.q.Before == "" {
				t.Errorf("%s: export %v, of %d bytes", reason, err, b.Len())
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", reason, err)
			continue
		}
		all := h.list(t, c.actor, c.q)
		export := h.export(t, c.actor, c.q)
		r := h.verify(t, export)
		if len(all) == 0 || r.Entries != len(all) || r.Whole != (c.only == "") {
			t.Errorf("%s: %d are listed, the export is %+v", reason, len(all), r)
		}
		for _, e := range all {
			if c.only != "" && e.Project != c.only {
				t.Errorf("%s: sees %+v", reason, e)
			}
		}
		if c.only != "" && bytes.Contains(export, []byte(`"project":"pay"`)) {
			t.Errorf("%s: the export shows another project", reason)
		}
	}
}

// An export goes on while entries are written, sealed and archived under its feet.
func TestExportMeanwhile(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	h.note(t, 1200)
	h.seal(t)
	w := &hook{at: 20, do: func() {
		h.add(blueberry.AuditLive)
		h.note(t, 10)
		h.seal(t)
		h.archive(t)
	}}
	if err := h.Export(t.Context(), owner, blueberry.AuditQuery{}, w); err != nil {
		t.Fatal(err)
	}
	if r := h.verify(t, w.Bytes()); r.Entries != 1200 || h.inRecord(t) != 10 {
		t.Errorf("the report is %+v, %d are in the record", r, h.inRecord(t))
	}
	failed := errors.New("the client is gone")
	if err := h.Export(t.Context(), owner, blueberry.AuditQuery{}, gone{failed}); !errors.Is(err, failed) {
		t.Errorf("the client is gone: %v", err)
	}
}

// hook does something at one of the writes.
type hook struct {
	bytes.Buffer
	at int
	do func()
}

func (h *hook) Write(b []byte) (int, error) {
	if h.at--; h.at == 0 {
		h.do()
	}
	return h.Buffer.Write(b)
}

type gone struct{ err error }

func (g gone) Write([]byte) (int, error) { return 0, g.err }

func TestNote(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	call := &blueberry.Call{Caller: blueberry.Caller{RequestID: "req_1"}}
	e := blueberry.AuditEntry{Actor: nobody, Action: "environments:delete", Resource: "env_1", Result: blueberry.AuditDenied, Detail: fmt.Sprint(errors.New("it is denied"))}
	ctx, hangUp := context.WithCancel(blueberry.WithCall(t.Context(), call))
	hangUp()
	if err := h.Note(ctx, e); err != nil {
		t.Fatal(err)
	}
	got := h.list(t, owner, blueberry.AuditQuery{})
	if len(got) != 1 || !got[0].At.Equal(start) || got[0].Caller.RequestID != "req_1" || got[0].Result != blueberry.AuditDenied || !call.Noted() {
		t.Errorf("noted %+v", got)
	}
}
