package blueberry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestTreePatterns(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pattern, file string
		want          bool
		reason        string
	}{
		"itself":              {"go.mod", "go.mod", true, "a pattern without stars is a path"},
		"another":             {"go.mod", "go.sum", false, "another file is none of its own"},
		"directory":           {"backend", "backend/cmd/main.go", true, "what lies below is matched too"},
		"like a directory":    {"backend", "backend2/main.go", false, "segments are whole"},
		"all below":           {"backend/**", "backend/cmd/main.go", true, "two stars are any number of segments"},
		"star":                {"services/*/Dockerfile", "services/shop/Dockerfile", true, "one star is one segment"},
		"star is one":         {"services/*/Dockerfile", "services/shop/old/Dockerfile", false, "and not two"},
		"anywhere":            {"**/*.proto", "a/b/c.proto", true, "two stars may stand in front"},
		"anywhere, at root":   {"**/*.proto", "c.proto", true, "and be none"},
		"anywhere, other":     {"**/*.proto", "a/b/c.go", false, "what follows still has to match"},
		"between":             {"a/**/z/*.go", "a/b/z/c/z/x.go", true, "the first place that fits may be the wrong one"},
		"between, none":       {"a/**/z", "a/z", true, "none between"},
		"twice":               {"**/a/**/b", "x/a/y/c", false, "both have to be there"},
		"everything":          {"**", "any/thing", true, "all"},
		"longer than a file":  {"a/b/c", "a/b", false, "a pattern is not matched by what lies above"},
		"class":               {"v[12]/x", "v2/x", true, "classes are those of path.Match"},
		"case":                {"Backend/**", "backend/x", false, "case counts, as in Git"},
		"dots":                {"*", ".github/workflows/ci.yml", true, "a star is also a name that begins with a dot"},
		"of many stars":       {strings.Repeat("**/", 40) + "x", strings.Repeat("a/", 200) + "y", false, "stars are not tried in every way"},
		"of stars in segment": {strings.Repeat("*a", 30), strings.Repeat("a", 200) + "b", false, "nor are those of a segment"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := blueberry.MatchTreePath(tc.pattern, tc.file); got != tc.want {
				t.Errorf("%q of %q is %v: %s", tc.pattern, tc.file, got, tc.reason)
			}
		})
	}
}

func TestPathsOfAComponent(t *testing.T) {
	t.Parallel()
	of := func(paths ...string) blueberry.Blueprint {
		return blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "nginx:1", Paths: paths}}}
	}
	if err := of("backend/**", "**/*.proto", "go.mod").Check(); err != nil {
		t.Errorf("good patterns: %v", err)
	}
	if c := of().Components[0]; !c.Concerns("any/file") {
		t.Error("a component without patterns is not concerned")
	}
	if c := of("web", "shared/**").Components[0]; !c.Concerns("shared/x") || c.Concerns("docs/x") {
		t.Error("a component with patterns is concerned by others than those that match")
	}
	err := of("", "/abs", "../up", "a//b", "a/", "[", "a[/]b", strings.Repeat("a", 301)).Check()
	var e *blueberry.Error
	if !errors.As(err, &e) || len(e.Fields) != 8 || e.Fields[0].Field != "components[0].paths[0]" {
		t.Errorf("bad patterns: %v", err)
	}
	if err := of(make([]string, 51)...).Check(); !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Code != "too_many" {
		t.Errorf("51 patterns: %v", err)
	}
}
