package gitops

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// A path is longer than this on no file system that a clone may land on.
const (
	maxPath     = 1024
	maxPathPart = 255
)

// pathPart is narrower than Git: what one system folds into another name (case, Unicode, trailing dots) cannot be told apart later.
var pathPart = regexp.MustCompile(`^[A-Za-z0-9._@+=,-]+$`)

// check tells every fault of the change at once.
func (c Change) check() error {
	var f blueberry.Faults
	if fault := pathFault(c.Dir); fault != "" && (c.Dir != "" || len(c.Files) > 0 || len(c.Beside) == 0) {
		f.Add("dir", "path", "%q %s", c.Dir, fault)
	}
	c.checkBeside(&f)
	for name := range c.Files {
		if fault := pathFault(name); fault != "" {
			f.Add("files", "path", "%q %s", name, fault)
			continue
		}
		if len(c.Dir)+1+len(name) > maxPath {
			f.Add("files", "path", "%q is too long", name)
		}
		for i := range name {
			if name[i] != '/' {
				continue
			}
			if _, taken := c.Files[name[:i]]; taken {
				f.Add("files", "path", "%q is a file and a directory", name[:i])
			}
		}
	}
	for _, x := range []struct{ field, value string }{{"environment", c.Environment}, {"actor", c.Actor}} {
		if strings.ContainsAny(x.value, "\x00\r\n") {
			f.Add(x.field, "pattern", "must be one line")
		}
	}
	return f.Err()
}

// checkBeside tells what is wrong with the files beside the directory: each must be apart from it and from the others.
func (c Change) checkBeside(f *blueberry.Faults) {
	paths := slices.Sorted(maps.Keys(c.Beside))
	for i, p := range paths {
		if fault := pathFault(p); fault != "" {
			f.Add("beside", "path", "%q %s", p, fault)
			continue
		}
		if c.Dir != "" && overlap(p, c.Dir) {
			f.Add("beside", "path", "%q is not beside the directory", p)
		}
		for _, other := range paths[:i] {
			if overlap(p, other) {
				f.Add("beside", "path", "%q is a file and a directory", other)
			}
		}
	}
}

// pathFault says what is wrong with a path; "" for a good one.
func pathFault(p string) string {
	switch {
	case p == "":
		return "must not be empty"
	case len(p) > maxPath:
		return "is too long"
	case strings.HasPrefix(p, "/"):
		return "must not be absolute"
	}
	for part := range strings.SplitSeq(p, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return "must be a clean path inside the repository"
		case len(part) > maxPathPart:
			return "has a part that is too long"
		case !pathPart.MatchString(part):
			return "may hold letters, digits and . _ @ + = , - only"
		case strings.EqualFold(strings.TrimRight(part, "."), ".git"):
			return "must not hold .git"
		case strings.HasSuffix(part, "."):
			return "has a part that ends with a dot"
		}
	}
	return ""
}

// overlap reports whether one directory is the other or lies in it.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
