package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// matches gives the regular files that fit a pattern, in order. ** stands for any number of directories; links are not followed there.
func matches(pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
		return nil, fmt.Errorf("%q is no pattern of files", pattern)
	}
	parts := strings.Split(filepath.ToSlash(pattern), "/")
	i := slices.Index(parts, "**")
	if i < 0 {
		found, err := filepath.Glob(pattern)
		return slices.DeleteFunc(found, isDirectory), err
	}
	root := strings.Join(parts[:i], "/")
	switch {
	case i == 0:
		root = "."
	case root == "":
		root = "/"
	case strings.ContainsAny(root, `*?[\`):
		return nil, fmt.Errorf("%q has * before **: the path before ** must be plain", pattern)
	}
	var out []string
	err := filepath.WalkDir(filepath.FromSlash(root), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == filepath.FromSlash(root):
			return fs.SkipAll // a directory that is not there holds nothing
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(filepath.FromSlash(root), name)
		if err == nil && fits(parts[i:], strings.Split(filepath.ToSlash(rel), "/")) {
			out = append(out, name)
		}
		return err
	})
	return out, err
}

func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// fits reports whether the parts of a path fit those of a pattern.
func fits(pattern, name []string) bool {
	switch {
	case len(pattern) == 0:
		return len(name) == 0
	case pattern[0] == "**":
		return fits(pattern[1:], name) || len(name) > 0 && fits(pattern, name[1:])
	case len(name) == 0:
		return false
	}
	ok, _ := path.Match(pattern[0], name[0]) // the pattern was tried
	return ok && fits(pattern[1:], name[1:])
}
