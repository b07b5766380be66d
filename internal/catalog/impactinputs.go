package catalog

import (
	"context"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// reader reads what revisions were made of, each version of a config set once.
type reader struct {
	tx       Tx
	setID    string
	next     blueberry.ConfigVersion
	versions map[versionKey]blueberry.ConfigVersion
	touched  map[int]touched // by number of the set's version: what next alters of it
	authors  map[versionKey]string
}

type versionKey struct {
	id     string
	number int
}

func newReader(tx Tx, setID string, next blueberry.ConfigVersion) *reader {
	return &reader{tx: tx, setID: setID, next: next, versions: map[versionKey]blueberry.ConfigVersion{}, touched: map[int]touched{}, authors: map[versionKey]string{}}
}

func (r *reader) version(ctx context.Context, id string, number int) (blueberry.ConfigVersion, error) {
	key := versionKey{id, number}
	v, ok := r.versions[key]
	if !ok {
		var err error
		if v, err = r.tx.ConfigVersion(ctx, id, number); err != nil {
			return v, err
		}
		r.versions[key] = v
	}
	return v, nil
}

// merged is what an environment's values are merged of, as it is and as it would be.
type merged struct {
	inputs        blueberry.Inputs
	touched       touched
	before, after render.Input
	relevant      bool // a value that differs can reach a component; else the rest is not read
}

// inputs reads what the values of an environment are merged of.
func (r *reader) inputs(ctx context.Context, u blueberry.ConfigUser) (merged, error) {
	var m merged
	was, err := r.version(ctx, r.setID, u.Number)
	if err != nil {
		return m, err
	}
	var ok bool
	if m.touched, ok = r.touched[u.Number]; !ok {
		m.touched = touchedBy(was, r.next)
		r.touched[u.Number] = m.touched
	}
	if len(m.touched.keys) == 0 {
		return m, nil
	}
	rev, err := r.tx.RevisionInputs(ctx, u.EnvironmentID, u.Revision)
	if err != nil || !m.touched.reaches(rev.Blueprint) {
		return m, err
	}
	for _, use := range rev.Config {
		if _, err := r.version(ctx, use.SetID, use.Number); err != nil {
			return m, err
		}
	}
	author, err := r.author(ctx, rev.Catalogue)
	if err != nil {
		return m, err
	}
	m.relevant, m.inputs = true, rev.Inputs
	m.before = render.Input{
		Project: blueberry.Project{Name: u.Project}, Name: u.Name, Namespace: blueberry.Namespace(u.Project, u.Name), Revision: u.Revision,
		Blueprint: rev.Blueprint, Parameters: rev.Parameters, SourceCommit: rev.Source.Commit, AppCommit: rev.AppCommit(), BlueprintVersion: rev.Catalogue.Version, BlueprintAuthor: author,
		Sources: map[string]render.Tree{}, Commits: rev.ComponentCommits(), Images: rev.Images,
		Layers: rev.Layers(func(use blueberry.ConfigUse) blueberry.ConfigVersion {
			return r.versions[versionKey{use.SetID, use.Number}]
		}),
	}
	for _, s := range rev.Sources {
		m.before.Sources[s.Name] = render.Tree{Commit: s.Commit}
	}
	m.after = m.before
	changed := rev.Inputs
	changed.Config = slices.Clone(rev.Config)
	for i, use := range changed.Config {
		if use.SetID == r.setID {
			changed.Config[i].Number = r.next.Number
		}
	}
	m.after.Layers = changed.Layers(func(use blueberry.ConfigUse) blueberry.ConfigVersion {
		if use.SetID == r.setID {
			return r.next
		}
		return r.versions[versionKey{use.SetID, use.Number}]
	})
	return m, nil
}

// author gives who published the version of the catalogue's blueprint; empty for a blueprint that came from elsewhere.
func (r *reader) author(ctx context.Context, ref blueberry.BlueprintRef) (string, error) {
	if ref.Name == "" {
		return "", nil
	}
	key := versionKey{ref.EntryID, ref.Version}
	author, ok := r.authors[key]
	if !ok {
		v, err := r.tx.BlueprintVersion(ctx, ref.EntryID, ref.Version)
		if err != nil {
			return "", err
		}
		author = v.Author
		r.authors[key] = author
	}
	return author, nil
}
