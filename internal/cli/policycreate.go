package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type policyCreateOptions struct {
	*shared
	policyFlags
	file string
}

func newPolicyCreate(s *shared) *cobra.Command {
	o := &policyCreateOptions{shared: s}
	c := &cobra.Command{
		Use: "create NAME --file FILE", Short: "Create a policy",
		Long: `Makes a policy of rules in Cedar. It judges every plan from now on. Rules forbid: what none forbids is allowed. @message says what is wrong, @fix what to do, and with @warn a rule only warns.`,
		Example: `  # images.cedar:
  #   @message("the image has no digest")
  #   @fix("name the image by its digest")
  #   forbid (principal, action, resource is Image) unless { resource.by_digest };
  blueberry policy create images --file images.cedar
  blueberry policy create registries --installation --file registries.cedar`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.policyFlags.flags(c.Flags())
	policyFile(c, &o.file)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func policyFile(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "file", "", "file with the rules; - reads the input")
	must(c.MarkFlagFilename("file", "cedar"))
}

func (o *policyCreateOptions) run(ctx context.Context, arg string) error {
	r, err := o.policy(o.shared, arg, o.file)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	made, err := client.CreatePolicy(ctx, r)
	if err != nil {
		return err
	}
	return o.print(policyResult(made, "created"))
}

// policy is what a command line says of a policy.
func (p *policyFlags) policy(s *shared, arg, file string) (sdk.CreatePolicyRequest, error) {
	var r sdk.CreatePolicyRequest
	var err error
	if r.Project, r.Name, err = p.name(arg); err != nil {
		return r, err
	}
	r.Installation = p.installation
	if file == "" {
		return r, usageErrorf("--file is needed; - reads the input")
	}
	text, err := s.read(file)
	r.Text = string(text)
	return r, err
}

func policyResult(p sdk.Policy, done string) result {
	return result{value: p, names: []string{policyName(p)}, text: func(w io.Writer, _ bool) {
		fmt.Fprintln(w, plainText(done+" "+policyName(p)))
	}}
}
