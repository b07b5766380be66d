package roomstest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// JobFailing is a kind whose only attempt fails until Mended is set, so that its jobs are dead.
const JobFailing blueberry.JobKind = "test.failing"

// Failing makes dead jobs.
type Failing struct {
	Mended atomic.Bool

	store *storetest.Store
}

func (f *Failing) kind() jobs.Kind {
	return jobs.Kind{Timeout: time.Minute, MaxAttempts: 1, Work: func(context.Context, blueberry.Job) (blueberry.JobOutcome, error) {
		if f.Mended.Load() {
			return blueberry.JobOutcome{}, nil
		}
		return blueberry.JobOutcome{}, errors.New("it is <b>broken</b>")
	}}
}

// Enqueue makes a job that will be dead.
func (f *Failing) Enqueue(t testing.TB, subject string) {
	t.Helper()
	must(t, f.store.Update(t.Context(), func(tx *store.Tx) error { return tx.Enqueue(t.Context(), JobFailing, subject) }))
}
