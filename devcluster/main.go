// Command devcluster is a Kubernetes for development in one program: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kubectl, and kwok, which pretends a node and its pods. It needs no container runtime and no rights.
//
// It is a module of its own so that its weight never touches the main program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
	_ "time/tzdata" // time zones of CronJobs

	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/component-base/version"

	"github.com/blueberry-idp/blueberry/devcluster/internal/cluster"
)

const usage = `devcluster is a Kubernetes for development in one program.

  devcluster run --dir DIR [--port N] [--stop-with-stdin]
      starts a cluster, or the one of DIR again, and prints "ready kubeconfig=PATH" when it can be used
  devcluster kubectl ...
      is kubectl
  devcluster version
      says which Kubernetes it is
`

func main() {
	word, args := "", []string(nil)
	if len(os.Args) > 1 {
		word, args = os.Args[1], os.Args[2:]
	}
	switch word {
	case "run":
		os.Exit(run(args))
	case "component": // started by run
		os.Exit(component(args))
	case "kubectl":
		os.Exit(runKubectl(args))
	case "version":
		fmt.Println("devcluster, Kubernetes", version.Get().GitVersion)
	case "help", "-h", "-help", "--help":
		fmt.Print(usage)
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

// run is the command that starts a cluster. It ends with 0 when it was asked to end, 1 when the cluster could not run, 2
// when the flags are wrong.
func run(args []string) int {
	flags := flag.NewFlagSet("devcluster run", flag.ContinueOnError)
	dir := flags.String("dir", "", "directory of the cluster; made when missing, kept when the cluster ends")
	port := flags.Int("port", 0, "port of the API server (default: the one of the last start, else a free one)")
	withStdin := flags.Bool("stop-with-stdin", false, "end when standard input ends")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *dir == "" || flags.NArg() > 0 || *port < 0 || *port > 65535 {
		fmt.Fprint(os.Stderr, "devcluster run: --dir DIR is needed, --port is 0 to 65535, and there is nothing but flags\n")
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer cancel()
	// Progress goes to whoever started this one; when they are gone, so is the need for progress, but not for an orderly end.
	signal.Ignore(syscall.SIGPIPE)
	if *withStdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	if err := start(ctx, *dir, *port); err != nil {
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		return 1
	}
	return 0
}

func start(ctx context.Context, dir string, port int) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find directory: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	options := cluster.Options{Dir: dir, Port: port, Exe: exe, Tell: func(line string) {
		fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), line)
	}}
	return cluster.Run(ctx, options, func(kubeconfig string) { fmt.Println("ready kubeconfig=" + kubeconfig) })
}
