package blueberry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestSplitPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"a":                     {"a"},
		"a.b.c":                 {"a", "b", "c"},
		`a["b.c"].d`:            {"a", "b.c", "d"},
		`a["q\"]"]["x"]`:        {"a", `q"]`, "x"},
		`[""]`:                  {""},
		`["a"].b`:               {"a", "b"},
		"c[2].d":                {"c", "2", "d"},
		"c[name=web].image":     {"c", "name=web", "image"},
		"c[name=a.b][name=c d]": {"c", "name=a.b", "name=c d"},
		"*.env.DB_*":            {"*", "env", "DB_*"},
		"**":                    {"**"},
		"a/b.c-d":               {"a/b", "c-d"},
		"":                      nil,
		".":                     nil,
		"a.":                    nil,
		".a":                    nil,
		"a..b":                  nil,
		"a.[b]":                 nil,
		"a[":                    nil,
		"a[]":                   nil,
		"a[b":                   nil,
		`a["b]`:                 nil,
		`a["b"`:                 nil,
		`a["b"]c`:               nil,
		`a["b" ]`:               nil,
		"a[b]c":                 nil,
		`a["\q"]`:               nil,
	} {
		got, ok := blueberry.SplitPath(path)
		if ok != (want != nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%q: %q %v", path, got, ok)
		}
	}
}

func TestPathsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	key := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", ".", "a.b", "[0]", `"`, `\`, "a]", "]", "\xff", "name=x", " ", "\n", "*", "**"}))
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(key, 1, 5).Draw(t, "keys")
		path := blueberry.JoinPath("", keys...)
		got, ok := blueberry.SplitPath(path)
		if !ok || !slices.Equal(got, keys) {
			t.Fatalf("%q is written %q and read as %q", keys, path, got)
		}
		if again := blueberry.JoinPath(blueberry.JoinPath("", keys[0]), keys[1:]...); again != path {
			t.Fatalf("written %q and, by steps, %q", path, again)
		}
	})
}

func TestMatchPath(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		pattern, path string
		want          bool
	}{
		"itself":                     {"backend.image", "backend.image", true},
		"what lies below":            {"backend.env", "backend.env.A.b", true},
		"not what lies above":        {"backend.env", "backend", false},
		"not a longer word":          {"backend.env", "backend.environment", false},
		"any component":              {"*.resources", "backend.resources.limits.cpu", true},
		"one segment, not two":       {"*.cpu", "backend.resources.cpu", false},
		"a part of a segment":        {"backend.env.DB_*", "backend.env.DB_HOST", true},
		"another part":               {"backend.env.DB_*", "backend.env.DBHOST", false},
		"any number of segments":     {"**.cpu", "backend.resources.limits.cpu", true},
		"none is a number too":       {"backend.**.cpu", "backend.cpu", true},
		"two of any number":          {"**.env.**.x", "a.b.env.c.d.x", true},
		"two of any number, and not": {"**.env.**.x", "a.b.env.c.d.y", false},
		"all of it":                  {"**", "a", true},
		"a key with dots":            {`a["b.c"]`, `a["b.c"].d`, true},
		"a key with dots is one":     {"a.*.d", `a["b.c"].d`, true},
		"a star passes over a slash": {"a.x*z", "a.x/y/z", true},
		"a question mark is one":     {"a.?", "a.bc", false},
		"case counts":                {"a.B", "a.b", false},
		"a pattern that is none":     {"a..b", "a", false},
		"a path that is none":        {"a", "a..b", false},
		"a class that is not ended":  {`a["[x"]`, "a.x", false},
	} {
		if got := blueberry.MatchPath(c.pattern, c.path); got != c.want {
			t.Errorf("%s: %s on %s: %v", reason, c.pattern, c.path, got)
		}
	}
	if !blueberry.MatchAny([]string{"x", "a.*"}, "a.b") || blueberry.MatchAny([]string{"x", "y"}, "a.b") || blueberry.MatchAny(nil, "a") {
		t.Error("one of the patterns has to match")
	}
}

func TestValidPattern(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		"a": true, "*": true, "*.a": true, "**.a.**": true, `a["b.*"]`: true, "a[name=x]": true,
		"": false, "a..b": false, "a.": false, "**.a.**.b.**": false, `a["[x"]`: false, `a["\\"]`: false,
	} {
		if got := blueberry.ValidPattern(pattern); got != want {
			t.Errorf("%q: %v", pattern, got)
		}
	}
}

// FuzzPath: every text is a path or none, and what is a path can be written again.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"a.b", `a["b.c"][2].d`, "[name=x]", "a[", `["\x00"]`, "**.*.a", strings.Repeat("**.", 50) + "a"} {
		f.Add(seed, "a.b.c")
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		keys, ok := blueberry.SplitPath(path)
		if again, ok2 := blueberry.SplitPath(blueberry.JoinPath("", keys...)); ok && (!ok2 || cmp.Diff(keys, again) != "") {
			t.Fatalf("%q has the keys %q and then %q", path, keys, again)
		}
		if blueberry.ValidPattern(pattern) {
			blueberry.MatchPath(pattern, path)
		}
		blueberry.DriftPolicy{Ignore: []blueberry.DriftIgnore{{Kind: "*", Name: "*", Path: path}}}.Check(&blueberry.Faults{}, "")
	})
}
