package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/target"
)

const (
	maxOrphanObjects = 500  // that are kept of one orphan
	maxOrphans       = 1000 // that one scan finds
	livePage         = 500  // environments read at once
)

// ScanTarget has a target scanned for orphans, soon. Unavailable with code TARGET_CANNOT_SCAN when its driver cannot list what it holds.
func (p *Provisioner) ScanTarget(ctx context.Context, actor blueberry.Actor, name string) error {
	if err := actor.Can(blueberry.GrantOrphansRead); err != nil {
		return err
	}
	place, err := p.place(name)
	if isCode(err, "TARGET_UNKNOWN") {
		return blueberry.Errorf(blueberry.NotFound, "TARGET_NOT_FOUND", "there is no target %q", name)
	}
	if err != nil {
		return err
	}
	if _, ok := place.Driver.(target.Scanner); !ok {
		return cannot("SCAN", name, "list what it holds")
	}
	return p.Record.Update(ctx, func(tx Tx) error { return tx.Enqueue(ctx, blueberry.JobTargetScan, name) })
}

// cannot tells that the driver of a target lacks an ability.
func cannot(ability, name, what string) error {
	return blueberry.Errorf(blueberry.Unavailable, "TARGET_CANNOT_"+ability, "the driver of target %s cannot %s", name, what)
}

// envName is the project and name of an environment, as labels and paths say it.
type envName struct{ project, env string }

// scan is one look at a target.
type scan struct {
	p     *Provisioner
	place Place
	began time.Time
	live  map[envName]blueberry.Environment // as they were when it began
	seen  map[envName]bool                  // of which something is on the target
	found map[envName]*blueberry.Orphan
	more  map[envName]int // objects that are not kept
}

// Scan is the worker of target.scan: it compares what is on a target, and in its directory of the GitOps repository, with the record, both ways. It removes
// nothing: what it finds waits until someone allows that. An orphan that is no longer there is forgotten.
func (p *Provisioner) Scan(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	place, err := p.place(job.Subject)
	if err != nil {
		return blueberry.JobOutcome{}, nil //nolint:nilerr // it was removed, or another server has its driver
	}
	s := &scan{
		p: p, place: place, began: p.Now(), live: map[envName]blueberry.Environment{}, seen: map[envName]bool{}, found: map[envName]*blueberry.Orphan{},
		more: map[envName]int{},
	}
	if err := s.readLive(ctx); err != nil {
		return blueberry.JobOutcome{}, err
	}
	for _, look := range []func(context.Context) ([]blueberry.Orphan, error){s.objects, s.records, s.files} {
		list, err := look(ctx)
		if err != nil {
			return blueberry.JobOutcome{}, fmt.Errorf("scan target %s: %w", place.Name, err)
		}
		for _, o := range list {
			if err := s.put(ctx, o); err != nil {
				return blueberry.JobOutcome{}, err
			}
		}
	}
	return blueberry.JobOutcome{}, p.Record.Update(ctx, func(tx Tx) error {
		_, err := tx.DropOrphansUnseen(ctx, place.Name, s.began)
		return err
	})
}

func (s *scan) readLive(ctx context.Context) error {
	for after := ""; ; {
		list, err := view(ctx, s.p, func(tx Tx) ([]blueberry.Environment, error) {
			return tx.LiveNamespaces(ctx, s.place.Name, after, livePage)
		})
		if err != nil {
			return fmt.Errorf("read environments of target %s: %w", s.place.Name, err)
		}
		for _, e := range list {
			s.live[envName{e.Project, e.Name}] = e
			after = e.ID
		}
		if len(list) < livePage {
			return nil
		}
	}
}

// objects finds what has our labels and is of no living environment.
func (s *scan) objects(ctx context.Context) ([]blueberry.Orphan, error) {
	scanner, ok := s.place.Driver.(target.Scanner)
	if !ok {
		return nil, nil
	}
	err := scanner.Scan(ctx, func(ref target.Ref, o blueberry.ObjectRef, _ time.Time) {
		name := envName{ref.Project, ref.Environment}
		s.seen[name] = true
		if _, alive := s.live[name]; alive {
			return
		}
		x := s.found[name]
		switch {
		case x == nil && len(s.found) == maxOrphans:
			return
		case x == nil:
			x = &blueberry.Orphan{Target: s.place.Name, Kind: blueberry.OrphanObjects, Project: name.project, Env: name.env}
			s.found[name] = x
		}
		if len(x.Objects) == maxOrphanObjects {
			s.more[name]++
			return
		}
		x.Objects = append(x.Objects, o)
	})
	if err != nil {
		return nil, err
	}
	var out []blueberry.Orphan
	for name, x := range s.found {
		slices.SortFunc(x.Objects, func(a, b blueberry.ObjectRef) int { return strings.Compare(a.String(), b.String()) })
		x.Namespace = mostOf(x.Objects)
		x.Message = fmt.Sprintf("%d objects carry the labels of environment %s of project %s", len(x.Objects)+s.more[name], name.env, name.project)
		out = append(out, *x)
	}
	return byName(out), nil
}

func byName(list []blueberry.Orphan) []blueberry.Orphan {
	slices.SortFunc(list, func(a, b blueberry.Orphan) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Env, b.Env))
	})
	return list
}

// mostOf is the namespace that is among objects, or else the one that most of them are in.
func mostOf(objects []blueberry.ObjectRef) string {
	count := map[string]int{}
	for _, o := range objects {
		if o.Kind == "Namespace" && o.Group() == "" {
			return o.Name
		}
		if o.Namespace != "" {
			count[o.Namespace]++
		}
	}
	best := ""
	for _, ns := range slices.Sorted(maps.Keys(count)) {
		if best == "" || count[ns] > count[best] {
			best = ns
		}
	}
	return best
}

// records finds living environments that should have objects and have none. The reconciler puts them back, unless their drift is only told.
func (s *scan) records(ctx context.Context) ([]blueberry.Orphan, error) {
	if _, ok := s.place.Driver.(target.Scanner); !ok {
		return nil, nil
	}
	var out []blueberry.Orphan
	for name, e := range s.live {
		if s.seen[name] || e.Synced == 0 || !e.CreatedAt.Before(s.began) {
			continue
		}
		bare, err := s.bare(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		if bare {
			out = append(out, blueberry.Orphan{
				Target: s.place.Name, Kind: blueberry.OrphanRecord, Project: name.project, Env: name.env, Namespace: e.Namespace,
				Message: fmt.Sprintf("environment %s of project %s should be on the target, and none of its objects is there", name.env, name.project),
			})
		}
	}
	return byName(out), nil
}

// bare makes sure that an environment still should have objects, and has none.
func (s *scan) bare(ctx context.Context, id string) (bool, error) {
	e, err := s.p.read(ctx, id)
	if err != nil || !alive(e) || e.Synced == 0 {
		if errors.Is(err, blueberry.NotFound) {
			err = nil
		}
		return false, err
	}
	ledger, err := s.p.ledger(ctx, id)
	if err != nil {
		return false, err
	}
	want, _ := split(ledger, e.Synced)
	obs, err := s.place.Driver.Observe(ctx, refOf(e), want)
	if err != nil {
		return false, err
	}
	return len(want) > 0 && len(obs.Missing()) == len(want), nil
}

// files finds directories of the GitOps repository that are of no living environment.
func (s *scan) files(ctx context.Context) ([]blueberry.Orphan, error) {
	root := "targets/" + s.place.Name
	names, err := s.p.Repository.Names(ctx, root)
	if err != nil {
		return nil, err
	}
	own := blueberry.FileName(-1, blueberry.PlatformComponent) // every environment has it, and nothing else that stands there
	of := map[envName][]blueberry.ObjectRef{}
	marked := map[envName]bool{}
	for _, path := range names {
		part := strings.SplitN(path, "/", 3)
		if len(part) < 3 {
			continue
		}
		name := envName{part[0], part[1]}
		if _, alive := s.live[name]; alive {
			continue
		}
		marked[name] = marked[name] || part[2] == own
		if len(of[name]) < maxOrphanObjects {
			of[name] = append(of[name], blueberry.ObjectRef{APIVersion: "git", Kind: "File", Name: root + "/" + path})
		}
	}
	var out []blueberry.Orphan
	for name, files := range of {
		if marked[name] && len(out) < maxOrphans {
			out = append(out, blueberry.Orphan{
				Target: s.place.Name, Kind: blueberry.OrphanFiles, Project: name.project, Env: name.env, Objects: files,
				Message: fmt.Sprintf("%d files are in %s", len(files), gitops.Dir(s.place.Name, name.project, name.env)),
			})
		}
	}
	return byName(out), nil
}

// put records what was found, and tells it when it is new. What has an environment by now is none.
func (s *scan) put(ctx context.Context, o blueberry.Orphan) error {
	return s.p.Record.Update(ctx, func(tx Tx) error {
		o := o
		if o.Kind != blueberry.OrphanRecord {
			switch holder, err := holderOf(ctx, tx, o); {
			case err != nil:
				return err
			case holder != "":
				return nil
			}
			ended, err := endOf(ctx, tx, o)
			if err != nil {
				return err
			}
			o.Message += ", " + ended
		}
		known, err := orphanLike(ctx, tx, o)
		if err != nil {
			return err
		}
		now := s.p.Now()
		o.ID, o.FoundAt, o.SeenAt = blueberry.NewID(blueberry.OrphanID, now), now, s.began
		if err := tx.PutOrphan(ctx, o); err != nil || known {
			return err
		}
		return tx.AppendEvent(ctx, blueberry.Event{
			Type: blueberry.OrphanFound, Environment: o.Env, Actor: blueberry.System().Name, Message: fmt.Sprintf("target %s: %s", o.Target, o.Message), At: now,
		})
	})
}

// orphanLike reports whether the orphan is known.
func orphanLike(ctx context.Context, tx Tx, o blueberry.Orphan) (bool, error) {
	list, err := tx.Orphans(ctx, blueberry.OrphanQuery{Target: o.Target, Kind: o.Kind, Project: o.Project, Env: o.Env, Limit: blueberry.MaxPageSize})
	return slices.ContainsFunc(list, func(x blueberry.Orphan) bool { return x.Namespace == o.Namespace }), err
}

// holderOf names the living environment that has the name or the namespace of an orphan on its target; empty when there is none.
func holderOf(ctx context.Context, tx Tx, o blueberry.Orphan) (string, error) {
	page, err := tx.ListEnvironments(ctx, blueberry.EnvironmentQuery{Project: o.Project, Name: o.Env, Limit: 10, Sort: blueberry.SortByName})
	if err != nil {
		return "", err
	}
	for _, e := range page.Items {
		if e.Project == o.Project && e.Name == o.Env && e.Target == o.Target {
			return e.Project + "/" + e.Name, nil
		}
	}
	namespaces := map[string]bool{o.Namespace: true}
	for _, x := range o.Objects {
		if x.Kind == "Namespace" && x.Group() == "" {
			namespaces[x.Name] = true
		}
	}
	for ns := range namespaces {
		if ns == "" {
			continue
		}
		id, err := tx.FindEnvironment(ctx, o.Target, ns)
		if errors.Is(err, blueberry.NotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		return id, nil
	}
	return "", nil
}

// endOf says what the record knows of the environment that an orphan is of.
func endOf(ctx context.Context, tx Tx, o blueberry.Orphan) (string, error) {
	page, err := tx.ListEnvironments(ctx, blueberry.EnvironmentQuery{
		Project: o.Project, Name: o.Env, Phases: []blueberry.Phase{blueberry.Terminated}, Limit: 1, Sort: blueberry.SortByCreated, Desc: true,
	})
	if err != nil {
		return "", err
	}
	if len(page.Items) == 0 {
		return "which the record does not know", nil
	}
	return "which ended at " + page.Items[0].TerminatedAt.UTC().Format("2006-01-02 15:04 MST"), nil
}
