package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envPinOptions struct {
	oneEnvironment
	length, reason string
}

func newEnvPin(s *shared) *cobra.Command {
	o := &envPinOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "pin NAME", Short: "Keep an environment for longer than a lease can last",
		Long:    `Sets the end of an environment to a time further away than a lease can last. Its owner may, up to what the project allows (30 days unless it says otherwise); so may who may change the project.`,
		Example: `  blueberry env pin pr-42 --for 14d --reason "the customer tries it"`,
	}, o.run)
	c.Flags().StringVar(&o.length, "for", "", "how long from now: 336h or 14d")
	c.Flags().StringVar(&o.reason, "reason", "", "why; for the audit and for people")
	return c
}

func (o *envPinOptions) run(ctx context.Context, args []string) error {
	if o.length == "" {
		return usageErrorf("--for is needed")
	}
	hours, err := parseHours(o.length)
	if err != nil {
		return err
	}
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if env, err = client.PinEnvironment(ctx, env.ID, sdk.PinEnvironmentRequest{Hours: hours, Reason: o.reason}); err != nil {
		return err
	}
	return o.print(o.ends(env))
}

// ends tells when an environment ends.
func (s *shared) ends(env sdk.Environment) result {
	return result{value: env, names: []string{refOf(env)}, text: func(w io.Writer, _ bool) {
		pinned := ""
		if env.Lease.PinnedBy != "" {
			pinned = ", pinned by " + env.Lease.PinnedBy
		}
		fmt.Fprintln(w, plainText(fmt.Sprintf("%s expires %s (%s)%s", refOf(env), relative(s.streams.Now(), env.ExpiresAt), exact(env.ExpiresAt), pinned)))
	}}
}
