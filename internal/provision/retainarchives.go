package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func (p *Provisioner) archivesRule() Rule {
	return Rule{
		Name: "archives", What: "archives of environments that ended or failed, with all that the record has of those that ended", Keep: blueberry.KeepArchives,
		Every: retentionTick * 60, Run: p.purgeArchives,
	}
}

// purgeArchives removes what is kept no longer: first the objects, so that nothing is left that no row names, then the rows.
func (p *Provisioner) purgeArchives(ctx context.Context) (int, string, error) {
	return p.eachDue(ctx, false, func(a blueberry.Archive) error {
		if err := p.dropObjects(ctx, objectName(a.EnvironmentID, "")); err != nil {
			return err
		}
		return p.Record.Update(ctx, func(tx Tx) error {
			if err := tx.PurgeEnvironment(ctx, a.EnvironmentID); err != nil && !errors.Is(err, blueberry.NotFound) && !isCode(err, "ENVIRONMENT_ALIVE") {
				return err
			}
			return tx.DeleteArchive(ctx, a.EnvironmentID)
		})
	})
}

// eachDue removes from each archive whose time has come, and tells of how many and which. What is not due any more when its turn comes is left.
func (p *Provisioner) eachDue(ctx context.Context, logs bool, remove func(a blueberry.Archive) error) (int, string, error) {
	var names []string
	for {
		before := len(names)
		due, err := p.archivesDue(ctx, logs)
		if err != nil {
			return len(names), namedSome(names), err
		}
		for _, a := range due {
			still, err := p.stillDue(ctx, a)
			if err == nil && still {
				err = remove(a)
			}
			if err != nil {
				return len(names), namedSome(names), fmt.Errorf("purge %s/%s: %w", a.Project, a.Environment, err)
			}
			if still {
				names = append(names, a.Project+"/"+a.Environment)
			}
		}
		if len(due) < retentionPage || len(names) == before { // those that are not due any more are left for the next run
			return len(names), namedSome(names), nil
		}
	}
}

// stillDue reports whether an archive is as it was listed, and its environment is not just being removed: that puts a new one in its place.
func (p *Provisioner) stillDue(ctx context.Context, a blueberry.Archive) (bool, error) {
	return view(ctx, p, func(tx Tx) (bool, error) {
		now, err := tx.Archive(ctx, a.EnvironmentID)
		if errors.Is(err, blueberry.NotFound) {
			return false, nil
		}
		if err != nil || !now.ArchivedAt.Equal(a.ArchivedAt) {
			return false, err
		}
		e, err := tx.Environment(ctx, a.EnvironmentID)
		if errors.Is(err, blueberry.NotFound) {
			return true, nil
		}
		return e.Phase != blueberry.Terminating, err
	})
}

func (p *Provisioner) archivesDue(ctx context.Context, logs bool) ([]blueberry.Archive, error) {
	return view(ctx, p, func(tx Tx) ([]blueberry.Archive, error) { return tx.ArchivesDue(ctx, p.Now(), logs, retentionPage) })
}

// dropObjects deletes every object whose name begins with the prefix.
func (p *Provisioner) dropObjects(ctx context.Context, prefix string) error {
	if p.Bucket == nil {
		return nil
	}
	for after := ""; ; {
		list, err := p.Bucket.List(ctx, prefix, after, retentionPage)
		if err != nil {
			return err
		}
		for _, name := range list {
			if err := p.Bucket.Delete(ctx, name); err != nil {
				return err
			}
			after = name
		}
		if len(list) < retentionPage {
			return nil
		}
	}
}
