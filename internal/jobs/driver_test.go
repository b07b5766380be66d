package jobs

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// River completes a job late and by its id only. When the job runs again by then, that must not end the second run.
func TestRiverCompletesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		const kind blueberry.JobKind = "test.work"
		q, err := Open(t.Context(), Config{DB: s.DB(), Dialect: s.Dialect(), Workers: map[blueberry.JobKind]Kind{kind: {Work: func(context.Context, blueberry.Job) (Outcome, error) { return Outcome{}, nil }}}})
		if err != nil {
			t.Fatal(err)
		}
		err = q.inTx(t.Context(), func(tx *sql.Tx) error {
			for _, subject := range []string{"a", "b"} {
				if err := q.Enqueue(t.Context(), tx, kind, subject); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		exec := q.driver().GetExecutor()
		rows, err := exec.JobGetAvailable(t.Context(), &riverdriver.JobGetAvailableParams{ClientID: "me", MaxAttemptedBy: 10, MaxToLock: 10, Queue: queueName})
		if err != nil || len(rows) != 2 {
			t.Fatalf("took %d jobs: %v", len(rows), err)
		}
		now := time.Now().UTC()
		_, err = exec.JobSetStateIfRunningMany(t.Context(), &riverdriver.JobSetStateIfRunningManyParams{
			ID: []int64{rows[0].ID, rows[1].ID}, Attempt: []*int{nil, nil}, ErrData: [][]byte{nil, []byte(`{"error":"unknown kind"}`)}, FinalizedAt: []*time.Time{&now, &now},
			MetadataDoMerge: []bool{false, false}, MetadataUpdates: [][]byte{nil, nil}, ScheduledAt: []*time.Time{nil, nil},
			State: []rivertype.JobState{rivertype.JobStateCompleted, rivertype.JobStateDiscarded},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []blueberry.JobState{blueberry.JobRunning, blueberry.JobRetrying} {
			if j, err := q.Get(t.Context(), blueberry.System(), rows[i].ID); err != nil || j.State != want {
				t.Errorf("job %d is %s, want %s; %v", i, j.State, want, err)
			}
		}
	})
}
