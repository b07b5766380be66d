package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwoksignals "sigs.k8s.io/kwok/pkg/utils/signals"

	"github.com/blueberry-idp/blueberry/devcluster/internal/supervise"
)

// endGrace is how long a component has to end after its supervisor is gone.
const endGrace = 3 * time.Second

// component is the main function of one component; args are its name and its flags. It returns the exit code.
func component(args []string) int {
	if err := supervise.EndWithParent(endGrace); err != nil {
		fmt.Fprintln(os.Stderr, "devcluster component:", err)
		return 2
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "devcluster component: which?")
		return 2
	}
	os.Args = args // the commands below read their flags from there
	var cmd *cobra.Command
	switch args[0] {
	case "etcd":
		etcdmain.Main(args)
		return 0
	case "kube-apiserver":
		cmd = apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		cmd = controllermanager.NewControllerManagerCommand()
	case "kube-scheduler":
		cmd = scheduler.NewSchedulerCommand()
	case "kwok":
		return runKwok()
	default:
		fmt.Fprintf(os.Stderr, "devcluster component: no component %q\n", args[0])
		return 2
	}
	return cli.Run(cmd)
}

func runKwok() int {
	flags := pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true // those of the command come later
	flags.Usage = func() {}
	ctx, log := kwoklog.InitFlags(kwoksignals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		log.Error("read configuration", "err", err)
		return 1
	}
	cmd := kwok.NewCommand(ctx)
	cmd.Version = "" // the Kubernetes packages register a --version of their own with every command of a program
	cmd.PersistentFlags().AddFlagSet(flags)
	if err := cmd.ExecuteContext(ctx); err != nil {
		log.Error("run kwok", "err", err)
		return 1
	}
	return 0
}

// runKubectl is kubectl; args are its own.
func runKubectl(args []string) int {
	os.Args = append([]string{"kubectl"}, args...)
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints and exits
		return 1
	}
	return 0
}
