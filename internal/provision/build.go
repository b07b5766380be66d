package provision

import (
	"context"
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

// origin says where a blueprint comes from: a repository, files sent along, or the request itself.
type origin struct {
	Repository, Ref, Path string
	Files                 map[string][]byte
	Blueprint             *blueberry.Blueprint
}

// build finds the blueprint and renders it. What is wrong with the request goes to faults; the error is for all else. With faults, the
// rendering is empty.
func (p *Provisioner) build(ctx context.Context, in *render.Input, o origin, faults *blueberry.Faults) (blueberry.Source, blueberry.Rendering, error) {
	src, release, err := p.load(ctx, in, o, faults)
	defer release()
	if err != nil {
		return src, blueberry.Rendering{}, err
	}
	if in.Blueprint.Name == "" && len(in.Blueprint.Components) == 0 {
		return src, blueberry.Rendering{}, nil // load has told why
	}
	if len(*faults) > 0 && in.Domain == "" {
		in.Domain = "invalid" // the target is not known; the rest of the request is checked all the same
	}
	rendering, err := render.Environment(*in)
	return src, rendering, faults.Merge("blueprint", err)
}

// load fills in.Blueprint and in.Source. release gives the repository's tree back.
func (p *Provisioner) load(ctx context.Context, in *render.Input, o origin, faults *blueberry.Faults) (src blueberry.Source, release func(), err error) {
	release = func() {}
	src = blueberry.Source{Repository: o.Repository, Ref: o.Ref, Path: o.Path}
	switch {
	case o.Repository != "" && o.Files != nil:
		faults.Add("files", "exclusive", "a repository and files cannot both be given")
		return src, release, nil
	case o.Repository != "":
		tree, err := p.Sources.Fetch(ctx, o.Repository, o.Ref)
		if err != nil {
			return src, release, faults.Merge("", err)
		}
		release = func() { _ = tree.Close() }
		in.Source, src.Commit = tree.FS, tree.Commit
	case o.Files != nil:
		in.Source = filesTree(o.Files, faults)
		if in.Source == nil {
			return src, release, nil
		}
	case o.Blueprint == nil:
		faults.Add("source.repository", "required", "a repository or a blueprint must be given")
		return src, release, nil
	}
	if o.Blueprint != nil {
		in.Blueprint = *o.Blueprint
		if in.Source == nil && in.Blueprint.NeedsSource() {
			faults.Add("source.repository", "required", "the blueprint has components at a path of a repository")
			in.Blueprint = blueberry.Blueprint{}
			return src, release, faults.Merge("blueprint", o.Blueprint.Check())
		}
		return src, release, nil
	}
	if src.Path == "" {
		src.Path = blueberry.BlueprintFile
	}
	content, ok := readBlueprint(in.Source, src.Path, faults)
	if !ok {
		return src, release, nil
	}
	in.Blueprint, err = render.ParseBlueprint(content)
	if err != nil {
		in.Blueprint = blueberry.Blueprint{}
	}
	return src, release, faults.Merge("blueprint", err)
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

// PreviewRequest asks what an environment would be made of.
type PreviewRequest struct {
	Project, Name         string // empty mean the default project and "preview"
	Repository, Ref, Path string
	Blueprint             *blueberry.Blueprint
	Files                 map[string][]byte // a tree sent along instead of a repository; Path names the blueprint in it
}

// Preview is a blueprint with its rendering; nothing of it is recorded.
type Preview struct {
	Blueprint blueberry.Blueprint
	Rendering blueberry.Rendering
	Source    blueberry.Source
}

// Preview validates and renders a blueprint for the default target, and tells every fault at once.
func (p *Provisioner) Preview(ctx context.Context, actor blueberry.Actor, r PreviewRequest) (Preview, error) {
	if err := actor.Can(blueberry.GrantBlueprintsRender); err != nil {
		return Preview{}, err
	}
	if r.Project == "" {
		r.Project = blueberry.DefaultProject
	}
	if r.Name == "" {
		r.Name = "preview"
	}
	var faults blueberry.Faults
	faults.CheckName("name", r.Name, blueberry.MaxEnvironmentName)
	project := blueberry.Project{Name: r.Project}
	err := p.Record.View(ctx, func(tx Tx) error {
		found, err := tx.Project(ctx, r.Project)
		if errors.Is(err, blueberry.NotFound) {
			faults.Add("project", "unknown", "there is no project %q", r.Project)
			return nil
		}
		project = found
		return err
	})
	if err != nil {
		return Preview{}, err
	}
	place := p.Places[p.Default]
	in := render.Input{Project: project, Name: r.Name, Namespace: blueberry.Namespace(r.Project, r.Name), Revision: 1, Domain: place.Domain, KubeVersion: place.KubeVersion}
	src, rendering, err := p.build(ctx, &in, origin{r.Repository, r.Ref, r.Path, r.Files, r.Blueprint}, &faults)
	if err != nil {
		return Preview{}, err
	}
	if err := faults.Err(); err != nil {
		return Preview{}, err
	}
	return Preview{Blueprint: in.Blueprint, Rendering: rendering, Source: src}, nil
}
