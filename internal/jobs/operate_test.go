package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/jobs"
)

func idle(context.Context, blueberry.Job) (jobs.Outcome, error) { return jobs.Outcome{}, nil }

func TestCancelAJobThatWaits(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ran := make(chan string, 10)
		b.open(jobs.Kind{Work: func(_ context.Context, j blueberry.Job) (jobs.Outcome, error) {
			ran <- j.Subject
			return jobs.Outcome{}, nil
		}})
		b.enqueue("env_1")
		id := b.only(blueberry.JobWaiting).ID
		j, err := b.queue.Cancel(t.Context(), blueberry.System(), id)
		if err != nil || j.State != blueberry.JobCancelled || j.FinishedAt.IsZero() {
			t.Errorf("got %+v, %v", j, err)
		}
		if _, err := b.queue.Cancel(t.Context(), blueberry.System(), id); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("cancelled twice: %v", err)
		}
		run(t, b.queue)
		b.enqueue("env_2")
		if got := receive(t, ran, "the other job"); got != "env_2" {
			t.Errorf("ran %s", got)
		}
		if _, err := b.queue.Retry(t.Context(), blueberry.System(), id); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, ran, "the retried job"); got != "env_1" {
			t.Errorf("ran %s", got)
		}
	})
}

func TestCancelAJobThatRuns(t *testing.T) {
	for name, again := range map[string]bool{"and no more": false, "and enqueued again": true} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bundle) {
				begun := make(chan int64, 10)
				var runs atomic.Int32
				b.works(jobs.Kind{Work: func(ctx context.Context, j blueberry.Job) (jobs.Outcome, error) {
					begun <- j.ID
					if runs.Add(1) > 1 {
						return jobs.Outcome{}, nil
					}
					<-ctx.Done()
					return jobs.Outcome{}, ctx.Err()
				}})
				b.enqueue("env_1")
				id := receive(t, begun, "the run")
				if again {
					b.enqueue("env_1")
				}
				if _, err := b.queue.Cancel(t.Context(), blueberry.System(), id); err != nil {
					t.Fatal(err)
				}
				eventually(t, func() bool {
					j, err := b.queue.Get(t.Context(), blueberry.System(), id)
					return err == nil && j.State == blueberry.JobCancelled
				}, func() any { return b.list() })
				if again {
					if next := receive(t, begun, "the run that was wanted"); next == id {
						t.Error("the cancelled job ran again")
					}
				}
			})
		})
	}
}

func TestListOfJobs(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		b.open(jobs.Kind{Work: idle})
		for i := range 5 {
			b.enqueue(fmt.Sprintf("env_%d", i))
		}
		subjects := func(q blueberry.JobQuery) (out []string, next int64) {
			page, next, err := b.queue.List(t.Context(), blueberry.System(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range page {
				if j.CreatedAt.IsZero() || time.Since(j.RunAt).Abs() > time.Hour || j.MaxAttempts != jobs.DefaultMaxAttempts {
					t.Errorf("got %+v", j)
				}
				out = append(out, j.Subject)
			}
			return out, next
		}
		first, next := subjects(blueberry.JobQuery{Limit: 3})
		second, end := subjects(blueberry.JobQuery{Limit: 3, Before: next})
		if d := cmp.Diff([]string{"env_4", "env_3", "env_2", "env_1", "env_0"}, append(first, second...)); d != "" || end != 0 {
			t.Errorf("pages, then %d:\n%s", end, d)
		}
		for name, test := range map[string]struct {
			query  blueberry.JobQuery
			want   int
			reason string
		}{
			"subject":       {blueberry.JobQuery{Subject: "env_3"}, 1, "one job is about it"},
			"no subject":    {blueberry.JobQuery{Subject: "env_3' OR '1'='1"}, 0, "a subject is a value, never SQL"},
			"kind":          {blueberry.JobQuery{Kind: kind}, 5, "all are of it"},
			"no kind":       {blueberry.JobQuery{Kind: "other"}, 0, "none is of it"},
			"states":        {blueberry.JobQuery{States: []blueberry.JobState{blueberry.JobDead, blueberry.JobWaiting}}, 5, "all wait"},
			"no such state": {blueberry.JobQuery{States: []blueberry.JobState{blueberry.JobRunning}}, 0, "none runs"},
		} {
			if got, _ := subjects(test.query); len(got) != test.want {
				t.Errorf("%s: %s; got %v", name, test.reason, got)
			}
		}
		_, _, err := b.queue.List(t.Context(), blueberry.System(), blueberry.JobQuery{States: []blueberry.JobState{"asleep"}})
		if !errors.Is(err, blueberry.Invalid) {
			t.Errorf("an unknown state: %v", err)
		}
	})
}

func TestGrantsOfJobs(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		b.open(jobs.Kind{Work: idle})
		b.enqueue("env_1")
		id := b.only(blueberry.JobWaiting).ID
		nobody, reader := blueberry.Actor{Name: "eve"}, blueberry.Actor{Name: "bob", Grants: []blueberry.Grant{blueberry.GrantJobsRead}}
		for name, test := range map[string]struct {
			call func(blueberry.Actor) error
			as   blueberry.Actor
			want error
		}{
			"list": {func(a blueberry.Actor) error {
				_, _, err := b.queue.List(t.Context(), a, blueberry.JobQuery{})
				return err
			}, nobody, blueberry.Forbidden},
			"get":       {func(a blueberry.Actor) error { _, err := b.queue.Get(t.Context(), a, id); return err }, nobody, blueberry.Forbidden},
			"get there": {func(a blueberry.Actor) error { _, err := b.queue.Get(t.Context(), a, id); return err }, reader, nil},
			"get not":   {func(a blueberry.Actor) error { _, err := b.queue.Get(t.Context(), a, 999); return err }, reader, blueberry.NotFound},
			"retry":     {func(a blueberry.Actor) error { _, err := b.queue.Retry(t.Context(), a, id); return err }, reader, blueberry.Forbidden},
			"cancel":    {func(a blueberry.Actor) error { _, err := b.queue.Cancel(t.Context(), a, id); return err }, reader, blueberry.Forbidden},
			"retry not": {func(a blueberry.Actor) error { _, err := b.queue.Retry(t.Context(), a, 999); return err }, blueberry.System(), blueberry.NotFound},
		} {
			if err := test.call(test.as); !errors.Is(err, test.want) {
				t.Errorf("%s: got %v, want %v", name, err, test.want)
			}
		}
	})
}
