// Command testenv runs a command with the services that the tests need: a PostgreSQL and a development cluster, both on
// free loopback ports, in a temporary directory, and gone afterwards.
//
//	go run ./e2e/testenv -- go test ./...
//	go run ./e2e/testenv -with argocd,rollouts,metrics -- go test ./...
//
// The command finds them in its environment: BLUEBERRY_TEST_POSTGRES is a postgres:// URL whose user may create databases,
// BLUEBERRY_TEST_KUBECONFIG the path of an administrator's kubeconfig, BLUEBERRY_TEST_DEVCLUSTER_BIN the helper binary,
// BLUEBERRY_TEST_WITH the comma list of what the cluster has beyond Kubernetes (argocd, argocd-applicationset, rollouts,
// metrics; their binaries are beside the helper), BLUEBERRY_TEST_ARGOCD the URL of Argo CD's API. In that cluster `kubectl
// exec` runs processes on this machine, and the logs of the pretended pods are kwok/pod.log beside the kubeconfig. What is
// set already is used as it is, and then not started. The command gets no standard input; its exit code is testenv's. 125
// says that testenv itself failed.
//
// The services belong to a second process of this program, the guard, which ends them when its standard input ends: also
// when testenv is killed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/blueberry-idp/blueberry/internal/app/devcluster"
)

const (
	exitFailed = 125 // testenv itself failed
	exitUsage  = 2

	// commandGrace is how long an interrupted command may take to end before it is killed.
	commandGrace = 10 * time.Second
)

// The variables that tell tests where the services are.
const (
	postgresVar   = "BLUEBERRY_TEST_POSTGRES"
	kubeconfigVar = "BLUEBERRY_TEST_KUBECONFIG"
	binVar        = "BLUEBERRY_TEST_DEVCLUSTER_BIN"
	withVar       = "BLUEBERRY_TEST_WITH"
	argoCDVar     = "BLUEBERRY_TEST_ARGOCD"
	withoutVar    = "BLUEBERRY_TEST_WITHOUT_POSTGRES" // 1: the halves of tests that need PostgreSQL are left out
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == guardWord {
		os.Exit(guardMain(os.Args[2:]))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// services say what to start.
type services struct {
	Postgres, Cluster bool
	With              []string // what the cluster has beyond Kubernetes
	Without           bool     // PostgreSQL is left out on purpose
	Helper            bool     // build the helper binary, for its kubectl, where the cluster is another one
}

// parse gives the services asked for and the command.
func parse(args []string, stderr io.Writer) (services, []string, error) {
	flags := flag.NewFlagSet("testenv", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: testenv [flags] -- command ...\nWithout -postgres and -cluster both services are started.")
		flags.PrintDefaults()
	}
	postgres := flags.Bool("postgres", false, "start PostgreSQL only (with -cluster: both)")
	cluster := flags.Bool("cluster", false, "start the development cluster only (with -postgres: both)")
	with := flags.String("with", "", "what the cluster has beyond Kubernetes, with commas between: "+strings.Join(devcluster.Extras(), ", ")+"; starts the cluster")
	without := flags.Bool("without-postgres", false, "do without PostgreSQL; sets BLUEBERRY_TEST_WITHOUT_POSTGRES=1")
	if err := flags.Parse(args); err != nil {
		return services{}, nil, err
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return services{}, nil, errors.New("no command given")
	}
	if *postgres && *without {
		return services{}, nil, errors.New("-postgres and -without-postgres contradict each other")
	}
	extras := strings.FieldsFunc(*with, func(r rune) bool { return r == ',' })
	if err := devcluster.CheckWith(extras); err != nil {
		return services{}, nil, err
	}
	all := !*postgres && !*cluster
	return services{
		Postgres: (all || *postgres) && !*without, Cluster: all || *cluster || len(extras) > 0, With: extras, Without: *without,
	}, flags.Args(), nil
}

func run(args []string, stdout, stderr io.Writer) int {
	want, command, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "testenv:", err)
		return exitUsage
	}
	want.Postgres = want.Postgres && os.Getenv(postgresVar) == ""
	if want.Cluster && os.Getenv(kubeconfigVar) != "" {
		want.Cluster, want.Helper = false, os.Getenv(binVar) == ""
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	env := os.Environ()
	if want.Without {
		env = append(env, withoutVar+"=1")
	}
	if want.Postgres || want.Cluster || want.Helper {
		g, err := startGuard(want, stderr, signals)
		if err != nil {
			fmt.Fprintln(stderr, "testenv:", err)
			return exitFailed
		}
		defer func() {
			if err := g.stop(); err != nil {
				fmt.Fprintln(stderr, "testenv: stop services:", err)
			}
		}()
		for name, value := range g.env {
			env = append(env, name+"="+value)
		}
	}
	code, err := runCommand(command, env, stdout, stderr, signals)
	if err != nil {
		fmt.Fprintln(stderr, "testenv:", err)
	}
	return code
}

// runCommand runs the command in a process group of its own and passes signals on to all of it, so that nothing of an
// interrupted command stays.
func runCommand(command, env []string, stdout, stderr io.Writer, signals <-chan os.Signal) (int, error) {
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...) // signals end it
	cmd.Env, cmd.Stdout, cmd.Stderr = env, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// What the command left running may hold its output open; that must not keep us.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return exitFailed, fmt.Errorf("run command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	asked := false // to end
	for {
		select {
		case err := <-ended:
			if asked {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // fails when nothing is left, which is the aim
			}
			return exitCode(cmd.ProcessState), waitError(err)
		case s := <-signals:
			if sig, ok := s.(syscall.Signal); ok {
				_ = syscall.Kill(-cmd.Process.Pid, sig)
			}
			if !asked {
				asked = true
				killer := time.AfterFunc(commandGrace, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
				defer killer.Stop()
			}
		}
	}
}

// waitError is what Wait says beyond the exit code.
func waitError(err error) error {
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) {
		return nil
	}
	return fmt.Errorf("run command: %w", err)
}

// exitCode is the command's, or what a shell makes of a signal.
func exitCode(s *os.ProcessState) int {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.ExitCode()
}
