package provision

import (
	"context"
	"errors"
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
	return p.eachDue(ctx, true, func(a blueberry.Archive) error {
		if err := p.dropObjects(ctx, objectName(a.EnvironmentID, "logs/")); err != nil {
			return err
		}
		return p.Record.Update(ctx, func(tx Tx) error {
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
	})
}
