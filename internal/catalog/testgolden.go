package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// compareGolden tells each field in which the manifests differ from the golden files, or makes the golden files anew.
func (t *tester) compareGolden(r *TestResult, c testCase, files []blueberry.RenderedFile) error {
	if c.golden == "" {
		return nil
	}
	golden, err := t.readGolden(c.golden)
	if err != nil {
		return err
	}
	if t.Write != nil {
		return t.writeGolden(r, c.golden, golden, files)
	}
	for _, f := range files {
		want, ok := golden[f.Name]
		delete(golden, f.Name)
		name := path.Join(c.golden, f.Name)
		switch {
		case !ok:
			r.differ(TestDifference{Kind: "golden", File: name, Message: "is not there, and would hold " + counted(len(f.Objects), "object")})
		case !bytes.Equal(want, f.Content):
			r.compareFile(name, blueberry.RenderedFile{Name: f.Name, Wave: f.Wave, Component: f.Component, Content: want}, f)
		}
	}
	for _, name := range sortedNames(golden) {
		r.differ(TestDifference{Kind: "golden", File: path.Join(c.golden, name), Message: "is there, and nothing renders it"})
	}
	return nil
}

// compareFile tells the fields of one file that differ, or, when none does, the first line.
func (r *TestResult) compareFile(name string, want, got blueberry.RenderedFile) {
	line, was, is := firstDifference(want.Content, got.Content)
	objects, err := render.Diff([]blueberry.RenderedFile{want}, []blueberry.RenderedFile{got})
	if err != nil {
		r.differ(TestDifference{Kind: "golden", File: name, Message: fmt.Sprintf("cannot be read as manifests (%v): line %d should be %q, and is %q", err, line, is, was)})
		return
	}
	before := len(r.Differences)
	for _, o := range objects {
		switch o.Action {
		case blueberry.ObjectCreated:
			r.differ(TestDifference{Kind: "golden", File: name, Object: o.String(), Message: "is rendered, and the golden file does not hold it"})
		case blueberry.ObjectDeleted:
			r.differ(TestDifference{Kind: "golden", File: name, Object: o.String(), Message: "is in the golden file, and is not rendered"})
		case blueberry.ObjectUpdated:
			for _, f := range o.Fields {
				r.differ(TestDifference{Kind: "golden", File: name, Object: o.String(), Field: f.Path, Message: fieldText(f)})
			}
		case blueberry.ObjectUnchanged:
		}
	}
	if len(r.Differences) == before {
		r.differ(TestDifference{Kind: "golden", File: name, Message: fmt.Sprintf("holds the same objects in other bytes: line %d is %q, and should be %q", line, is, was)})
	}
}

func fieldText(f blueberry.FieldDiff) string {
	switch {
	case !f.HasBefore:
		return "is " + valueText(f.After) + ", and should not be there"
	case !f.HasAfter:
		return "is not there, and should be " + valueText(f.Before)
	}
	return "is " + valueText(f.After) + ", and should be " + valueText(f.Before)
}

// maxValueText is how much of a value a message shows, in characters.
const maxValueText = 200

func valueText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if utf8.RuneCount(b) > maxValueText {
		return string([]rune(string(b))[:maxValueText]) + "…"
	}
	return string(b)
}

func firstDifference(a, b []byte) (line int, was, is []byte) {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range max(len(x), len(y)) {
		was, is = nil, nil
		if i < len(x) {
			was = x[i]
		}
		if i < len(y) {
			is = y[i]
		}
		if !bytes.Equal(was, is) || i >= len(x) || i >= len(y) {
			return i + 1, was, is
		}
	}
	return 0, nil, nil
}

// readGolden reads the golden files of a directory; one that is not there holds none.
func (t *tester) readGolden(dir string) (map[string][]byte, error) {
	out := map[string][]byte{}
	entries, err := fs.ReadDir(t.tree, path.Join(t.dir, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || path.Ext(e.Name()) != ".yaml" {
			continue
		}
		if out[e.Name()], err = fs.ReadFile(t.tree, path.Join(t.dir, dir, e.Name())); err != nil {
			return nil, fmt.Errorf("read %s: %w", dir, err)
		}
	}
	return out, nil
}

func (t *tester) writeGolden(r *TestResult, dir string, golden map[string][]byte, files []blueberry.RenderedFile) error {
	for _, f := range files {
		was, ok := golden[f.Name]
		delete(golden, f.Name)
		if ok && bytes.Equal(was, f.Content) {
			continue
		}
		name := path.Join(t.dir, dir, f.Name)
		if err := t.Write(name, f.Content); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		r.Written = append(r.Written, name)
	}
	if t.Remove == nil {
		return nil
	}
	for _, left := range sortedNames(golden) {
		name := path.Join(t.dir, dir, left)
		if err := t.Remove(name); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
		r.Removed = append(r.Removed, name)
	}
	return nil
}

func sortedNames(files map[string][]byte) []string {
	var out []string
	for name := range files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
