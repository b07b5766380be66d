package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// document says where a blueprint is written down.
type document int

const (
	inFile      document = iota // a file of a repository, or of files sent along
	inRequest                   // it came with a request
	inCatalogue                 // it is a version of the catalogue
)

// documentOf says where the blueprint of a revision is written down.
func documentOf(in blueberry.Inputs) document {
	switch {
	case in.Catalogue.Name != "":
		return inCatalogue
	case in.Source.Path != "":
		return inFile
	}
	return inRequest
}

// document says where the blueprint of a wish is written down: what it names, else where the environment's is.
func (a asked) document() document {
	w := a.wish
	switch {
	case w.Catalogue != nil:
		return inCatalogue
	case w.Blueprint != nil:
		return inRequest
	case w.Path != nil, w.Repository != nil, a.base == nil:
		return inFile
	}
	return documentOf(*a.base)
}

// originOf says where blueprint and files of a wish are, and takes the reference to the catalogue into r.
func (p *Provisioner) originOf(ctx context.Context, a asked, r *resolution, faults *blueberry.Faults) (origin, error) {
	named := 0
	for _, set := range []bool{a.wish.Blueprint != nil, a.wish.Catalogue != nil, a.wish.Path != nil} {
		if set {
			named++
		}
	}
	if named > 1 {
		faults.Add("blueprint", "exclusive", "the blueprint is named in more than one way: give one of blueprint, blueprint_ref and source.path")
	}
	doc := a.document()
	if doc != inCatalogue {
		r.inputs.Catalogue = blueberry.BlueprintRef{}
	}
	o := a.repository(doc)
	switch doc {
	case inCatalogue:
		version, own, err := p.catalogued(ctx, a, r, faults)
		if err != nil || version == nil {
			o.unknown = true
			return o, err
		}
		o.Catalogue, o.Path = version, ""
		switch {
		case own && a.wish.Ref != nil:
			o.Repository, o.Ref, o.Commit = version.Source.Repository, *a.wish.Ref, ""
		case own:
			o.Repository, o.Ref, o.Commit = version.Source.Repository, version.Source.Ref, version.Source.Commit
		case a.refresh:
			o.Commit = ""
		}
	case inRequest:
		o.Path = ""
		o.Blueprint = a.wish.Blueprint
		if o.Blueprint == nil {
			o.Blueprint = &a.base.Blueprint
		}
	case inFile:
		if a.base != nil && documentOf(*a.base) == inFile && o.Commit != "" && a.wish.Path == nil {
			o.Blueprint = &a.base.Blueprint // as the record has it
		}
	}
	if o.Repository == "" && (a.wish.Ref != nil && *a.wish.Ref != "" || a.wish.Path != nil && a.files == nil) {
		faults.Add("source.repository", "required", "a ref and a path are those of a repository")
	}
	return o, nil
}

// repository says which repository holds the files, and at which commit: what the wish names, else what the environment has. Without a commit the ref is asked.
func (a asked) repository(doc document) origin {
	o := origin{Files: a.files}
	if a.base != nil {
		s := a.base.Source
		o.Repository, o.Ref, o.Path, o.Commit = s.Repository, s.Ref, s.Path, s.Commit
	}
	w := a.wish
	if w.Repository != nil && *w.Repository != o.Repository {
		o = origin{Repository: *w.Repository, Files: a.files}
	}
	if w.Ref != nil {
		o.Ref, o.Commit = *w.Ref, ""
	}
	if w.Path != nil {
		o.Path = *w.Path
	}
	if a.refresh && doc != inCatalogue {
		o.Commit = ""
	}
	return o
}

// catalogued finds the version of the catalogue that a wish names or an environment has, and says whether the files are those that it was published with.
func (p *Provisioner) catalogued(ctx context.Context, a asked, r *resolution, faults *blueberry.Faults) (found *blueberry.CatalogueVersion, own bool, err error) {
	ref := r.inputs.Catalogue
	if a.wish.Catalogue != nil {
		var ok bool
		if ref, ok = blueberry.ParseBlueprintRef(*a.wish.Catalogue); !ok {
			faults.Add("blueprint_ref", "pattern", "%q is not a reference to a blueprint of the catalogue: name, name@3 or global/name", *a.wish.Catalogue)
			return nil, false, nil
		}
		ref.Follow = ref.Version == 0
	}
	err = p.Record.View(ctx, func(tx Tx) (err error) {
		found, own, err = a.catalogueVersion(ctx, tx, &ref, r)
		return err
	})
	if errors.Is(err, blueberry.NotFound) {
		faults.Add("blueprint_ref", "unknown", "%s", userText(err))
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	r.inputs.Catalogue = ref
	return found, own, nil
}

func (a asked) catalogueVersion(ctx context.Context, tx Tx, ref *blueberry.BlueprintRef, r *resolution) (*blueberry.CatalogueVersion, bool, error) {
	want := *ref
	if ref.Follow {
		want.Version = 0
	}
	entry, version, err := tx.ResolveBlueprint(ctx, a.project, want)
	if err != nil {
		return nil, false, err
	}
	own := a.wish.Repository == nil
	var had int // the version that the environment is made of
	if a.base != nil && a.base.Catalogue.EntryID == entry.ID {
		had = a.base.Catalogue.Version
		_, was, err := tx.ResolveBlueprint(ctx, a.project, blueberry.BlueprintRef{Global: ref.Global, Name: ref.Name, Version: had})
		if err != nil {
			return nil, false, err
		}
		own = own && was.Source == a.base.Source
		in := blueberry.PlanInput{Kind: blueberry.InputBlueprint, Name: refName(*ref), Value: fmt.Sprint(version.Number)}
		if h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{in}); held && version.Number != had {
			if a.wish.Catalogue != nil && !ref.Follow {
				return nil, false, heldError(h)
			}
			r.held = append(r.held, in)
			version = was
		}
	} else if h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{{Kind: blueberry.InputBlueprint, Name: refName(*ref), Value: fmt.Sprint(version.Number)}}); held {
		return nil, false, heldError(h)
	}
	ref.EntryID, ref.Version = entry.ID, version.Number
	r.author = version.Author
	return &version, own, nil
}

func refName(r blueberry.BlueprintRef) string {
	r.Version = 0
	return r.String()
}
