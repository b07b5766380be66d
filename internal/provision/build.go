package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing/fstest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// maxBlueprint is the size of a blueberry.yaml that is read, in bytes.
const maxBlueprint = 1 << 20

// origin says where a blueprint comes from: the catalogue, a repository, files sent along, or the request itself.
type origin struct {
	Repository, Ref, Path string
	Commit                string // read this one, whatever the ref says now
	Files                 map[string][]byte
	Blueprint             *blueberry.Blueprint
	Catalogue             *blueberry.CatalogueVersion

	unknown bool // there is none, and the faults say why
}

// loaded is a blueprint with the files that its components need.
type loaded struct {
	blueprint  blueberry.Blueprint
	source     blueberry.Source
	tree       fs.FS                  // nil when there is none
	sides      map[string]render.Tree // of the blueprint's repositories, by name
	digest     string
	release    func() // gives the trees back
	known      bool   // there is a blueprint; else the faults say why not
	incomplete bool   // a repository of the blueprint could not be read, and the faults say why
}

// load finds the blueprint and its files. What is wrong with the request goes to faults; the error is for all else.
func (p *Provisioner) load(ctx context.Context, project string, o origin, faults *blueberry.Faults) (l loaded, err error) {
	l.release = func() {}
	l.source = blueberry.Source{Repository: o.Repository, Ref: o.Ref, Path: o.Path}
	if o.unknown {
		return l, nil
	}
	switch {
	case o.Repository != "" && o.Files != nil:
		faults.Add("files", "exclusive", "a repository and files cannot both be given")
		return l, nil
	case o.Repository != "" && !o.needsTree():
		l.source.Commit = o.Commit
	case o.Repository != "":
		ref := o.Ref
		if o.Commit != "" {
			ref = o.Commit
		}
		tree, err := p.Sources.Fetch(ctx, project, o.Repository, ref)
		if err != nil {
			return l, faults.Merge("", err)
		}
		l.release = func() { _ = tree.Close() }
		l.tree, l.source.Commit = tree.FS, tree.Commit
	case o.Files != nil:
		if l.tree = filesTree(o.Files, faults); l.tree == nil {
			return l, nil
		}
	case o.given() == nil:
		faults.Add("source.repository", "required", "a repository or a blueprint must be given")
		return l, nil
	}
	if b := o.given(); b != nil {
		l.digest = digestOf(b)
		if l.tree == nil && b.NeedsSource() {
			faults.Add("source.repository", "required", "the blueprint has components at a path of a repository")
			return l, faults.Merge("blueprint", b.Check())
		}
		l.blueprint, l.known = *b, true
		return l, nil
	}
	return l, l.read(faults)
}

// given is the blueprint that needs no reading.
func (o origin) given() *blueberry.Blueprint {
	if o.Catalogue != nil {
		return &o.Catalogue.Blueprint
	}
	return o.Blueprint
}

// needsTree reports whether the repository has to be read: for the blueprint, for files of its components, or because nobody knows yet what its ref means.
func (o origin) needsTree() bool {
	b := o.given()
	return b == nil || b.NeedsSource() || o.Commit == ""
}

// read reads the blueprint of the tree.
func (l *loaded) read(faults *blueberry.Faults) error {
	if l.source.Path == "" {
		l.source.Path = blueberry.BlueprintFile
	}
	content, ok := readBlueprint(l.tree, l.source.Path, faults)
	if !ok {
		return nil
	}
	b, err := render.ParseBlueprint(content)
	if err != nil {
		return faults.Merge("blueprint", err)
	}
	sum := sha256.Sum256(content)
	l.blueprint, l.known, l.digest = b, true, "sha256:"+hex.EncodeToString(sum[:])
	return nil
}

func digestOf(v any) string {
	b, _ := json.Marshal(v) // of nouns: it cannot fail on what JSON or YAML gave
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func readBlueprint(tree fs.FS, name string, faults *blueberry.Faults) ([]byte, bool) {
	if !fs.ValidPath(name) || name == "." {
		faults.Add("source.path", "path", "%q must be a clean path inside the repository", name)
		return nil, false
	}
	f, err := tree.Open(name)
	if err != nil {
		reason := "cannot be read"
		if errors.Is(err, fs.ErrNotExist) {
			reason = "is not in the repository"
		}
		faults.Add("source.path", "blueprint_not_found", "%s %s", name, reason)
		return nil, false
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxBlueprint+1))
	switch {
	case err != nil:
		faults.Add("source.path", "blueprint_not_found", "%s cannot be read", name)
	case len(content) > maxBlueprint:
		faults.Add("source.path", "too_large", "%s is over %d bytes", name, maxBlueprint)
	default:
		return content, true
	}
	return nil, false
}

// filesTree makes a tree of files that came with a request; nil when a path is not clean.
func filesTree(files map[string][]byte, faults *blueberry.Faults) fs.FS {
	tree := fstest.MapFS{}
	for name, content := range files {
		if !fs.ValidPath(name) || name == "." || path.Clean(name) != name || strings.Contains(name, `\`) {
			faults.Add(fmt.Sprintf("files[%s]", name), "path", "must be a clean path")
			return nil
		}
		tree[name] = &fstest.MapFile{Data: content, Mode: 0o644}
	}
	return tree
}
