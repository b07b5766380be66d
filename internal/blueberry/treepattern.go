package blueberry

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Limits of the patterns of paths of one component.
const (
	MaxPathPatterns = 50
	maxPathPattern  = 300 // bytes
)

// MatchTreePath reports whether a pattern is of a file in a repository: its segments are those of path.Match, and "**" is any number of them, none
// included. A pattern matches what it names and all below it: "backend" and "backend/**" are of every file in that directory, "**/*.proto" of one anywhere.
func MatchTreePath(pattern, file string) bool {
	want, is := strings.Split(pattern, "/"), strings.Split(file, "/")
	w, i := 0, 0
	star, from := -1, 0 // the last "**", and where what it stands for ends
	for w < len(want) {
		switch {
		case want[w] == "**":
			star, from = w, i
			w++
		case i < len(is) && matchSegment(want[w], is[i]):
			w, i = w+1, i+1
		case star >= 0 && from < len(is):
			from++
			w, i = star+1, from
		default:
			return false
		}
	}
	return true // the rest of the file lies below
}

func matchSegment(pattern, segment string) bool {
	ok, err := path.Match(pattern, segment)
	return ok && err == nil
}

// Concerns reports whether a file of its repository is one that the component is built from: one without patterns is built from all.
func (c Component) Concerns(file string) bool {
	if len(c.Paths) == 0 {
		return true
	}
	for _, p := range c.Paths {
		if MatchTreePath(p, file) {
			return true
		}
	}
	return false
}

// checkPathPatterns notes patterns that match nothing that there can be.
func (f *Faults) checkPathPatterns(field string, patterns []string) {
	if n := len(patterns); n > MaxPathPatterns {
		f.Add(field, "too_many", "has %d patterns, at most %d are allowed", n, MaxPathPatterns)
		return
	}
	for i, p := range patterns {
		at := fmt.Sprintf("%s[%d]", field, i)
		bad := slices.ContainsFunc(strings.Split(p, "/"), func(segment string) bool {
			_, err := path.Match(segment, "")
			return err != nil
		})
		switch {
		case len(p) > maxPathPattern:
			f.Add(at, "too_long", "has %d bytes, at most %d are allowed", len(p), maxPathPattern)
		case p == "" || p == "." || p == ".." || strings.HasPrefix(p, "../") || path.IsAbs(p) || p != path.Clean(p) || bad:
			f.Add(at, "pattern", "%q is not a pattern of paths inside the repository, as backend/** or **/*.proto", p)
		}
	}
}
