package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envRollbackOptions struct {
	*shared
	planFlags
	waitFlags
	project string
	reason  string
}

func newEnvRollback(s *shared) *cobra.Command {
	o := &envRollbackOptions{shared: s}
	c := &cobra.Command{
		Use: "rollback NAME REVISION", Short: "Bring back an old revision of an environment",
		Long: `Makes a new revision that is equal to an old one, and commits it. What the environment is made of now and the old revision was not, as a commit or a version of a config set, is held: nothing automatic brings it back until ` + "`blueberry env release-hold`" + ` lets it. It says what it will do and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Example: `  blueberry env rollback pr-42 3 --reason "errors after the release" --wait
  blueberry env rollback pr-42 3 --plan`,
		Args:              exactly(2),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.StringVar(&o.reason, "reason", "", "why, for the history and for those who meet the hold")
	o.planFlags.flags(f, "do not ask")
	o.waitFlags.flags(f, "ready")
	return c
}

func (o *envRollbackOptions) run(ctx context.Context, args []string) error {
	number, err := versionArg(args[1], "revision")
	if err != nil {
		return err
	}
	if !o.plan && !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, args[0], false)
	if err != nil {
		return err
	}
	r := sdk.RollbackEnvironmentRequest{Revision: number, Reason: o.reason}
	if o.plan {
		plan, err := client.PlanEnvironment(ctx, env.ID, sdk.PlanEnvironmentRequest{Rollback: &r})
		if err != nil {
			return err
		}
		return o.settle(ctx, client, o.planFlags, plan, func(id string) (result, error) {
			return o.back(ctx, client, env, sdk.RollbackEnvironmentRequest{PlanID: id})
		})
	}
	if !o.yes {
		what, err := o.effect(ctx, client, env, number)
		if err != nil {
			return err
		}
		if sure, err := o.agreed(false, what); err != nil || !sure {
			return err
		}
	}
	made, err := o.back(ctx, client, env, r)
	if err != nil {
		return err
	}
	return o.print(made)
}

func (o *envRollbackOptions) back(ctx context.Context, client *sdk.Client, env sdk.Environment, r sdk.RollbackEnvironmentRequest) (result, error) {
	changed, err := client.RollbackEnvironment(ctx, env.ID, r)
	if err != nil {
		return result{}, err
	}
	return o.changed(ctx, client, o.waitFlags, changed)
}

// effect says what a rollback does, and what it holds.
func (o *envRollbackOptions) effect(ctx context.Context, client *sdk.Client, env sdk.Environment, number int) (string, error) {
	diff, err := client.DiffEnvironmentRevisions(ctx, env.ID, env.Revision, number)
	if err != nil {
		return "", err
	}
	p := o.picture(false)
	p.line("This brings %s back from revision %d to what revision %d was, as a new revision:", plainText(refOf(env)), env.Revision, number)
	p.line("  %s by %s, %s: %s", relative(o.streams.Now(), diff.To.CreatedAt), plainText(diff.To.Author), differing(len(diff.Objects)), plainText(diff.To.Reason))
	for _, c := range diff.Inputs {
		if c.Before != "" && held(c.Kind) {
			p.line("  it holds %s %s", plainText(inputName(c.Kind, c.Name)), plainText(shortCommit(c.Before, c.Kind != "commit")))
		}
	}
	return strings.TrimSuffix(p.text.String(), "\n"), nil
}

// held reports whether a rollback holds inputs of the kind: those that something automatic may bring.
func held(kind string) bool { return kind == "commit" || kind == "config_set" || kind == "blueprint" }

func differing(objects int) string {
	if objects == 1 {
		return "1 object differs"
	}
	return fmt.Sprintf("%d objects differ", objects)
}
