package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envChangeOptions struct {
	*shared
	wantFlags
	planFlags
	waitFlags
	project         string
	repo, ref, path string
	blueprint, from string
	add, drop       []string
	unset           []string
	replace         bool
	reason          string
	branch          string
	images          imageFlag
	refresh         bool
	named           func(flag string) bool
}

func newEnvChange(s *shared) *cobra.Command {
	o := &envChangeOptions{shared: s}
	c := &cobra.Command{
		Use: "change NAME", Short: "Give an environment a new revision",
		Long: `Asks for a new revision of an environment. What is named is new, all else stays as it is. Without a difference nothing is made, and it says so.

--config names all config sets that lie above those of the blueprint, in their order; --add-config and --drop-config alter the list. --set, --set-string and --values are merged over the overrides that the environment has; --unset takes one away, so that the layers below show; null deletes what they set. With --replace-values there are no overrides but those given.

With --plan it shows what would change and asks before it does. With --wait the command ends when the revision is ready (0), when it is not well (5) or when --timeout is over (6).`,
		Example: `  blueberry env change pr-42 --ref feature/cart --wait
  blueberry env change pr-42 --set backend.env.LOG_LEVEL=debug --reason "log more" --plan
  blueberry env change pr-42 --unset backend.env.LOG_LEVEL --add-config global/logging@3`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.StringVar(&o.repo, "repo", "", "another Git repository that holds the blueprint")
	f.StringVar(&o.ref, "ref", "", "another branch, tag or commit; empty means the default branch")
	f.StringVar(&o.path, "path", "", "another path of the blueprint in the repository; empty means blueberry.yaml")
	f.StringVar(&o.branch, "branch", "", "take the newest of this branch in the other repositories of the blueprint where there is one of the name; empty means none")
	o.images.flag(f)
	f.StringVar(&o.blueprint, "blueprint", "", "file with another blueprint; - reads the input")
	f.StringVar(&o.from, "from", "", "another blueprint of the catalogue, as shop, shop@3 or global/shop")
	f.StringSliceVar(&o.add, "add-config", nil, "config set to merge above the others; one that is there in another version takes its place")
	f.StringSliceVar(&o.drop, "drop-config", nil, "config set to merge no longer")
	f.StringArrayVar(&o.unset, "unset", nil, "path of an override to take away; repeatable")
	f.BoolVar(&o.replace, "replace-values", false, "no overrides but those given")
	f.StringVar(&o.reason, "reason", "", "why, for the history")
	f.BoolVar(&o.refresh, "refresh", false, "also take the newest commit of the branch")
	o.wantFlags.flags(c, s)
	o.planFlags.flags(f, yesToPlan)
	o.idFlag(f)
	o.waitFlags.flags(f, "ready")
	must(c.RegisterFlagCompletionFunc("from", s.completeBlueprints))
	must(c.RegisterFlagCompletionFunc("add-config", s.completeConfigSets))
	must(c.RegisterFlagCompletionFunc("drop-config", s.completeConfigSets))
	must(c.MarkFlagFilename("blueprint", "yaml", "yml", "json"))
	o.named = f.Changed
	return c
}

func (o *envChangeOptions) run(c *cobra.Command, ref string) error {
	byID, err := o.alone(c)
	if err != nil {
		return err
	}
	if !byID {
		if err := o.check(); err != nil {
			return err
		}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(c.Context(), client, o.project, ref, false)
	if err != nil {
		return err
	}
	if byID {
		return o.change(c.Context(), client, env, &wish{r: sdk.ChangeEnvironmentRequest{PlanID: o.planID}})
	}
	w, err := o.wish(c.Context(), client, env)
	if err != nil {
		return err
	}
	return o.change(c.Context(), client, env, w)
}

// wish is a change with what it was made of.
type wish struct {
	r    sdk.ChangeEnvironmentRequest
	base int // revision whose overrides or config sets are in it; 0 for none
}

func (o *envChangeOptions) change(ctx context.Context, client *sdk.Client, env sdk.Environment, w *wish) error {
	if !o.plan {
		changed, err := w.make(ctx, client, env)
		if err != nil {
			return err
		}
		made, err := o.changed(ctx, client, o.waitFlags, changed)
		if err != nil {
			return err
		}
		return o.print(made)
	}
	plan, err := client.PlanEnvironment(ctx, env.ID, sdk.PlanEnvironmentRequest{Change: &w.r})
	if err != nil {
		return err
	}
	if w.base != 0 && plan.Base != w.base {
		return errOvertaken
	}
	return o.settle(ctx, client, o.planFlags, plan, func(id string) (result, error) {
		changed, err := client.ChangeEnvironment(ctx, env.ID, sdk.ChangeEnvironmentRequest{PlanID: id})
		if err != nil {
			return result{}, err
		}
		return o.changed(ctx, client, o.waitFlags, changed)
	})
}

// errOvertaken is a change over overrides that are not those of the environment any more.
var errOvertaken = refusedError{errors.New("the environment was changed by someone else at the same time; try again")}

// maxTries is how often a change is asked for while the server works on the same environment.
const maxTries = 5

// make asks for the change. What was made of the environment's own overrides holds only while the environment has that revision. Its version may move all
// the same, by the work of the server, so that a refusal for that alone is tried again.
func (w *wish) make(ctx context.Context, client *sdk.Client, env sdk.Environment) (sdk.ChangedEnvironment, error) {
	if w.base == 0 {
		return client.ChangeEnvironment(ctx, env.ID, w.r)
	}
	for try := 1; ; try++ {
		changed, err := client.ChangeEnvironment(ctx, env.ID, w.r, sdk.IfMatch(env.Version))
		var p *sdk.Problem
		if try == maxTries || !errors.As(err, &p) || p.Status != http.StatusPreconditionFailed {
			return changed, err
		}
		if env, err = client.GetEnvironment(ctx, env.ID); err != nil {
			return changed, err
		}
		if env.Revision != w.base {
			return changed, errOvertaken
		}
	}
}

// changed says what became of an environment, and waits for it if that is asked for.
func (s *shared) changed(ctx context.Context, client *sdk.Client, w waitFlags, changed sdk.ChangedEnvironment) (result, error) {
	env := changed.Environment
	if !changed.Plan.Changes {
		return result{value: changed, names: []string{refOf(env)}, text: func(out io.Writer, _ bool) {
			fmt.Fprintln(out, plainText(refOf(env)+": no difference"))
		}}, nil
	}
	s.note("accepted revision %d of %s", changed.Plan.AppliedRevision, plainText(refOf(env)))
	s.warn(changed.Plan.Warnings)
	if w.wait {
		var err error
		if env, err = s.waitUntil(ctx, client, env, w.timeout, isAt(changed.Plan.AppliedRevision)); err != nil {
			return result{}, err
		}
		changed.Environment = env
	}
	return s.standing(env, changed), nil
}
