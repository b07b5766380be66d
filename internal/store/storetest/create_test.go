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

// BenchmarkCreate reads and writes what a create does: quota, locks, environment, revision with a rendering of 20 kB, 120 settings and two config sets, plan,
// job, event and audit entry, in one transaction each.
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
			sets := []blueberry.ConfigSet{{ID: "cfg_1", Name: "logging", Latest: 1}, {ID: "cfg_2", Project: blueberry.DefaultProject, Name: "shop", Latest: 1}}
			if err := s.Update(b.Context(), func(tx *store.Tx) error {
				return errors.Join(tx.InsertConfigSet(b.Context(), sets[0]), tx.InsertConfigSet(b.Context(), sets[1]))
			}); err != nil {
				b.Fatal(err)
			}
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
				for _, set := range sets {
					r.Config = append(r.Config, blueberry.ConfigUse{ConfigRef: blueberry.ConfigRef{Global: set.Project == "", Name: set.Name}, SetID: set.ID, Number: 1})
				}
				for i := range 120 {
					r.Settings = append(r.Settings, blueberry.Setting{
						Path: fmt.Sprintf("web.env.NAME_%d", i), Value: fmt.Sprintf("value %d", i), Origin: blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: "shop", Version: i % 2},
						Shadows: []blueberry.Shadow{{Value: i}},
					})
				}
				p := blueberry.Plan{ID: blueberry.NewID(blueberry.PlanID, now), EnvironmentID: e.ID, RenderingDigest: r.Rendering.Digest, CreatedAt: now, ExpiresAt: now, AppliedAt: now}
				for i := range 20 {
					p.Objects = append(p.Objects, blueberry.ObjectDiff{ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Name: fmt.Sprint(i)}, Action: blueberry.ObjectCreated})
				}
				err = s.Update(b.Context(), func(tx *store.Tx) error { return create(b.Context(), tx, e, r, p) })
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

func create(ctx context.Context, tx *store.Tx, e blueberry.Environment, r blueberry.Revision, p blueberry.Plan) error {
	if _, err := tx.LockProject(ctx, e.Project); err != nil {
		return err
	}
	if _, err := tx.ProjectUsage(ctx, e.Project); err != nil {
		return err
	}
	if _, err := tx.LockConfig(ctx, []string{r.Config[0].SetID, r.Config[1].SetID}); err != nil {
		return err
	}
	if err := tx.InsertEnvironment(ctx, e); err != nil {
		return err
	}
	return errors.Join(tx.InsertRevision(ctx, r), tx.InsertPlan(ctx, p), tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID),
		tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.EnvironmentRequested, EnvironmentID: e.ID, At: p.CreatedAt}),
		tx.AppendAudit(ctx, blueberry.AuditEntry{Actor: blueberry.System(), Resource: e.ID, At: p.CreatedAt}))
}
