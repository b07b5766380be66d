package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type emergencyOpenOptions struct {
	*shared
	r   sdk.OpenEmergencyRequest
	yes bool
}

func newEmergencyOpen(s *shared) *cobra.Command {
	o := &emergencyOpenOptions{shared: s}
	c := &cobra.Command{
		Use: "open --reason TEXT", Short: "Take the power of an owner for a short time",
		Long:    `Gives oneself the power of an owner for up to an hour. Every user is told, with the reason, and all that is done with it is marked in the audit. Only who was allowed to break the glass can. It says what it does and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Example: `  blueberry emergency open --reason "The shop is down and its admin cannot be reached" --minutes 30`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	c.Flags().StringVar(&o.r.Reason, "reason", "", "why; every user reads it")
	c.Flags().IntVar(&o.r.Minutes, "minutes", 0, "how long, up to 60; else 60")
	return c
}

func (o *emergencyOpenOptions) run(ctx context.Context) error {
	var wrong mistakes
	wrong.add(len(strings.TrimSpace(o.r.Reason)) < 10, "--reason is needed, in at least 10 characters: every user reads it")
	wrong.add(o.r.Minutes < 0 || o.r.Minutes > 60, "--minutes is 1 to 60, not %d", o.r.Minutes)
	if err := wrong.err(); err != nil {
		return err
	}
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, "This gives you the power of an owner, and tells every user so."); err != nil || !sure {
		return err
	}
	e, err := client.OpenEmergency(ctx, o.r)
	if err != nil {
		return err
	}
	return o.print(said(e, e.ID, "you are an owner until "+exact(e.EndsAt)+"; every user is told; blueberry emergency close "+e.ID+" gives it back"))
}
