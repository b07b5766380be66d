package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

type envOpenOptions struct {
	oneEnvironment
	only bool
}

func newEnvOpen(s *shared) *cobra.Command {
	o := &envOpenOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "open NAME", Short: "Open the address of an environment in the browser", Long: `Opens the first address of an environment in the browser. An environment that sleeps wakes when it is opened through the wake gateway.`,
	}, o.run)
	c.Flags().BoolVar(&o.only, "print", false, "only print the address")
	return c
}

func (o *envOpenOptions) run(ctx context.Context, args []string) error {
	_, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if len(env.Hosts) == 0 {
		return fmt.Errorf("%s has no address: none of its components is public", refOf(env))
	}
	address := "http://" + env.Hosts[0]
	if !o.only && o.output == "" {
		if o.streams.Browse == nil {
			o.note("there is no browser to open it with")
		} else if err := o.streams.Browse(address); err != nil {
			o.note("the browser did not open: %s", plainText(err.Error()))
		}
	}
	return o.print(result{value: map[string]any{"url": address, "hosts": env.Hosts}, names: env.Hosts, text: func(w io.Writer, _ bool) { fmt.Fprintln(w, plainText(address)) }})
}
