package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/sdk"
)

// planFlags say that a change is shown before it is made, or is one that was shown.
type planFlags struct {
	plan   bool
	yes    bool
	planID string
}

func (p *planFlags) flags(f *pflag.FlagSet, yes string) {
	f.BoolVar(&p.plan, "plan", false, "show what it would do, then ask whether to; where nobody can be asked it is only shown, and exits with 2 when there is a difference")
	f.BoolVarP(&p.yes, "yes", "y", false, yes)
}

// idFlag is for commands that take a plan's id.
func (p *planFlags) idFlag(f *pflag.FlagSet) {
	f.StringVar(&p.planID, "plan-id", "", "apply the plan with this id, and nothing else")
}

// yesToPlan is what --yes means where nothing else is asked.
const yesToPlan = "with --plan: apply without asking"

// alone reports that a plan is applied by its id; then no other flag may say what to do.
func (p *planFlags) alone(c *cobra.Command) (bool, error) {
	if p.planID == "" {
		return false, nil
	}
	var odd []string
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "plan-id", "yes", "wait", "timeout", "project":
		default:
			if f.Changed {
				odd = append(odd, "--"+f.Name)
			}
		}
	})
	if len(odd) > 0 {
		return true, usageErrorf("a plan says all there is to do: --plan-id and %s cannot be given together", strings.Join(odd, ", "))
	}
	return true, nil
}

// outcomeError ends a command with an exit code and nothing more to say.
type outcomeError struct{ code int }

func (e outcomeError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// errBlocked is a plan that may not be applied. What stands in its way was printed with it.
var errBlocked = refusedError{errors.New("the plan cannot be applied as it is")}

// settle shows a plan and, if that is agreed to, applies it. apply is given the plan's id, and says what to print.
func (s *shared) settle(ctx context.Context, client *sdk.Client, p planFlags, plan sdk.Plan, apply func(planID string) (result, error)) error {
	forPeople := s.output == "" || s.output == "wide"
	if p.yes && !forPeople && plan.Changes && plan.Appliable {
		if _, err := apply(plan.ID); err != nil {
			return err
		}
		applied, err := client.GetPlan(ctx, plan.ID)
		if err != nil {
			return err
		}
		return s.print(s.planResult(applied))
	}
	if err := s.print(s.planResult(plan)); err != nil {
		return err
	}
	switch {
	case !plan.Changes:
		return nil
	case !plan.Appliable:
		return errBlocked
	case !p.yes:
		sure := false
		if forPeople && s.streams.InTerminal {
			var err error
			if sure, err = s.confirm("Apply?"); err != nil {
				return err
			}
		}
		if !sure {
			s.note("not applied; `blueberry plan apply %s` does it", plainText(plan.ID))
			return outcomeError{ExitDifference}
		}
	}
	r, err := apply(plan.ID)
	if err != nil {
		return err
	}
	return s.print(r)
}

func (s *shared) planResult(plan sdk.Plan) result {
	return result{value: plan, names: []string{plan.ID}, text: func(w io.Writer, wide bool) {
		p := s.picture(wide)
		p.plan(s.streams.Now(), plan)
		p.print(w)
	}}
}
