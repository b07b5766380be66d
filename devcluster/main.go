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
	"strings"
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

  devcluster run --dir DIR [--port N] [--with NAME=PROGRAM,...] [--exec] [--stop-with-stdin]
      starts a cluster, or the one of DIR again, and prints "ready kubeconfig=PATH" when it can be used; with argocd before it
      "argocd url=URL admin-password=PATH"
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
	with := flags.String("with", "", "extras, each with its program: "+strings.Join(cluster.Extras(), "=PROGRAM, ")+"=PROGRAM, with commas between")
	exec := flags.Bool("exec", false, "let `kubectl exec` run processes on this machine, for whoever reaches kwok's loopback port; for tests")
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
	extras, err := parseWith(*with)
	if err != nil {
		fmt.Fprintln(os.Stderr, "devcluster run:", err)
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
	if err := start(ctx, cluster.Options{Dir: *dir, Port: *port, With: extras, Exec: *exec}); err != nil {
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		return 1
	}
	return 0
}

// parseWith reads name=path,name=path.
func parseWith(text string) (map[string]string, error) {
	with := map[string]string{}
	for _, each := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		name, path, found := strings.Cut(each, "=")
		if !found || path == "" {
			return nil, fmt.Errorf("--with is NAME=PROGRAM,..., not %q", each)
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("find program: %w", err)
		}
		with[name] = path
	}
	return with, nil
}

func start(ctx context.Context, o cluster.Options) error {
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return fmt.Errorf("find directory: %w", err)
	}
	if o.Exe, err = os.Executable(); err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	o.Tell = func(line string) { fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), line) }
	return cluster.Run(ctx, o, func(p cluster.Places) {
		if p.ArgoCD != "" {
			fmt.Println("argocd url=" + p.ArgoCD + " admin-password=" + p.ArgoCDAdminPassword)
		}
		fmt.Println("ready kubeconfig=" + p.Kubeconfig)
	})
}
