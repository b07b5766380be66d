package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envDriftOptions struct {
	*shared
	project  string
	exitCode bool
}

func newEnvDrift(s *shared) *cobra.Command {
	o := &envDriftOptions{shared: s}
	c := &cobra.Command{
		Use: "drift NAME", Short: "Show what differs on the target from what was applied",
		Long: "Asks the target what another hand altered, object by object and field by field: desired → live, and by whom and since when where the target tells. Fields that the policy leaves to others are no drift; `blueberry env drift-policy` says which.",
		Example: `  blueberry env drift pr-42
  blueberry env drift pr-42 --exit-code -q`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with 2 when there is drift")
	return c
}

func (o *envDriftOptions) run(ctx context.Context, ref string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, false)
	if err != nil {
		return err
	}
	drift, err := client.GetEnvironmentDrift(ctx, env.ID)
	if err != nil {
		return err
	}
	err = o.print(result{value: drift, names: each(drift.Objects, objectName), text: func(w io.Writer, wide bool) {
		p := o.picture(wide)
		o.draw(p, env, drift)
		p.print(w)
	}})
	if err == nil && o.exitCode && len(drift.Objects) > 0 {
		return outcomeError{ExitDifference}
	}
	return err
}

func (o *envDriftOptions) draw(p *picture, env sdk.Environment, drift sdk.Drift) {
	if len(drift.Objects) == 0 {
		p.line("%s is as desired", plainText(refOf(env)))
		return
	}
	text := differing(len(drift.Objects))
	switch {
	case drift.Since.IsZero():
	case p.wide:
		text += ", since " + exact(drift.Since)
	default:
		text += ", first seen " + relative(o.streams.Now(), drift.Since)
	}
	policy := "it is put back"
	if drift.Policy.Mode == "report" {
		policy = "it is told and left alone"
	}
	p.line("%s: %s; %s", plainText(refOf(env)), text, policy)
	p.driftObjects(o.streams.Now(), drift.Objects)
	if p.wide {
		for _, i := range drift.Policy.Ignore {
			p.line("%s", p.paint(grey, plainText(fmt.Sprintf("ignored: %s", ignoreText(i)))))
		}
	}
}

// ignoreText writes a rule as --ignore takes it.
func ignoreText(i sdk.DriftIgnore) string { return i.Kind + "/" + i.Name + ":" + i.Path }
