package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type pullCommandsOptions struct {
	*shared
	limitFlags
	filter sdk.PullCommandFilter
}

func newPullCommands(s *shared) *cobra.Command {
	o := &pullCommandsOptions{shared: s}
	outcomes := []string{"pending", "done", "refused", "failed"}
	c := &cobra.Command{
		Use: "commands ID", Short: "List what people asked for in comments below a pull request", Args: exactly(1), ValidArgsFunction: s.completePulls,
		Long: `Lists the commands that people wrote in comments below a pull request, as /blueberry sleep, newest first. One is refused when its writer may not, by what the host says of them, or when it asks for what cannot be, and failed when it could not be carried out in time.`,
		Example: `  blueberry pull commands pul_06d5xw7k3c8qf2v9m4n1r0t6ya
  blueberry pull commands pul_06d5xw7k3c8qf2v9m4n1r0t6ya --outcome refused -o wide`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Outcome, "outcome", "", "pending, done, refused or failed")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions(outcomes, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *pullCommandsOptions) run(ctx context.Context, id string) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	found, err := take(o.shared, o.limitFlags, client.AllPullCommands(ctx, id, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: found, names: each(found, func(c sdk.PullCommand) string { return c.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "CAME", "WHO", "COMMAND", "OUTCOME"}, empty: "no commands"}
		if wide {
			t.head = []string{"ID", "CAME", "WHO", "COMMAND", "OUTCOME", "COMMENT", "LINE", "ANSWERED BY", "DELIVERY", "ANSWER"}
		}
		for _, c := range found {
			row := []cell{
				plainCell(c.ID), plainCell(o.when(c.CreatedAt, wide)), plainCell(first(c.AuthorName, c.Author)), plainCell(strings.Join(append([]string{c.Verb}, c.Arguments...), " ")),
				commandCell(c.Outcome),
			}
			if wide {
				answer, _, _ := strings.Cut(c.Answer, "\n")
				row = append(row, plainCell(c.CommentID), plainCell(strconv.Itoa(c.Line)), plainCell(c.AnswerID), plainCell(c.DeliveryID), plainCell(answer))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

func commandCell(outcome string) cell {
	c := plainCell(outcome)
	switch outcome {
	case "done":
		c.colour = green
	case "pending":
		c.colour = yellow
	case "refused", "failed":
		c.colour = red
	}
	return c
}
