package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envWhyOptions struct{ oneEnvironment }

func newEnvWhy(s *shared) *cobra.Command {
	o := &envWhyOptions{oneEnvironment{shared: s}}
	return o.command(&cobra.Command{
		Use: "why NAME", Short: "Tell why an environment is not ready, and what to do",
		Long: `Shows the steps from request to reachable workload, each with how long it took and how long it may take, and what is wrong: the cause, what it was found by, and what to do about it. Causes are found by rules alone: the same state gives the same answer.`,
		Example: `  blueberry env why pr-42
  blueberry env why pr-42 -o json | jq -r '.causes[].code'`,
	}, o.run)
}

func (o *envWhyOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], true)
	if err != nil {
		return err
	}
	why, err := client.GetEnvironmentWhy(ctx, env.ID)
	if err != nil {
		return err
	}
	colours := o.streams.colours(o.streams.OutTerminal)
	return o.print(result{value: why, names: each(why.Causes, func(c sdk.Cause) string { return c.Code }), text: func(w io.Writer, wide bool) {
		explain(w, env, why, wide, colours)
	}})
}

func explain(w io.Writer, env sdk.Environment, why sdk.Why, wide, colours bool) {
	phase := phaseCell(why.Phase)
	if colours {
		phase.text = paint(phase.colour, phase.text)
	}
	fmt.Fprintf(w, "%s is %s: %s\n\n", plainText(refOf(env)), phase.text, plainText(first(why.Message, why.Reason)))
	t := table{head: []string{"STEP", "STATUS", "TOOK", "MAY TAKE", "WHY"}, empty: "no steps"}
	for _, s := range why.Steps {
		status := cell{text: dash(s.Status), colour: grey}
		switch {
		case s.Status == "True":
			status.colour = green
		case s.Over:
			status.colour = red
		case s.Status == "False":
			status.colour = yellow
		}
		took := plainCell(milliseconds(s.TookMS))
		if s.Over {
			took.colour = red
		}
		t.rows = append(t.rows, []cell{plainCell(s.Type), status, took, plainCell(milliseconds(s.BudgetMS)), plainCell(first(s.Message, s.Reason))})
	}
	_ = t.print(w, colours) // as all of this, it goes where people read
	if len(why.Causes) == 0 {
		fmt.Fprintln(w, "\nnothing is known to be wrong")
	}
	for _, c := range why.Causes {
		head := plainText(c.Code + " (" + c.Severity + ")")
		if colours {
			head = paint(severityColour(c.Severity), head)
		}
		fmt.Fprintf(w, "\n%s: %s\n", head, plainText(c.Message))
		for i, e := range c.Evidence {
			if i == 3 && !wide {
				fmt.Fprintf(w, "    and %d more; -o wide shows them\n", len(c.Evidence)-i)
				break
			}
			for j, line := range strings.Split(strings.TrimRight(e.Text, "\n"), "\n") {
				if j == 0 {
					line = e.Source + ": " + line
				}
				fmt.Fprintln(w, "    "+plainText(line))
			}
		}
		fmt.Fprintf(w, "  → %s\n", plainText(c.Fix))
	}
}

func severityColour(s string) colour {
	switch s {
	case "failure":
		return red
	case "waiting":
		return yellow
	}
	return grey
}

// milliseconds is a span for people; a dash for none.
func milliseconds(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case ms == 0:
		return "-"
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return span(d)
}
