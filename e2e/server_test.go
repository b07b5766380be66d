package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// binary is the real program, built once with fault points in it.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "blueberry-e2e-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "blueberry")
	return bin, installation.BuildForTests(context.Background(), bin)
})

func TestMain(m *testing.M) {
	bin, err := binary() // before the time of any test counts; each tells what is wrong with it
	code := m.Run()
	if err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// required gives a variable that make test sets; without it the test fails, because a test that is passed over proves nothing.
func required(tb testing.TB, name string) string {
	tb.Helper()
	v := os.Getenv(name)
	if v == "" {
		tb.Fatalf("%s is not set: run this by `make test` or `make e2e`, which start what it needs", name)
	}
	return v
}

// newHost is an installation on SQLite with more flags of the server.
func newHost(tb testing.TB, args ...string) installation.Host {
	tb.Helper()
	bin, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	return installation.Host{Bin: bin, State: tb.TempDir(), Args: append(args, "--log-level", "debug"), Watch: true}
}

// kubeHost is an installation on SQLite and the cluster of the test run.
func kubeHost(tb testing.TB) installation.Host {
	tb.Helper()
	return newHost(tb, "--kubeconfig", required(tb, "BLUEBERRY_TEST_KUBECONFIG"))
}

// argoHost is a new installation whose target is applied by the Argo CD of the test run, under a name of its own.
func argoHost(tb testing.TB) installation.Host {
	tb.Helper()
	if !strings.Contains(required(tb, "BLUEBERRY_TEST_WITH"), "argocd") {
		tb.Fatal("the cluster has no Argo CD: run testenv -with argocd")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // an address that stays through restarts: Argo CD reads the repository there
	if err != nil {
		tb.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return newHost(tb, "--kubeconfig", required(tb, "BLUEBERRY_TEST_KUBECONFIG"), "--target-driver", "argocd", "--target", fmt.Sprintf("k%04x", rand.N(1<<16)), "--listen", address)
}

// start runs a server until the test ends.
func start(tb testing.TB, h installation.Host, env ...string) *installation.Server {
	tb.Helper()
	s, err := h.Start(env...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.Kill()
		for _, leak := range s.Leaks() {
			tb.Errorf("the server's log holds a secret: %s", leak)
		}
		if tb.Failed() {
			tb.Logf("server log, last lines:\n%s", s.Log())
		}
	})
	return s
}

func waitPhase(ctx context.Context, tb testing.TB, s *installation.Server, id string, want sdk.Phase) sdk.Environment {
	tb.Helper()
	e, err := s.WaitPhase(ctx, id, want)
	if err != nil {
		tb.Fatalf("%v; conditions %+v", err, e.Conditions)
	}
	return e
}

// eventTypes counts the events of an environment by type.
func eventTypes(ctx context.Context, tb testing.TB, c *sdk.Client, id string) map[string]int {
	tb.Helper()
	list, err := c.ListEnvironmentEvents(ctx, id, sdk.EventFilter{Limit: 500})
	if err != nil {
		tb.Fatal(err)
	}
	n := map[string]int{}
	for _, e := range list.Items {
		n[e.Type]++
	}
	return n
}

// kubectl runs the kubectl of the cluster's helper binary.
func kubectl(ctx context.Context, tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := tryKubectl(ctx, tb, args...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func tryKubectl(ctx context.Context, tb testing.TB, args ...string) (string, error) {
	tb.Helper()
	cmd := exec.CommandContext(ctx, required(tb, "BLUEBERRY_TEST_DEVCLUSTER_BIN"), append([]string{"kubectl", "--kubeconfig", required(tb, "BLUEBERRY_TEST_KUBECONFIG")}, args...)...)
	var warnings strings.Builder
	cmd.Stderr = &warnings
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, warnings.String())
	}
	return string(out), nil
}

func git(ctx context.Context, tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	out, err := installation.Git(ctx, dir, args...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}
