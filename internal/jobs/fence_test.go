package jobs

import (
	"context"
	"database/sql"
	"testing"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// A process that was believed dead comes back and ends its run. The job is another's by then, and that one's run goes on.
func TestARunThatWasTakenAwayEndsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		const kind blueberry.JobKind = "test.work"
		idle := func(context.Context, blueberry.Job) (Outcome, error) { return Outcome{}, nil }
		q, err := Open(t.Context(), Config{DB: s.DB(), Dialect: s.Dialect(), Workers: map[blueberry.JobKind]Kind{kind: {Work: idle}}})
		if err != nil {
			t.Fatal(err)
		}
		enqueue := func() {
			t.Helper()
			if err := q.inTx(t.Context(), func(tx *sql.Tx) error { return q.Enqueue(t.Context(), tx, kind, "env_1") }); err != nil {
				t.Fatal(err)
			}
		}
		take := func(owner string) (*session, *run) {
			t.Helper()
			rows, err := q.driver().GetExecutor().JobGetAvailable(t.Context(), &riverdriver.JobGetAvailableParams{ClientID: owner, MaxAttemptedBy: 10, MaxToLock: 10, Queue: queueName})
			if err != nil || len(rows) != 1 {
				t.Fatalf("%s took %d jobs: %v", owner, len(rows), err)
			}
			return &session{queue: q, owner: owner, ctx: t.Context(), runs: map[int64]*run{}}, &run{kind: kind, subject: "env_1", row: rows[0], seen: 1}
		}
		state := func() rivertype.JobState {
			t.Helper()
			var state rivertype.JobState
			if err := s.DB().QueryRowContext(t.Context(), `SELECT state FROM river_job`).Scan(&state); err != nil {
				t.Fatal(err)
			}
			return state
		}
		enqueue()
		first, itsRun := take("first")
		if err := q.rescue(t.Context(), itsRun.row.ID, "first", `1 = 1`, "it seemed dead"); err != nil {
			t.Fatal(err)
		}
		second, anotherRun := take("second")
		if err := q.rescue(t.Context(), itsRun.row.ID, "first", `1 = 1`, "seen twice"); err != nil {
			t.Fatal(err)
		}
		if err := first.finish(t.Context(), itsRun, ending{}); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != rivertype.JobStateRunning {
			t.Errorf("the run of the second is %s", got)
		}
		// Also when the numbers of attempts happen to be the same.
		itsRun.row.Attempt = anotherRun.row.Attempt
		if err := first.finish(t.Context(), itsRun, ending{}); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != rivertype.JobStateRunning {
			t.Errorf("the run of the second is %s", got)
		}
		enqueue()
		if err := second.finish(t.Context(), anotherRun, ending{}); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != rivertype.JobStateAvailable {
			t.Errorf("after an enqueue the job is %s", got)
		}
	})
}
