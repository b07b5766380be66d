package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envUndoOptions struct {
	oneEnvironment
	waitFlags
	name, target, ttl string
}

func newEnvUndo(s *shared) *cobra.Command {
	o := &envUndoOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "undo NAME", Short: "Bring back an environment that was destroyed",
		Long: `Makes an environment of the archive of one that was destroyed or whose lease ended, within 24 hours of its end: the same revision, with the same manifests. Its data is not brought back. An id names one of several that had the name.`,
		Example: `  blueberry env undo pr-42 --wait
  blueberry env undo pr-42 --name pr-42-again --target eu`,
	}, o.run)
	f := c.Flags()
	f.StringVar(&o.name, "name", "", "another name for it")
	f.StringVar(&o.target, "target", "", "another place for it")
	f.StringVar(&o.ttl, "ttl", "", "length of its lease: 24h, 24 or 7d, from 1 to 168 hours; else the blueprint's own, or 24 hours")
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	o.waitFlags.flags(f, "ready")
	return c
}

func (o *envUndoOptions) run(ctx context.Context, args []string) error {
	r := sdk.UndoRequest{Name: o.name, Target: o.target}
	if o.ttl != "" {
		hours, err := parseHours(o.ttl)
		if err != nil {
			return err
		}
		r.TTLHours = &hours
	}
	client, gone, err := o.find(ctx, args[0], true)
	if err != nil {
		return err
	}
	env, err := client.UndoArchive(ctx, gone.ID, r)
	if err != nil {
		return err
	}
	o.note("accepted %s as %s, expires %s", plainText(refOf(env)), plainText(env.ID), relative(o.streams.Now(), env.ExpiresAt))
	if o.wait {
		env, err = o.waitUntil(ctx, client, env, o.timeout, reaching(sdk.Ready))
		if err != nil {
			return err
		}
	}
	return o.print(o.standing(env, env))
}
