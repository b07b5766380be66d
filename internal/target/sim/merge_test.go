package sim

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

type fields = map[string]any

func TestMerge(t *testing.T) {
	t.Parallel()
	item := func(name string, more ...any) fields {
		out := fields{"name": name}
		for i := 0; i+1 < len(more); i += 2 {
			out[fmt.Sprint(more[i])] = more[i+1]
		}
		return out
	}
	cases := map[string]struct {
		reason                string
		live, was, want, then fields
	}{
		"a value": {reason: "ours wins", live: fields{"a": 2}, was: fields{"a": 1}, want: fields{"a": 1}, then: fields{"a": 1}},
		"what others added": {
			reason: "stays, at any depth", live: fields{"a": 1, "b": 2, "m": fields{"x": 1, "y": 2}}, was: fields{"a": 1, "m": fields{"x": 1}},
			want: fields{"a": 1, "m": fields{"x": 3}}, then: fields{"a": 1, "b": 2, "m": fields{"x": 3, "y": 2}},
		},
		"what is not wanted any more": {
			reason: "goes, but for what others added to it", live: fields{"a": 1, "m": fields{"x": 1, "y": 2}, "n": fields{"x": 1}},
			was: fields{"a": 1, "m": fields{"x": 1}, "n": fields{"x": 1}}, want: fields{}, then: fields{"m": fields{"y": 2}},
		},
		"items with names": {
			reason: "are told apart by them, and stand as the manifest has them",
			live:   fields{"l": []any{item("a", "v", 9), item("theirs"), item("b", "v", 1, "w", 2), item("old")}},
			was:    fields{"l": []any{item("a", "v", 1), item("b", "v", 1), item("old")}},
			want:   fields{"l": []any{item("b", "v", 3), item("a", "v", 1), item("new")}},
			then:   fields{"l": []any{item("b", "v", 3, "w", 2), item("a", "v", 1), item("new"), item("theirs")}},
		},
		"another list": {reason: "is one value", live: fields{"l": []any{1, 2, 3}}, was: fields{"l": []any{1, 2}}, want: fields{"l": []any{1}}, then: fields{"l": []any{1}}},
		"another shape": {
			reason: "ours wins", live: fields{"a": fields{"x": 1}, "b": 1}, was: fields{}, want: fields{"a": 1, "b": fields{"x": 1}}, then: fields{"a": 1, "b": fields{"x": 1}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.then, merge(c.live, c.was, c.want)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// draw is an object.
func draw(t *rapid.T, depth int) fields {
	out := fields{}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		key := rapid.SampledFrom([]string{"a", "b", "shop-pr-1", "pr-1.example.com"}).Draw(t, "key")
		switch sort := rapid.IntRange(0, 3).Draw(t, "sort"); {
		case sort == 0 && depth > 0:
			out[key] = draw(t, depth-1)
		case sort == 1 && depth > 0:
			list := []any{}
			for i := range rapid.IntRange(0, 3).Draw(t, "items") {
				item := draw(t, depth-1)
				item["name"] = fmt.Sprintf("n%d", i)
				list = append(list, item)
			}
			out[key] = list
		default:
			out[key] = rapid.SampledFrom([]any{"shop-pr-1", "pr-1", "shop", `"<&\u0001pr-1`, "\x01\x02", int64(7), 1.5, true, nil}).Draw(t, "value")
		}
	}
	return out
}

// TestAnApplyIsRepeatable: what an apply makes holds what was asked for, and asking again changes nothing.
func TestAnApplyIsRepeatable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		live, was, want := draw(t, 3), draw(t, 3), draw(t, 3)
		once := merge(live, was, want)
		if twice := merge(once, want, want); !blueberry.SameValue(twice, once) {
			t.Fatalf("applied twice (-once +twice):\n%s", cmp.Diff(once, twice))
		}
		if fresh := merge(fields{}, nil, want); !blueberry.SameValue(fresh, want) {
			t.Fatalf("made as %v, want %v", fresh, want)
		}
		if gone := merge(want, want, fields{}); len(gone) > 0 {
			t.Fatalf("left of what was only ours: %v", gone)
		}
	})
}

// TestWhatIsKeptIsGivenBack: whatever the words of an environment are, and wherever they stand.
func TestWhatIsKeptIsGivenBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"", "a", "pr-1", "shop", "shop-pr-1", "name", "u0001", "\x01", "1", "\"", ":"})
		w := wordsOf(target.Ref{Project: word.Draw(t, "project"), Environment: word.Draw(t, "environment"), Namespace: word.Draw(t, "namespace")})
		object := draw(t, 3)
		kept := w.keep(object)
		if got := kept.object(); !blueberry.SameValue(got, object) {
			t.Fatalf("kept, and given back otherwise (-want +got):\n%s", cmp.Diff(object, got))
		}
		if again := w.keep(kept.object()); again != kept {
			t.Fatalf("kept again as %q, was %q", again.text.Value(), kept.text.Value())
		}
	})
}

// TestOneBlueprintIsKeptOnce: of what environments of one blueprint say nothing is kept twice.
func TestOneBlueprintIsKeptOnce(t *testing.T) {
	t.Parallel()
	say := func(name string) content {
		ref := target.Ref{Project: "shop", Environment: name, Namespace: "shop-" + name}
		return wordsOf(ref).keep(fields{"metadata": fields{"namespace": ref.Namespace, "labels": fields{"a": "shop", "b": name}}, "host": "web-" + name + ".shop.example.com"})
	}
	if a, b := say("pr-1"), say("pr-20"); a.text != b.text {
		t.Errorf("kept %q and %q", a.text.Value(), b.text.Value())
	}
}
