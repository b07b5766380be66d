package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// written is the content of an edit, as it was given or as it stands in a repository at one commit.
type written struct {
	content []byte
	source  blueberry.Source // zero when it was given
	tree    fs.FS            // of the repository; nil when it was given
	release func()           // gives the tree back
	ok      bool             // else faults say why there is no content
}

// read gives the content of an edit. file is the path of an edit that names none; empty means that it must name one.
func (c *Catalog) read(ctx context.Context, r Edit, file string, faults *blueberry.Faults) (written, error) {
	w := written{release: func() {}}
	switch {
	case r.Repository != "" && r.Content != nil:
		faults.Add("content", "exclusive", "content and a repository cannot both be given")
		return w, nil
	case r.Repository == "" && (r.Ref != "" || r.Path != ""):
		faults.Add("source.repository", "required", "a ref or a path is of a repository, and none is named")
		return w, nil
	case r.Repository == "" && len(r.Content) == 0:
		faults.Add("content", "required", "content or a repository must be given")
		return w, nil
	case r.Repository == "":
		w.content, w.ok = r.Content, true
		return w, nil
	}
	w.source = blueberry.Source{Repository: r.Repository, Ref: r.Ref, Path: r.Path}
	if w.source.Path == "" {
		w.source.Path = file
	}
	if !checkPath(w.source.Path, faults) {
		return w, nil
	}
	tree, err := c.Sources.Fetch(ctx, r.Repository, r.Ref)
	if err != nil {
		return w, faults.Merge("", err)
	}
	w.tree, w.source.Commit, w.release = tree.FS, tree.Commit, func() { _ = tree.Close() }
	w.content, w.ok = readFile(tree.FS, w.source.Path, faults)
	return w, nil
}

func checkPath(name string, faults *blueberry.Faults) bool {
	switch {
	case name == "":
		faults.Add("source.path", "required", "must say which file of the repository is meant")
	case !fs.ValidPath(name) || name == ".":
		faults.Add("source.path", "path", "%q must be a clean path inside the repository", name)
	default:
		return true
	}
	return false
}

// readFile reads a file of a repository, if it is not larger than a document may be.
func readFile(tree fs.FS, name string, faults *blueberry.Faults) ([]byte, bool) {
	f, err := tree.Open(name)
	if err != nil {
		reason := "cannot be read"
		if errors.Is(err, fs.ErrNotExist) {
			reason = "is not in the repository"
		}
		faults.Add("source.path", "file_not_found", "%s %s", name, reason)
		return nil, false
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, blueberry.MaxValuesSize+1))
	switch {
	case err != nil:
		faults.Add("source.path", "file_not_found", "%s cannot be read", name)
	case len(content) > blueberry.MaxValuesSize:
		faults.Add("source.path", "too_large", "%s is over %d bytes", name, blueberry.MaxValuesSize)
	case len(content) == 0:
		faults.Add("source.path", "required", "%s is empty", name)
	default:
		return content, true
	}
	return nil, false
}

// checkPatterns notes patterns of paths that are none.
func checkPatterns(faults *blueberry.Faults, field string, patterns []string) {
	if n := len(patterns); n > blueberry.MaxFieldPatterns {
		faults.Add(field, "too_many", "has %d patterns, at most %d are allowed", n, blueberry.MaxFieldPatterns)
		return
	}
	for i, p := range patterns {
		if !blueberry.ValidPattern(p) {
			faults.Add(fmt.Sprintf("%s[%d]", field, i), "pattern", "%q is not a pattern of paths, as backend.env.PUBLIC_*", p)
		}
	}
}
