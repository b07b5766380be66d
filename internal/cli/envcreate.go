package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envCreateOptions struct {
	*shared
	wantFlags
	planFlags
	waitFlags
	repo, ref, path string
	name, project   string
	ttl, target     string
	blueprint, from string
	branch          string
	images          imageFlag
	labels          []string
}

func newEnvCreate(s *shared) *cobra.Command {
	o := &envCreateOptions{shared: s}
	c := &cobra.Command{
		Use:   "create --name NAME (--repo URL | --blueprint FILE | --from REF)",
		Short: "Create an environment",
		Long: `Asks for an environment of the blueprint in a Git repository, of a blueprint file given here, or of a blueprint of the catalogue. The server checks and renders all of it before it accepts; what is wrong is printed line by line, and then nothing was made.

Values lie in layers, lowest first: the charts' defaults, the blueprint, the config sets in the order of --config, parameters, and on top the overrides of --values and --set. ` + "`blueberry blueprint parameters`" + ` tells which parameters a blueprint has; so does --help beside --from, --blueprint or --repo. In --set and --param, commits and versions such as 12e4567 or 007 stay text; 1.10 is a number unless it stands in quotes ('backend.image.tag="1.10"') or in --set-string.

With --plan it shows what would be made and asks before it is. With --wait the command ends when the environment is ready (0), when it failed (5) or when --timeout is over (6).`,
		Example: `  blueberry env create --repo https://git.example.com/acme/shop.git --ref main --name pr-42 --wait
  blueberry env create --from shop@3 --name demo --param replicas=2 --config shop --set backend.env.LOG_LEVEL=debug --plan
  blueberry env create --blueprint blueberry.yaml --name try --ttl 2h --label team=checkout`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	c.SetHelpFunc(o.help)
	f := c.Flags()
	f.StringVar(&o.repo, "repo", "", "Git repository that holds the blueprint")
	f.StringVar(&o.ref, "ref", "", "branch, tag or commit; else the default branch")
	f.StringVar(&o.path, "path", "", "path of the blueprint in the repository; else blueberry.yaml")
	f.StringVar(&o.branch, "branch", "", "branch to take in the other repositories of the blueprint where there is one of the name")
	o.images.flag(f)
	f.StringVar(&o.blueprint, "blueprint", "", "file with the blueprint, instead of the one in the repository; - reads the input")
	f.StringVar(&o.from, "from", "", "blueprint of the catalogue, as shop, shop@3 or global/shop, instead of the one in the repository")
	f.StringVar(&o.name, "name", "", "name of the environment, as pr-42")
	f.StringVar(&o.project, "project", "", "project that it belongs to; else the default project")
	f.StringVar(&o.target, "target", "", "place that runs it; else the server's default target")
	f.StringVar(&o.ttl, "ttl", "", "length of the lease: 24h, 24 or 7d, from 1 to 168 hours; else the blueprint's own, or 24 hours")
	f.StringArrayVar(&o.labels, "label", nil, "label to find it again by, as team=checkout; repeatable")
	o.wantFlags.flags(c, s)
	o.planFlags.flags(f, yesToPlan)
	o.idFlag(f)
	o.waitFlags.flags(f, "ready")
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	must(c.RegisterFlagCompletionFunc("label", s.completeLabels))
	must(c.RegisterFlagCompletionFunc("from", s.completeBlueprints))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.MarkFlagFilename("blueprint", "yaml", "yml", "json"))
	return c
}

// help adds what the blueprint that is named lets a request choose.
func (o *envCreateOptions) help(c *cobra.Command, args []string) {
	c.Parent().HelpFunc()(c, args)
	var named []string
	if arg := first(o.from, o.blueprint); arg != "" {
		named = []string{arg}
	}
	if len(named) == 0 && o.repo == "" || o.blueprint == "-" {
		return
	}
	p := &blueprintParametersOptions{shared: o.shared, repo: o.repo, ref: o.ref, path: o.path}
	if len(named) > 0 {
		p.repo = ""
	}
	p.project = o.project
	out := c.OutOrStdout()
	b, err := p.blueprint(c.Context(), named)
	if err != nil {
		fmt.Fprintf(out, "  The parameters of the blueprint cannot be told: %s\n\n", plainText(err.Error()))
		return
	}
	fmt.Fprintf(out, "  PARAMETERS of %s, for --param\n\n", plainText(b.Name))
	_ = parameterTable(b.Parameters, false).print(out, o.streams.colours(o.streams.OutTerminal)) // the output may be closed: nobody is there to be told
}

func (o *envCreateOptions) run(c *cobra.Command) error {
	ctx := c.Context()
	r := sdk.CreateEnvironmentRequest{PlanID: o.planID}
	byID, err := o.alone(c)
	if err != nil {
		return err
	}
	if !byID {
		if r, err = o.request(); err != nil {
			return err
		}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.plan {
		plan, err := client.PlanNewEnvironment(ctx, r)
		if err != nil {
			return err
		}
		return o.settle(ctx, client, o.planFlags, plan, func(id string) (result, error) {
			return o.created(ctx, client, o.waitFlags, sdk.CreateEnvironmentRequest{PlanID: id})
		})
	}
	made, err := o.created(ctx, client, o.waitFlags, r)
	if err != nil {
		return err
	}
	return o.print(made)
}

// created makes an environment, waits for it if that is asked for, and gives what is to be printed.
func (s *shared) created(ctx context.Context, client *sdk.Client, w waitFlags, r sdk.CreateEnvironmentRequest) (result, error) {
	env, err := client.CreateEnvironment(ctx, r)
	if err != nil {
		return result{}, err
	}
	s.note("accepted %s as %s, expires %s", plainText(refOf(env)), plainText(env.ID), relative(s.streams.Now(), env.ExpiresAt))
	if w.wait {
		if env, err = s.waitUntil(ctx, client, env, w.timeout, isReady); err != nil {
			return result{}, err
		}
	}
	return s.standing(env, env), nil
}

// standing is one line on how an environment stands.
func (s *shared) standing(env sdk.Environment, value any) result {
	return result{value: value, names: []string{refOf(env)}, text: func(w io.Writer, _ bool) {
		text := fmt.Sprintf("%s is %s", refOf(env), env.Phase)
		if env.Phase == sdk.Ready && len(env.Hosts) > 0 {
			text += " at " + strings.Join(env.Hosts, ", ")
		}
		fmt.Fprintln(w, plainText(text))
	}}
}

func (o *envCreateOptions) request() (sdk.CreateEnvironmentRequest, error) {
	r := sdk.CreateEnvironmentRequest{
		Project: o.project, Name: o.name, Target: o.target, BlueprintRef: o.from, ConfigSets: o.config, Parameters: o.parameters(), Strict: o.strict,
	}
	switch {
	case o.name == "":
		return r, usageErrorf("--name is needed")
	case o.repo == "" && o.blueprint == "" && o.from == "":
		return r, usageErrorf("--repo or --blueprint or --from is needed")
	case o.repo == "" && (o.ref != "" || o.path != ""):
		return r, usageErrorf("--ref and --path say where in a repository: --repo is needed")
	case o.blueprint != "" && o.from != "":
		return r, usageErrorf("--blueprint and --from both name a blueprint: give one")
	case o.blueprint != "" && o.path != "":
		return r, usageErrorf("--path and --blueprint both name a blueprint: give one")
	case o.from != "" && o.path != "":
		return r, usageErrorf("--path and --from both name a blueprint: give one")
	}
	if err := inputOnce(append(o.files, o.blueprint)...); err != nil {
		return r, err
	}
	if o.ttl != "" {
		hours, err := parseHours(o.ttl)
		if err != nil {
			return r, err
		}
		r.TTLHours = &hours
	}
	if o.repo != "" {
		r.Source = &sdk.Source{Repository: o.repo, Ref: o.ref, Path: o.path}
	}
	var err error
	if r.Labels, err = parseLabels(o.labels); err != nil {
		return r, err
	}
	if o.blueprint != "" {
		if r.Blueprint, err = o.readBlueprint(o.blueprint); err != nil {
			return r, err
		}
	}
	r.Branch, r.Images = o.branch, o.images.over(nil)
	r.Overrides, err = o.merged(o.shared, nil)
	return r, err
}

// isReady ends the wait of create.
func isReady(e sdk.Environment) (bool, error) {
	switch e.Phase {
	case sdk.Ready:
		return true, nil
	case sdk.Failed, sdk.Terminating, sdk.Terminated:
		return false, failedError{e}
	}
	return false, nil
}
