package provision

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// LiveObject is one object as it should be and as it is.
type LiveObject struct {
	Ref     blueberry.ObjectRef
	Desired []byte // YAML as it stands in Git; nil when no manifest of the desired revision makes it
	Live    []byte // YAML as the target holds it; nil when it is not there
}

func hasEnded(e blueberry.Environment) error {
	return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDED", "%s has ended; its archive has its manifests and logs", e.Name)
}

// Live shows one object of an environment, as desired and as it is. NotFound when it is neither.
func (p *Provisioner) Live(ctx context.Context, actor blueberry.Actor, id string, ref blueberry.ObjectRef) (LiveObject, error) {
	out := LiveObject{Ref: ref}
	var rev blueberry.Revision
	e, err := viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (_ blueberry.Environment, err error) {
		if rev, err = tx.Revision(ctx, id, e.Revision); err != nil {
			return e, err
		}
		rev, err = asDesired(e, rev)
		return e, err
	})
	if err != nil {
		return out, err
	}
	if e.Phase == blueberry.Terminated {
		return out, hasEnded(e)
	}
	for _, f := range rev.Rendering.Files {
		if i := slices.Index(f.Objects, ref); i >= 0 {
			out.Desired = documentAt(f.Content, i)
		}
	}
	place, err := p.place(e.Target)
	if err != nil {
		return out, err
	}
	reader, ok := place.Driver.(target.LiveReader)
	if !ok {
		return out, cannot("SHOW_OBJECTS", e.Target, "show objects")
	}
	out.Live, err = reader.Live(ctx, refOf(e), ref)
	if errors.Is(err, blueberry.NotFound) && out.Desired != nil {
		return out, nil
	}
	return out, err
}

// documentAt gives one document of a file that render wrote: each begins after a line of three dashes.
func documentAt(content []byte, i int) []byte {
	docs := bytes.Split(bytes.TrimPrefix(content, []byte("---\n")), []byte("\n---\n"))
	if i >= len(docs) {
		return nil
	}
	return append(bytes.TrimSuffix(docs[i], []byte("\n")), '\n')
}

// Usage gives what the pods of an environment use now, and what they asked for.
func (p *Provisioner) Usage(ctx context.Context, actor blueberry.Actor, id string) ([]target.PodUsage, error) {
	e, err := p.environment(ctx, actor, id, blueberry.GrantEnvironmentsRead)
	if err != nil {
		return nil, err
	}
	if e.Phase == blueberry.Terminated {
		return nil, hasEnded(e)
	}
	place, err := p.place(e.Target)
	if err != nil {
		return nil, err
	}
	meter, ok := place.Driver.(target.Meter)
	if !ok {
		return nil, cannot("MEASURE", e.Target, "tell what pods use")
	}
	return meter.Usage(ctx, refOf(e))
}
