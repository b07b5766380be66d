package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envCreateOptions struct {
	*shared
	repo, ref, path string
	name, project   string
	ttl, target     string
	blueprint       string
	wait            bool
	timeout         time.Duration
}

func newEnvCreate(s *shared) *cobra.Command {
	o := &envCreateOptions{shared: s}
	c := &cobra.Command{
		Use:   "create --name NAME (--repo URL | --blueprint FILE)",
		Short: "Create an environment",
		Long: `Asks for an environment of the blueprint in a Git repository, or of a blueprint file given here. The server checks and renders all of it before it accepts; what is wrong is printed line by line, and then nothing was made.

With --wait the command ends when the environment is ready (0), when it failed (5) or when --timeout is over (6).`,
		Example: `  blueberry env create --repo https://git.example.com/acme/shop.git --ref main --name pr-42 --wait
  blueberry env create --blueprint blueberry.yaml --name try --ttl 2h`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.repo, "repo", "", "Git repository that holds the blueprint")
	f.StringVar(&o.ref, "ref", "", "branch, tag or commit; else the default branch")
	f.StringVar(&o.path, "path", "", "path of the blueprint in the repository; else blueberry.yaml")
	f.StringVar(&o.blueprint, "blueprint", "", "file with the blueprint, instead of the one in the repository; - reads the input")
	f.StringVar(&o.name, "name", "", "name of the environment, as pr-42")
	f.StringVar(&o.project, "project", "", "project that it belongs to; else the default project")
	f.StringVar(&o.target, "target", "", "place that runs it; else the server's default target")
	f.StringVar(&o.ttl, "ttl", "", "length of the lease: 24h, 24 or 7d, from 1 to 168 hours; else 24 hours")
	f.BoolVar(&o.wait, "wait", false, "wait until it is ready")
	f.DurationVar(&o.timeout, "timeout", 15*time.Minute, "longest wait")
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	must(c.MarkFlagFilename("blueprint", "yaml", "yml", "json"))
	return c
}

func (o *envCreateOptions) run(ctx context.Context) error {
	r, err := o.request()
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := client.CreateEnvironment(ctx, r)
	if err != nil {
		return err
	}
	o.note("accepted %s as %s, expires %s", refOf(env), env.ID, relative(o.streams.Now(), env.ExpiresAt))
	if o.wait {
		env, err = o.waitUntil(ctx, client, env, o.timeout, isReady)
		if err != nil {
			return err
		}
	}
	return o.print(result{value: env, names: []string{refOf(env)}, text: func(w io.Writer, _ bool) {
		text := fmt.Sprintf("%s is %s", refOf(env), env.Phase)
		if env.Phase == sdk.Ready && len(env.Hosts) > 0 {
			text += " at " + plainText(strings.Join(env.Hosts, ", "))
		}
		fmt.Fprintln(w, text)
	}})
}

func (o *envCreateOptions) request() (sdk.CreateEnvironmentRequest, error) {
	r := sdk.CreateEnvironmentRequest{Project: o.project, Name: o.name, Target: o.target}
	switch {
	case o.name == "":
		return r, usageErrorf("--name is needed")
	case o.repo == "" && o.blueprint == "":
		return r, usageErrorf("--repo or --blueprint is needed")
	case o.repo == "" && (o.ref != "" || o.path != ""):
		return r, usageErrorf("--ref and --path say where in a repository: --repo is needed")
	case o.blueprint != "" && o.path != "":
		return r, usageErrorf("--path and --blueprint both name a blueprint: give one")
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
	if o.blueprint != "" {
		b, err := o.readBlueprint(o.blueprint)
		if err != nil {
			return r, err
		}
		r.Blueprint = b
	}
	return r, nil
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
