package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// oneEnvironment is what commands about one environment share.
type oneEnvironment struct {
	*shared
	project string
}

// command makes a command whose first argument names the environment.
func (o *oneEnvironment) command(c *cobra.Command, run func(ctx context.Context, args []string) error) *cobra.Command {
	if c.Args == nil {
		c.Args = exactly(1)
	}
	c.ValidArgsFunction = o.completeEnvironments
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), args) }
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the environment")
	return c
}

// find gives the environment; with gone also one that is terminated.
func (o *oneEnvironment) find(ctx context.Context, ref string, gone bool) (*sdk.Client, sdk.Environment, error) {
	client, err := o.client()
	if err != nil {
		return nil, sdk.Environment{}, err
	}
	env, err := o.resolve(ctx, client, o.project, ref, gone)
	return client, env, err
}

// reaching ends the wait for a phase, or when the environment will not get there.
func reaching(phase sdk.Phase) func(sdk.Environment) (bool, error) {
	return func(e sdk.Environment) (bool, error) {
		switch e.Phase {
		case phase:
			return true, nil
		case sdk.Degraded:
			if phase == sdk.Ready { // as after a change
				return false, failedError{e}
			}
		case sdk.Failed, sdk.Terminating, sdk.Terminated:
			return false, failedError{e}
		}
		return false, nil
	}
}
