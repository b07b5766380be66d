package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envDestroyOptions struct {
	*shared
	project string
	yes     bool
	wait    bool
	timeout time.Duration
}

func newEnvDestroy(s *shared) *cobra.Command {
	o := &envDestroyOptions{shared: s}
	c := &cobra.Command{
		Use: "destroy NAME", Short: "Destroy an environment",
		Long: `Removes everything of an environment: its objects, its namespace and its files in Git. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.

With --wait the command ends when all of it is proven gone.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.wait, "wait", false, "wait until it is gone")
	f.DurationVar(&o.timeout, "timeout", 15*time.Minute, "longest wait")
	return c
}

func (o *envDestroyOptions) run(ctx context.Context, ref string) error {
	if !o.yes && !o.streams.InTerminal {
		return usageErrorf("there is no terminal to ask on: --yes is needed")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, false)
	if err != nil {
		return err
	}
	if !o.yes {
		sure, err := o.ask(ctx, client, env)
		if err != nil {
			return err
		}
		if !sure {
			o.note("nothing was changed")
			return nil
		}
	}
	env, err = client.DestroyEnvironment(ctx, env.ID)
	if err != nil {
		return err
	}
	if o.wait {
		env, err = o.waitUntil(ctx, client, env, o.timeout, func(e sdk.Environment) (bool, error) { return e.Phase == sdk.Terminated, nil })
		if err != nil {
			return err
		}
	}
	return o.print(result{value: env, names: []string{refOf(env)}, text: func(w io.Writer, _ bool) {
		fmt.Fprintf(w, "%s is %s\n", refOf(env), env.Phase)
	}})
}

// ask tells what goes and waits for a yes.
func (o *envDestroyOptions) ask(ctx context.Context, client *sdk.Client, env sdk.Environment) (bool, error) {
	objects, err := client.ListEnvironmentObjects(ctx, env.ID)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(o.streams.Err, "This removes %s (%s) of %s, in project %s:\n  %d objects and the namespace %s on target %s\n  its files in Git\nGo on? [y/N] ",
		plainText(env.Name), env.Phase, plainText(env.Owner), plainText(env.Project), len(objects.Items), plainText(env.Namespace), plainText(env.Target))
	line, err := bufio.NewReader(o.streams.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}
