package store

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// A cursor comes from outside. Whatever it is, it is read or refused, and what is read was made by us or could have been.
func FuzzDecodeCursor(f *testing.F) {
	q := blueberry.EnvironmentQuery{Sort: blueberry.SortByName, Owner: "ada"}
	by, _ := sortColumnOf(q.Sort)
	good, err := encodeCursor(positionOf(q, by, environmentRow{ID: "env_1", Name: "pr-1"}))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, "", "e30", "bnVsbA", good + "A", good[:len(good)-1], "eyJxIjoiIiwiaSI6MX0"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, cursor string, text bool) {
		p, err := decodeCursor(cursor, environmentsDigest(q), text)
		if err != nil {
			return
		}
		if p.ID == "" || text && p.Int != 0 || !text && p.Text != "" || p.Query != environmentsDigest(q) {
			t.Errorf("took %+v", p)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	s := &Store{}
	files := []blueberry.RenderedFile{{Name: "01-web.yaml", Wave: 1, Component: "web", Content: []byte("a: b\n"), Objects: []blueberry.ObjectRef{{APIVersion: "v1", Kind: "Service", Name: "web"}}}}
	good, err := s.pack(files)
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
		again, err := s.pack(files)
		if err != nil {
			t.Fatal(err)
		}
		back, err := unpack(again)
		if d := cmp.Diff(files, back); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
	})
}

// The settings of a revision are read or refused, and what was read is kept as it is.
func FuzzUnpackSettings(f *testing.F) {
	s := &Store{}
	good, err := s.packSettings([]blueberry.Setting{
		{Path: "web.replicas", Value: 2, Origin: blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: "shop", Version: 3, Author: "ada"}, Shadows: []blueberry.Shadow{
			{Origin: blueberry.Origin{Layer: blueberry.LayerChart, Name: "web-service"}, Value: 1.5},
		}},
		{Path: "web.env.A", Deleted: true, Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	for _, text := range []string{`null`, `{"leaves":[{"p":"a","o":0}]}`, `{"origins":[{}],"leaves":[{"o":-1}]}`, `{"origins":[{}],"leaves":[{"v":1e999,"s":[{"o":9}]}]}`, `{}{}`} {
		b, err := s.press(func(w io.Writer) error {
			_, err := w.Write([]byte(text))
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		settings, err := unpackSettings(b)
		if err != nil {
			return
		}
		again, err := s.packSettings(settings)
		if err != nil {
			t.Fatal(err)
		}
		back, err := unpackSettings(again)
		if d := cmp.Diff(settings, back, cmpopts.EquateEmpty()); err != nil || d != "" {
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
		d := environmentsDigest(q)
		if other, ok := seen[d]; ok {
			t.Errorf("%+v and %+v have one digest", q, other)
		}
		seen[d] = q
	}
	a := blueberry.EnvironmentQuery{Phases: []blueberry.Phase{"a", "b", "a"}, Limit: 3, Cursor: "x"}
	b := blueberry.EnvironmentQuery{Phases: []blueberry.Phase{"b", "a"}, Sort: blueberry.SortByCreated}
	if environmentsDigest(a) != environmentsDigest(b) {
		t.Error("the order of phases, the limit or the cursor counts")
	}
	if len(a.Phases) != 3 || a.Phases[1] != "b" {
		t.Error("the query was changed")
	}
}
