package app

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// record is the one store as an activity sees it: T is the activity's own Tx interface.
type record[T any] struct {
	store *store.Store
	as    func(*store.Tx) T
}

func narrow[T any](s *store.Store, as func(*store.Tx) T) record[T] { return record[T]{s, as} }

// Update runs f in a transaction that writes.
func (r record[T]) Update(ctx context.Context, f func(tx T) error) error {
	return r.store.Update(ctx, func(tx *store.Tx) error { return f(r.as(tx)) })
}

// View runs f in a transaction that reads.
func (r record[T]) View(ctx context.Context, f func(tx T) error) error {
	return r.store.View(ctx, func(tx *store.Tx) error { return f(r.as(tx)) })
}

// sources gives provision the repositories of the source room.
type sources struct {
	tree func(ctx context.Context, project, repository, ref string) (*source.Tree, error)
}

// Fetch reads a repository at a ref.
func (s sources) Fetch(ctx context.Context, project, repository, ref string) (provision.Tree, error) {
	t, err := s.tree(ctx, project, repository, ref)
	if err != nil {
		return provision.Tree{}, err
	}
	return provision.Tree{Commit: t.Commit, FS: t.FS, Close: t.Close}, nil
}

// catalogSources gives catalog the same.
type catalogSources struct{ checkouts *source.Checkouts }

// Fetch reads a repository at a ref.
func (s catalogSources) Fetch(ctx context.Context, repository, ref string) (catalog.Tree, error) {
	t, err := s.checkouts.Fetch(ctx, repository, ref)
	if err != nil {
		return catalog.Tree{}, err
	}
	return catalog.Tree{Commit: t.Commit, FS: t.FS, Close: t.Close}, nil
}
