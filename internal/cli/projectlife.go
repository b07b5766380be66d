package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectLifeOptions struct {
	*shared
	sleepFlags
	never   bool
	longest string
}

func newProjectLife(s *shared) *cobra.Command {
	o := &projectLifeOptions{shared: s}
	c := &cobra.Command{
		Use: "life NAME", Short: "Say how the environments of a project live",
		Long: `Says when environments of a project sleep that have no policy of their own, and for how long they may be pinned. What is named of a sleep policy takes the place of the whole policy; without flags it shows what is set.`,
		Example: `  blueberry project life shop --idle 2h --window "mon-fri 20:00-06:00" --time-zone Europe/Zurich
  blueberry project life shop --pin-up-to 14d`,
		Args: exactly(1), ValidArgsFunction: s.completeProjects,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.sleepFlags.flags(c.Flags())
	c.Flags().BoolVar(&o.never, "never", false, "they do not sleep by themselves")
	c.Flags().StringVar(&o.longest, "pin-up-to", "", "for how long they may be pinned: 336h or 14d, 0 for the default of 30 days, none for not at all")
	return c
}

func (o *projectLifeOptions) run(ctx context.Context, name string) error {
	policy, named, err := o.policy()
	if err != nil {
		return err
	}
	if named && o.never {
		return usageErrorf("--never and what a policy is made of cannot be given together")
	}
	var r sdk.SetProjectLifeRequest
	if named || o.never {
		r.Sleep = &policy
	}
	if r.MaxPinHours, err = o.pinHours(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	var p sdk.Project
	if r == (sdk.SetProjectLifeRequest{}) {
		p, err = client.GetProject(ctx, name)
	} else {
		p, err = client.SetProjectLife(ctx, name, r)
	}
	if err != nil {
		return err
	}
	return o.print(result{value: p, names: []string{p.Name}, text: func(w io.Writer, _ bool) {
		fmt.Fprintf(w, "%s: environments may be pinned for %s\n", plainText(p.Name), pinText(p.MaxPinHours))
		describeSleep(w, p.Sleep)
	}})
}

func (o *projectLifeOptions) pinHours() (*int, error) {
	hours := 0
	switch o.longest {
	case "":
		return nil, nil
	case "none":
		hours = -1
	case "0":
	default:
		var err error
		if hours, err = parseHours(o.longest); err != nil {
			return nil, err
		}
	}
	return &hours, nil
}

func pinText(hours int) string {
	switch {
	case hours < 0:
		return "no time"
	case hours == 0:
		return "720h, as nobody said otherwise"
	}
	return fmt.Sprintf("%dh", hours)
}
