package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envRestartOptions struct {
	oneEnvironment
	component string
}

func newEnvRestart(s *shared) *cobra.Command {
	o := &envRestartOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "restart NAME", Short: "Make the pods of an environment anew",
		Long:    `Makes the pods of an environment, or of one component, anew: one after the other where the workload can do so without an interruption.`,
		Example: `  blueberry env restart pr-42 --component backend`,
	}, o.run)
	c.Flags().StringVar(&o.component, "component", "", "only this component")
	return c
}

func (o *envRestartOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	out, err := client.RestartEnvironment(ctx, env.ID, sdk.RestartEnvironmentRequest{Component: o.component})
	if err != nil {
		return err
	}
	names := each(out.Workloads, func(r sdk.ObjectRef) string { return strings.ToLower(r.Kind) + "/" + r.Name })
	return o.print(result{value: out, names: names, text: func(w io.Writer, _ bool) {
		if len(names) == 0 {
			fmt.Fprintln(w, plainText(refOf(out.Environment)+" has no pods to make anew"))
			return
		}
		fmt.Fprintln(w, plainText("restarts "+strings.Join(names, ", ")))
	}})
}
