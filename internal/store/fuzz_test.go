package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// A cursor comes from outside. Whatever it is, it is read or refused, and what is read was made by us or could have been.
func FuzzDecodeCursor(f *testing.F) {
	q := blueberry.EnvironmentQuery{Sort: blueberry.SortByName, Owner: "ada"}
	by, _ := sortColumnOf(q.Sort)
	row := environmentRow{ID: "env_1", Name: "pr-1"}
	good, err := encodeCursor(q, by, row)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, "", "e30", "bnVsbA", good + "A", good[:len(good)-1], "eyJxIjoiIiwiaSI6MX0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		q.Cursor = cursor
		p, err := decodeCursor(q, by)
		if err != nil {
			return
		}
		if p.ID == "" || p.Int != 0 || p.Query != queryDigest(q) {
			t.Errorf("took %+v", p)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	files := []blueberry.RenderedFile{{Name: "01-web.yaml", Wave: 1, Component: "web", Content: []byte("a: b\n"), Objects: []blueberry.ObjectRef{{APIVersion: "v1", Kind: "Service", Name: "web"}}}}
	good, err := pack(files)
	if err != nil {
		f.Fatal(err)
	}
	back, err := unpack(good)
	if d := cmp.Diff(files, back); err != nil || d != "" {
		f.Fatalf("%v\n%s", err, d)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := unpack(b)
		if err != nil {
			return
		}
		again, err := pack(files)
		if err != nil {
			t.Fatal(err)
		}
		back, err := unpack(again)
		if d := cmp.Diff(files, back); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
	})
}

// Two queries have one digest only when they ask for the same.
func TestQueryDigestTellsQueriesApart(t *testing.T) {
	t.Parallel()
	seen := map[string]blueberry.EnvironmentQuery{}
	for _, q := range []blueberry.EnvironmentQuery{
		{},
		{Project: "a"},
		{Name: "a"},
		{Search: "a"},
		{Owner: "a"},
		{Project: `a" "b`},
		{Project: "a", Name: "b"},
		{Desc: true},
		{Phases: []blueberry.Phase{"a"}},
		{Phases: []blueberry.Phase{"a", "b"}},
		{Phases: []blueberry.Phase{`a" "b`}},
		{Sort: blueberry.SortByName},
	} {
		d := queryDigest(q)
		if other, ok := seen[d]; ok {
			t.Errorf("%+v and %+v have one digest", q, other)
		}
		seen[d] = q
	}
	a := blueberry.EnvironmentQuery{Phases: []blueberry.Phase{"a", "b", "a"}, Limit: 3, Cursor: "x"}
	b := blueberry.EnvironmentQuery{Phases: []blueberry.Phase{"b", "a"}, Sort: blueberry.SortByCreated}
	if queryDigest(a) != queryDigest(b) {
		t.Error("the order of phases, the limit or the cursor counts")
	}
	if len(a.Phases) != 3 || a.Phases[1] != "b" {
		t.Error("the query was changed")
	}
}
