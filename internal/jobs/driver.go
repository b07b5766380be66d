package jobs

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// riverDriver is River's driver without two of its habits.
//
// River marks a job completed some time after its worker returned, and looks only whether a job of that id runs. We end a run ourselves, in the
// transaction that also looks whether the subject was enqueued meanwhile; the same job may run again before River gets to it, and River would then mark
// the second run completed. So completions are dropped here. Our worker never returns an error to River; an end that is no completion is River's own
// finding: a kind that this process does not know, in the middle of an upgrade. That is no fault of the job. It waits, and does not count.
//
// The second habit is NOTIFY at each insert. Nobody listens, and on PostgreSQL commits with a NOTIFY go through one at a time.
//
// River says that this interface may change with any version. Ours is pinned, and the compiler and the tests of this package tell.
type riverDriver struct {
	riverdriver.Driver[*sql.Tx]
}

// SupportsListenNotify tells River not to notify.
func (riverDriver) SupportsListenNotify() bool { return false }

// GetExecutor gives River's executor without completions.
func (d riverDriver) GetExecutor() riverdriver.Executor { return executor{d.Driver.GetExecutor()} }

type executor struct{ riverdriver.Executor }

// unknownPause is how long a job waits that came to a process which does not know its kind, for one that does.
const unknownPause = 5 * time.Second

// JobSetStateIfRunningMany drops completions, and makes of every other end a pause.
func (e executor) JobSetStateIfRunningMany(ctx context.Context, p *riverdriver.JobSetStateIfRunningManyParams) ([]*rivertype.JobRow, error) {
	again, none := time.Now().Add(unknownPause).UTC().Round(0), 0
	pause := &riverdriver.JobSetStateIfRunningManyParams{Now: p.Now, Schema: p.Schema}
	for i, state := range p.State {
		if state == rivertype.JobStateCompleted {
			continue
		}
		pause.ID = append(pause.ID, p.ID[i])
		pause.Attempt = append(pause.Attempt, &none)
		pause.ErrData = append(pause.ErrData, p.ErrData[i])
		pause.FinalizedAt = append(pause.FinalizedAt, nil)
		pause.MetadataDoMerge = append(pause.MetadataDoMerge, false)
		pause.MetadataUpdates = append(pause.MetadataUpdates, nil)
		pause.ScheduledAt = append(pause.ScheduledAt, &again)
		pause.State = append(pause.State, rivertype.JobStateRetryable)
	}
	if len(pause.ID) == 0 {
		return nil, nil
	}
	return e.Executor.JobSetStateIfRunningMany(ctx, pause)
}

// riverLog is the log for River: what it says below a warning is about its own machinery.
func (q *Queue) riverLog() *slog.Logger { return slog.New(warnings{q.log.Handler()}) }

type warnings struct{ slog.Handler }

// Enabled drops what is below a warning.
func (h warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// WithAttrs keeps the limit.
func (h warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{h.Handler.WithAttrs(a)} }

// WithGroup keeps the limit.
func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }
