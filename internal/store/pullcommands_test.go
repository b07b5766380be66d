package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// pullCommand is one of a line of comment 77 below pul_1, of rep_1.
func pullCommand(id string, line int) blueberry.PullCommand {
	return blueberry.PullCommand{
		ID: id, RepositoryID: "rep_1", Project: blueberry.DefaultProject, PullID: "pul_1", CommentID: "77", Line: line, Author: "ada", Verb: blueberry.PullSleep,
		Outcome: blueberry.CommandPending, CreatedAt: start, UpdatedAt: start,
	}
}

func addCommands(t *testing.T, s *store.Store, list ...blueberry.PullCommand) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		for _, c := range list {
			if err := tx.InsertPullCommand(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func commandByID(t *testing.T, s *store.Store, id string) (blueberry.PullCommand, error) {
	t.Helper()
	return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PullCommand, error) { return tx.PullCommand(ctx, id) })
}

func TestCommandsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, sent := range map[string]blueberry.PullCommand{
			"whole": whole[blueberry.PullCommand](1), "bare": {ID: "cmd_bare"}, "no arguments": {ID: "cmd_2", Line: 2, Arguments: []string{}},
		} {
			t.Run(name, func(t *testing.T) {
				roundTrip(sent, func(ctx context.Context, tx *store.Tx, n blueberry.PullCommand) error {
					return tx.InsertPullCommand(ctx, n)
				},
					func(ctx context.Context, tx *store.Tx) (blueberry.PullCommand, error) {
						return tx.PullCommand(ctx, sent.ID)
					}, nil)(t, s)
			})
		}
		_, err := commandByID(t, s, "cmd_none")
		wantCode(t, "no id", err, blueberry.NotFound, "COMMAND_NOT_FOUND")
	})
}

// TestACommandIsThereOnce: a comment that is told of again adds nothing, whoever tells of it.
func TestACommandIsThereOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				c := pullCommand(fmt.Sprintf("cmd_%02d", i), 1)
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertPullCommand(ctx, c) })
				if err == nil {
					won.Add(1)
				} else {
					wantCode(t, "one that lost", err, blueberry.Conflict, "COMMAND_SEEN")
				}
			})
		}
		wg.Wait()
		if n := count(t, s, "pull_commands"); won.Load() != 1 || n != 1 {
			t.Errorf("%d were added, %d are there", won.Load(), n)
		}
		other := pullCommand("cmd_other", 1)
		other.RepositoryID = "rep_2"
		third := pullCommand("cmd_third", 1)
		third.CommentID = "78"
		addCommands(t, s, pullCommand("cmd_line", 2), other, third) // of another line, repository, comment
	})
}

func TestCommandsAreWrittenWhilePending(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addCommands(t, s, pullCommand("cmd_1", 1), pullCommand("cmd_2", 2))
		write := func(c blueberry.PullCommand) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdatePullCommand(ctx, c) })
		}
		c, _ := commandByID(t, s, "cmd_1")
		c.Began = "noted"
		if err := write(c); err != nil {
			t.Fatal(err)
		}
		c.Outcome, c.Answer, c.Silent, c.UpdatedAt = blueberry.CommandDone, "it sleeps", true, start.Add(1e9)
		c.Author = "eve" // not among what is written
		if err := write(c); err != nil {
			t.Fatal(err)
		}
		c.Author = "ada"
		if got, err := commandByID(t, s, "cmd_1"); err != nil || !cmp.Equal(got, c) {
			t.Errorf("%v\n%s", err, cmp.Diff(c, got))
		}
		c.Outcome = blueberry.CommandFailed
		wantCode(t, "one that is over", write(c), blueberry.Conflict, "COMMAND_OVER")
		wantCode(t, "one that is not there", write(pullCommand("cmd_none", 9)), blueberry.NotFound, "COMMAND_NOT_FOUND")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.SetPullAnswer(ctx, "pul_1", "77", "80", "digest")
		})
		for _, id := range []string{"cmd_1", "cmd_2"} {
			if got, _ := commandByID(t, s, id); got.AnswerID != "80" || got.Answered != "digest" {
				t.Errorf("%s is answered by %q: %q", id, got.AnswerID, got.Answered)
			}
		}
	})
}

func TestCommandsAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		done, eve, elsewhere := pullCommand("cmd_b", 2), pullCommand("cmd_c", 1), pullCommand("cmd_e", 1)
		done.Outcome = blueberry.CommandDone
		eve.CommentID, eve.Author = "78", "eve"
		elsewhere.CommentID, elsewhere.PullID = "79", "pul_2"
		addCommands(t, s, pullCommand("cmd_a", 1), done, eve, pullCommand("cmd_d", 4), elsewhere)
		for name, c := range map[string]struct {
			q    blueberry.PullCommandQuery
			want []string
		}{
			"of a pull request": {blueberry.PullCommandQuery{PullID: "pul_1"}, []string{"cmd_d", "cmd_c", "cmd_b", "cmd_a"}},
			"a page":            {blueberry.PullCommandQuery{PullID: "pul_1", Limit: 2}, []string{"cmd_d", "cmd_c"}},
			"the next":          {blueberry.PullCommandQuery{PullID: "pul_1", Limit: 2, Before: "cmd_c"}, []string{"cmd_b", "cmd_a"}},
			"of a comment":      {blueberry.PullCommandQuery{PullID: "pul_1", CommentID: "77"}, []string{"cmd_d", "cmd_b", "cmd_a"}},
			"that wait":         {blueberry.PullCommandQuery{PullID: "pul_1", Outcome: blueberry.CommandPending}, []string{"cmd_d", "cmd_c", "cmd_a"}},
			"of no pull":        {blueberry.PullCommandQuery{}, nil},
		} {
			var got []string
			for _, x := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.PullCommand, error) {
				return tx.PullCommands(ctx, c.q)
			}) {
				got = append(got, x.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		for after, want := range map[string][2]int{"": {4, 3}, "cmd_a": {3, 2}, "cmd_c": {1, 1}, "cmd_z": {0, 0}} {
			got := view(t, s, func(ctx context.Context, tx *store.Tx) (n [2]int, err error) {
				n[0], n[1], err = tx.CountPullCommands(ctx, "pul_1", "ada", after)
				return n, err
			})
			if got != want {
				t.Errorf("behind %q there are %v, want %v", after, got, want)
			}
		}
		next := func(id string) (blueberry.PullCommand, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PullCommand, error) {
				return tx.NextPullCommand(ctx, id)
			})
		}
		if c, err := next("pul_1"); err != nil || c.ID != "cmd_a" {
			t.Errorf("the next is %s, %v", c.ID, err)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			c, err := tx.PullCommand(ctx, "cmd_a")
			c.Outcome = blueberry.CommandRefused
			if err == nil {
				err = tx.UpdatePullCommand(ctx, c)
			}
			return err
		})
		if c, err := next("pul_1"); err != nil || c.ID != "cmd_c" {
			t.Errorf("the one after it is %s, %v", c.ID, err)
		}
		_, err := next("pul_3")
		wantCode(t, "of none", err, blueberry.NotFound, "COMMAND_NOT_FOUND")
	})
}
