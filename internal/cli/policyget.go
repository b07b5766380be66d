package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/sdk"
)

// policyFlags say which policy is meant.
type policyFlags struct {
	project      string
	installation bool
}

func (p *policyFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&p.project, "project", "", "project that it judges; else the default project")
	f.BoolVar(&p.installation, "installation", false, "it judges every project, as installation/NAME")
}

// name splits what names a policy: NAME, installation/NAME or project/NAME.
func (p *policyFlags) name(arg string) (project, name string, err error) {
	project, name = p.project, arg
	if scope, rest, ok := strings.Cut(arg, "/"); ok {
		if p.project != "" || p.installation {
			return "", "", usageErrorf("%s says which policy is meant already: --project and --installation are too much", arg)
		}
		project, name = scope, rest
		p.installation = scope+"/" == installationScope
	}
	switch {
	case p.installation && p.project != "":
		return "", "", usageErrorf("--project and --installation cannot be given together")
	case p.installation:
		project = ""
	}
	if name == "" || strings.Contains(name, "/") {
		return "", "", usageErrorf("%q is not the name of a policy: name, project/name or installation/name", arg)
	}
	return project, name, nil
}

// find finds the policy that an argument names.
func (p *policyFlags) find(ctx context.Context, client *sdk.Client, arg string) (sdk.Policy, error) {
	if strings.HasPrefix(arg, "pol_") {
		return client.GetPolicy(ctx, arg)
	}
	project, name, err := p.name(arg)
	if err != nil {
		return sdk.Policy{}, err
	}
	found, err := client.ListPolicies(ctx, project)
	if err != nil {
		return sdk.Policy{}, err
	}
	for _, x := range found.Items {
		if x.Name == name && x.Installation == p.installation && (p.installation || x.Project == first(project, defaultProject)) {
			return x, nil
		}
	}
	return sdk.Policy{}, refusedError{fmt.Errorf("there is no policy %s", arg)}
}

type policyGetOptions struct {
	*shared
	policyFlags
}

func newPolicyGet(s *shared) *cobra.Command {
	o := &policyGetOptions{shared: s}
	c := &cobra.Command{
		Use: "get NAME", Short: "Show a policy",
		Long: `Prints the rules of a policy, in Cedar. NAME is a name, project/name, installation/name or an id.`,
		Example: `  blueberry policy get images
  blueberry policy get installation/registries -o json`,
		Args:              exactly(1),
		ValidArgsFunction: s.completePolicies,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.policyFlags.flags(c.Flags())
	return c
}

func (o *policyGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := o.find(ctx, client, arg)
	if err != nil {
		return err
	}
	return o.print(result{value: p, names: []string{policyName(p)}, text: func(w io.Writer, wide bool) {
		if wide {
			fmt.Fprintf(w, "// %s\n", plainText(fmt.Sprintf("%s, written %s by %s", policyName(p), exact(p.UpdatedAt), p.Author)))
		}
		o.printContent(w, p.Text)
	}})
}
