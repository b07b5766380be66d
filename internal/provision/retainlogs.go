package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func (p *Provisioner) logsRule() Rule {
	return Rule{
		Name: "logs", What: "logs and events of the target in archives of environments that ended or failed", Keep: blueberry.KeepLogs,
		Every: retentionTick * 60, Run: p.purgeLogs,
	}
}

// purgeLogs removes the logs of archives; the rest of an archive stays.
func (p *Provisioner) purgeLogs(ctx context.Context) (int, string, error) {
	var names []string
	for {
		before := len(names)
		due, err := p.archivesDue(ctx, true)
		if err != nil {
			return len(names), namedSome(names), err
		}
		for _, a := range due {
			if fresh, err := p.stillDue(ctx, a); err != nil || !fresh {
				if err != nil {
					return len(names), namedSome(names), err
				}
				continue
			}
			if err := p.dropObjects(ctx, objectName(a.EnvironmentID, "logs/")); err != nil {
				return len(names), namedSome(names), fmt.Errorf("delete logs of %s: %w", a.Environment, err)
			}
			err := p.Record.Update(ctx, func(tx Tx) error {
				now, err := tx.Archive(ctx, a.EnvironmentID)
				if errors.Is(err, blueberry.NotFound) || err == nil && !now.ArchivedAt.Equal(a.ArchivedAt) {
					return nil // another one has taken its place meanwhile
				}
				if err != nil {
					return err
				}
				now.LogsUntil = time.Time{}
				now.Files = slices.DeleteFunc(now.Files, func(f blueberry.ArchiveFile) bool { return isLog(f.Name) })
				return tx.PutArchive(ctx, now)
			})
			if err != nil {
				return len(names), namedSome(names), fmt.Errorf("note that the logs of %s are gone: %w", a.Environment, err)
			}
			names = append(names, a.Project+"/"+a.Environment)
		}
		if len(due) < retentionPage || len(names) == before { // those that are not due any more are left for the next run
			return len(names), namedSome(names), nil
		}
	}
}
