package storetest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// BenchmarkCreate writes what a create writes: environment, revision with a rendering of 20 kB, job, event and audit entry, in one transaction each.
func BenchmarkCreate(b *testing.B) {
	for _, dialect := range []struct {
		name string
		open func(testing.TB) *store.Store
	}{{store.SQLite, storetest.SQLite}, {store.Postgres, storetest.Postgres}} {
		b.Run(dialect.name, func(b *testing.B) {
			s := dialect.open(b)
			q, err := jobs.Open(b.Context(), jobs.Config{DB: s.DB(), ReadDB: s.ReadDB(), Dialect: s.Dialect(), Workers: map[blueberry.JobKind]jobs.Kind{
				blueberry.JobEnvironmentReconcile: {Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) { return jobs.Outcome{}, nil }},
			}})
			if err != nil {
				b.Fatal(err)
			}
			s.SetEnqueuer(func(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string) error {
				return q.Enqueue(ctx, tx, kind, subject)
			})
			var took []time.Duration
			for b.Loop() {
				now := time.Now()
				e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{
					Project: blueberry.DefaultProject, Name: fmt.Sprintf("pr-%d", len(took)), Target: "local", Owner: "ada", Hours: 24,
				}, now)
				if err != nil {
					b.Fatal(err)
				}
				files := []blueberry.RenderedFile{{Name: "01-web.yaml", Component: "web"}}
				for i := range 400 {
					files[0].Content = fmt.Appendf(files[0].Content, "    name: %s line %d of a manifest\n", e.Name, i)
				}
				r := blueberry.Revision{
					ID: blueberry.NewID(blueberry.RevisionID, now), EnvironmentID: e.ID, Number: 1, CreatedAt: now,
					Rendering: blueberry.Rendering{Digest: blueberry.DigestOf(files), Files: files},
				}
				err = s.Update(b.Context(), func(tx *store.Tx) error {
					ctx := b.Context()
					if err := tx.InsertEnvironment(ctx, e); err != nil {
						return err
					}
					return errors.Join(tx.InsertRevision(ctx, r), tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID),
						tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.EnvironmentRequested, EnvironmentID: e.ID, At: now}), tx.AppendAudit(ctx, blueberry.AuditEntry{Actor: blueberry.System(), Resource: e.ID, At: now}))
				})
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(now))
			}
			b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "creates/s")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
