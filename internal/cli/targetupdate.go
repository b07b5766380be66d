package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type targetUpdateOptions struct {
	*shared
	targetFlags
	forget bool
}

func newTargetUpdate(s *shared) *cobra.Command {
	o := &targetUpdateOptions{shared: s}
	c := &cobra.Command{
		Use: "update NAME", Short: "Change a target", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		Long: `Changes what is named and leaves the rest; a flag with an empty value takes away what it names. Of the capacity all is said anew. Another driver takes the environments over without touching what runs.`,
		Example: `  blueberry target update eu --driver argocd
  blueberry target update eu --kubeconfig renewed.yaml`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.targetFlags.flags(c.Flags(), "")
	c.Flags().BoolVar(&o.forget, "forget-capacity", false, "let the target say itself what it holds")
	must(c.RegisterFlagCompletionFunc("driver", cobra.FixedCompletions([]string{"kube", "argocd", "sim"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *targetUpdateOptions) run(ctx context.Context, name string) error {
	if err := inputOnce(o.kubeconfig, o.argoKubeconfig); err != nil {
		return err
	}
	r := sdk.UpdateTargetRequest{
		Driver: o.given("driver", &o.driver), Domain: o.given("domain", &o.domain), Region: o.given("region", &o.region),
		Context: o.given("kube-context", &o.targetFlags.context), Gateway: o.given("gateway", &o.gateway), Capacity: o.capacity(), ForgetCapacity: o.forget,
	}
	var err error
	if r.Kubeconfig, err = o.file(o.shared, "kubeconfig", o.kubeconfig); err != nil {
		return err
	}
	if r.Argo, err = o.argo(o.shared); err != nil {
		return err
	}
	if r == (sdk.UpdateTargetRequest{}) {
		return usageErrorf("name what is to change, as --domain or --driver")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := client.UpdateTarget(ctx, name, r)
	if err != nil {
		return err
	}
	return o.print(o.targetResult(t))
}
