package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envScaleOptions struct {
	oneEnvironment
	component string
	replicas  int
	named     func(flag string) bool
}

func newEnvScale(s *shared) *cobra.Command {
	o := &envScaleOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "scale NAME", Short: "Set how many pods a component runs",
		Long:    `Gives the environment a new revision in which a component runs that many pods, if its blueprint lets the number be chosen. One that should run nothing sleeps: blueberry env sleep.`,
		Example: `  blueberry env scale pr-42 --component backend --replicas 3`,
	}, o.run)
	c.Flags().StringVar(&o.component, "component", "", "component")
	c.Flags().IntVar(&o.replicas, "replicas", 0, "how many pods")
	o.named = c.Flags().Changed
	return c
}

func (o *envScaleOptions) run(ctx context.Context, args []string) error {
	var m mistakes
	m.add(o.component == "", "--component is needed")
	m.add(!o.named("replicas"), "--replicas is needed")
	if err := m.err(); err != nil {
		return err
	}
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	out, err := client.ScaleEnvironment(ctx, env.ID, sdk.ScaleEnvironmentRequest{Component: o.component, Replicas: o.replicas})
	if err != nil {
		return err
	}
	return o.print(result{value: out, names: []string{refOf(out.Environment)}, text: func(w io.Writer, _ bool) {
		if out.Environment.Revision == env.Revision {
			fmt.Fprintln(w, plainText(fmt.Sprintf("%s runs as many already", o.component)))
			return
		}
		fmt.Fprintln(w, plainText(fmt.Sprintf("%s runs %d pods of %s as of revision %d", refOf(out.Environment), o.replicas, o.component, out.Environment.Revision)))
	}})
}
