package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"testing/fstest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// fetchPatience is how long the repository of an example may take to answer.
const fetchPatience = 10 * time.Second

// renderExamples renders one environment of each of the largest groups as it is and as it would be.
func (c *Catalog) renderExamples(ctx context.Context, s *survey) error {
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i, g := range s.groups {
		if i < maxRendered {
			workers.Go(func() error { return c.renderExample(ctx, s, g) })
			continue
		}
		if g.Note == "" {
			g.Note = fmt.Sprintf("only the %d largest groups are rendered, and this is none of them", maxRendered)
			if g.charts {
				g.Note += "; the defaults of its charts are left out"
			}
		}
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	s.settle() // with the defaults of its charts, a group may turn out to stay as it is
	return nil
}

func (c *Catalog) renderExample(ctx context.Context, s *survey, g *group) error {
	before, after, source, err := c.exampleInputs(ctx, s, g)
	if err != nil {
		return err
	}
	if before.Blueprint.NeedsSource() {
		tree, err := c.fetch(ctx, source)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			g.Note = "its charts are in a repository that cannot be read, so their defaults are left out: " + userText(err)
			return nil
		}
		defer func() { _ = tree.Close() }()
		before.Source, after.Source = tree.FS, tree.FS
	}
	release, err := c.fetchSides(ctx, &before)
	defer release()
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		g.Note = "a repository of its blueprint cannot be read, so what is in it is left out: " + userText(err)
		return nil
	}
	after.Sources = before.Sources
	was, err := render.Environment(before)
	present, err := refusal(err)
	if err != nil {
		return fmt.Errorf("render environment %s as it is: %w", g.Example.EnvironmentID, err)
	}
	is, err := render.Environment(after)
	faults, err := refusal(err)
	if err != nil {
		return fmt.Errorf("render environment %s as it would be: %w", g.Example.EnvironmentID, err)
	}
	g.judge(present, faults, was.Warnings, is.Warnings)
	if present != nil || faults != nil {
		return nil // the values that were compared before still tell the most
	}
	g.Settings = keep(blueberry.CompareSettings(was.Settings, is.Settings))
	if g.Objects, err = render.Diff(differing(was.Files, is.Files)); err != nil {
		return fmt.Errorf("compare the renderings of environment %s: %w", g.Example.EnvironmentID, err)
	}
	return nil
}

// differing leaves out files that are the same byte for byte: most are, and reading them is most of the work.
func differing(before, after []blueberry.RenderedFile) (was, is []blueberry.RenderedFile) {
	same := func(list []blueberry.RenderedFile) func(blueberry.RenderedFile) bool {
		return func(f blueberry.RenderedFile) bool {
			return slices.ContainsFunc(list, func(o blueberry.RenderedFile) bool { return o.Name == f.Name && bytes.Equal(o.Content, f.Content) })
		}
	}
	return slices.DeleteFunc(slices.Clone(before), same(after)), slices.DeleteFunc(slices.Clone(after), same(before))
}

// exampleInputs gives all that a rendering of the example depends on but the files of its repository.
func (c *Catalog) exampleInputs(ctx context.Context, s *survey, g *group) (before, after render.Input, source blueberry.Source, err error) {
	err = c.Record.View(ctx, func(tx Tx) error {
		env, err := tx.Environment(ctx, g.Example.EnvironmentID)
		if err != nil {
			return err
		}
		in, err := newReader(tx, s.set.ID, s.next).inputs(ctx, g.Example)
		if err != nil {
			return err
		}
		before, after, source = in.before, in.after, in.inputs.Source
		project, err := tx.Project(ctx, env.Project)
		place := c.Places(env.Target)
		for _, in := range []*render.Input{&before, &after} {
			in.Project, in.Namespace, in.Domain, in.KubeVersion = project, env.Namespace, place.Domain, place.KubeVersion
			in.Restricted = env.Restricted
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("read environment %s: %w", g.Example.EnvironmentID, err)
	}
	return before, after, source, err
}

// fetch reads the repository that a revision was made of, at its commit.
func (c *Catalog) fetch(ctx context.Context, s blueberry.Source) (Tree, error) {
	if s.Repository == "" {
		return Tree{}, blueberry.Errorf(blueberry.NotFound, "SOURCE_UNKNOWN", "no repository is recorded")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchPatience)
	defer cancel()
	return c.Sources.Fetch(ctx, s.Repository, s.Commit)
}

// fetchSides reads the repositories that the blueprint of an input names, where files of them are needed, at their commits. release gives them back.
func (c *Catalog) fetchSides(ctx context.Context, in *render.Input) (release func(), err error) {
	var trees []Tree
	release = func() {
		for _, t := range trees {
			_ = t.Close()
		}
	}
	used, files := in.Blueprint.UsedRepositories()
	sources := map[string]render.Tree{}
	for _, r := range used {
		side := in.Sources[r.Name]
		if files[r.Name] {
			t, err := c.fetch(ctx, blueberry.Source{Repository: r.URL, Commit: side.Commit})
			if err != nil {
				return release, err
			}
			trees = append(trees, t)
			side.FS = t.FS
		}
		sources[r.Name] = side
	}
	in.Sources = sources
	return release, nil
}

// userText is what of an error may be shown: all of ours, and of anything else only that there is one.
func userText(err error) string {
	var e *blueberry.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "it does not answer"
	case !errors.As(err, &e):
		return "something failed inside"
	case len(e.Fields) > 0:
		return e.Fields[0].Message
	case e.Detail == "":
		return string(e.Kind)
	}
	return e.Detail
}

// standIn gives an input the least files with which its values can be merged, in place of the repository's, and takes out the rules that lean on what is in
// those files.
func standIn(in *render.Input) {
	trees := leastFiles(in.Blueprint)
	in.Source = trees[""]
	sources := map[string]render.Tree{}
	for name, side := range in.Sources {
		sources[name] = render.Tree{Commit: side.Commit, FS: trees[name]}
	}
	in.Sources = sources
	in.Blueprint.Components = slices.Clone(in.Blueprint.Components)
	in.Blueprint.Schema, in.Blueprint.Fields.Required = nil, nil
}

// leastFiles are those with which the values of a blueprint's components can be merged, by the name of the repository: of charts without templates, workloads
// without a known image, and kustomizations of nothing.
func leastFiles(b blueberry.Blueprint) map[string]fstest.MapFS {
	trees := map[string]fstest.MapFS{"": {}}
	for _, x := range b.Components {
		if trees[x.Repository] == nil {
			trees[x.Repository] = fstest.MapFS{}
		}
		tree := trees[x.Repository]
		switch x.Kind() {
		case blueberry.HelmChart:
			tree[path.Join(x.Chart, "Chart.yaml")] = &fstest.MapFile{Data: []byte("apiVersion: v2\nname: " + x.Name + "\nversion: 0.0.0\n")}
		case blueberry.Score:
			content := "apiVersion: score.dev/v1b1\nmetadata: {name: " + x.Name + "}\ncontainers: {main: {image: \"unknown:0\"}}\n"
			tree[path.Clean(x.Score)] = &fstest.MapFile{Data: []byte(content)}
		case blueberry.Kustomize:
			tree[path.Join(x.Kustomization, "kustomization.yaml")] = &fstest.MapFile{Data: []byte("resources: []\n")}
		case blueberry.WebService:
		}
	}
	return trees
}
