package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/sdk"
)

// targetFlags say what a target is.
type targetFlags struct {
	driver, domain, region, kubeconfig, context, gateway           string
	argoNamespace, argoKubeconfig, argoRepository, argoDestination string
	cpu, memory, storage                                           string
	pods                                                           int64
	named                                                          func(flag string) bool
}

func (t *targetFlags) flags(f *pflag.FlagSet, driver string) {
	f.StringVar(&t.driver, "driver", driver, "kube, argocd or sim")
	f.StringVar(&t.domain, "domain", "", "hosts of its environments end in it")
	f.StringVar(&t.region, "region", "", "where it is, for prices")
	f.StringVar(&t.kubeconfig, "kubeconfig", "", "file of its cluster's kubeconfig, - for the input; it is sent to the server and kept encrypted")
	f.StringVar(&t.context, "kube-context", "", "context of the kubeconfig; else its current one")
	f.StringVar(&t.gateway, "gateway", "", "address of its ingress, that the wake gateway passes requests on to")
	f.StringVar(&t.argoNamespace, "argocd-namespace", "", "namespace in which Argo CD looks for Applications")
	f.StringVar(&t.argoKubeconfig, "argocd-kubeconfig", "", "file of the kubeconfig of the cluster that Argo CD runs in, if it is another one")
	f.StringVar(&t.argoRepository, "argocd-repository", "", "URL by which Argo CD reaches the GitOps repository")
	f.StringVar(&t.argoDestination, "argocd-destination", "", "URL by which Argo CD knows the cluster, if it runs in another one")
	f.StringVar(&t.cpu, "cpu", "", "cores that its environments may use together; else what the target says")
	f.StringVar(&t.memory, "memory", "", "memory that they may use: 64Gi")
	f.Int64Var(&t.pods, "pods", 0, "pods that they may run")
	f.StringVar(&t.storage, "storage", "", "storage that they may claim: 500Gi")
	t.named = f.Changed
}

func (t *targetFlags) capacity() *sdk.Capacity {
	for _, flag := range []string{"cpu", "memory", "pods", "storage"} {
		if t.named(flag) {
			return &sdk.Capacity{CPU: t.cpu, Memory: t.memory, Pods: t.pods, Storage: t.storage}
		}
	}
	return nil
}

// file is what a flag that names a file stands for; nil when it was not given.
func (t *targetFlags) file(s *shared, flag, path string) (*string, error) {
	if !t.named(flag) {
		return nil, nil
	}
	if path == "" {
		return new(string), nil
	}
	data, err := s.read(path)
	if err != nil {
		return nil, err
	}
	text := string(data)
	return &text, nil
}

// given is a flag's value; nil when it was not given.
func (t *targetFlags) given(flag string, value *string) *string {
	if !t.named(flag) {
		return nil
	}
	return value
}

func (t *targetFlags) argo(s *shared) (*sdk.ArgoRequest, error) {
	kubeconfig, err := t.file(s, "argocd-kubeconfig", t.argoKubeconfig)
	if err != nil {
		return nil, err
	}
	r := sdk.ArgoRequest{
		Namespace: t.given("argocd-namespace", &t.argoNamespace), Kubeconfig: kubeconfig,
		Repository: t.given("argocd-repository", &t.argoRepository), Destination: t.given("argocd-destination", &t.argoDestination),
	}
	if r == (sdk.ArgoRequest{}) {
		return nil, nil
	}
	return &r, nil
}

type targetAddOptions struct {
	*shared
	targetFlags
}

func newTargetAdd(s *shared) *cobra.Command {
	o := &targetAddOptions{shared: s}
	c := &cobra.Command{
		Use: "add NAME", Short: "Register a place that can hold environments", Args: exactly(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Registers a target and shows what it lacks. A kubeconfig must hold its credential itself: commands, files and auth providers are refused, because they would be run or read on the server.`,
		Example: `  blueberry target add eu --kubeconfig eu.yaml --domain previews.example.com --region europe-west6
  blueberry target add eu --driver argocd --kubeconfig eu.yaml --domain previews.example.com`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.targetFlags.flags(c.Flags(), "kube")
	must(c.RegisterFlagCompletionFunc("driver", cobra.FixedCompletions([]string{"kube", "argocd", "sim"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *targetAddOptions) run(ctx context.Context, name string) error {
	if err := inputOnce(o.kubeconfig, o.argoKubeconfig); err != nil {
		return err
	}
	r := sdk.RegisterTargetRequest{Name: name, Driver: o.driver, Domain: o.domain, Region: o.region, Context: o.targetFlags.context, Gateway: o.gateway, Capacity: o.capacity()}
	kubeconfig, err := o.file(o.shared, "kubeconfig", o.kubeconfig)
	if err != nil {
		return err
	}
	if kubeconfig != nil {
		r.Kubeconfig = *kubeconfig
	}
	if r.Argo, err = o.argo(o.shared); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	made, err := client.RegisterTarget(ctx, r)
	if err != nil {
		return err
	}
	o.note("registered %s", plainText(made.Target.Name))
	return o.print(checksResult(made, made.Checks))
}
