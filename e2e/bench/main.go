// Command bench prints the numbers to hold (docs/design/numbers.md), each measured on the real binary: one row for each figure with its goal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
)

// bench is one run over all figures.
type bench struct {
	bin  string
	dir  string
	many int // environments of the scale figures
	side int // and of those that are made side by side with Argo CD alone

	steadily int // and of those that stand still on a real API server
}

func main() {
	many := flag.Int("environments", 10000, "environments of the scale figures")
	side := flag.Int("side", 100, "environments that are made side by side with Argo CD alone")
	steadily := flag.Int("steady", 1000, "environments that stand still on a real API server")
	only := flag.String("only", "", "measure only the groups whose name contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, bench{many: *many, side: *side, steadily: *steadily}, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b bench, only string) error {
	dir, err := os.MkdirTemp("", "blueberry-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.bin, b.dir = filepath.Join(dir, "blueberry"), dir
	if err := installation.Build(ctx, b.bin); err != nil {
		return err
	}
	fmt.Printf("%-58s %-34s %s\n", "what", "measured", "goal")
	var all error
	for _, group := range []struct {
		name string
		f    func(context.Context) error
	}{{"start", b.start}, {"cluster", b.cluster}, {"access", b.access}, {"accept", b.accept}, {"scale", b.scale}, {"hooks", b.hooks}, {"side", b.sideBySide}, {"code", b.code}, {"steady", b.steady}} {
		if !strings.Contains(group.name, only) || group.name == "side" && only == "" { // which needs an Argo CD: make bench-argocd
			continue
		}
		if err := group.f(ctx); err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", group.name, err))
		}
	}
	return all
}

func row(what, measured, goal string) { fmt.Printf("%-58s %-34s %s\n", what, measured, goal) }

// host is a new installation below the run's directory, which lets one token call as often as it likes.
func (b *bench) host(name string, args ...string) installation.Host {
	return installation.Host{Bin: b.bin, State: filepath.Join(b.dir, name), Args: append(args, "--rate-token", "0", "--rate-user", "0", "--rate-address", "0")}
}

func (b *bench) sim(name string) installation.Host {
	return b.host(name, "--target-driver", "sim")
}

// start: a new installation, and the same once more with its record there.
func (b *bench) start(ctx context.Context) error {
	var fresh, again []time.Duration
	var idle []float64
	for i := range 5 {
		h := b.host(fmt.Sprintf("start-%d", i), "--target-driver", "sim")
		for _, into := range []*[]time.Duration{&fresh, &again} {
			s, err := h.Start()
			if err != nil {
				return err
			}
			*into = append(*into, s.Took)
			mb, err := resident(ctx, s)
			if err != nil {
				return err
			}
			idle = append(idle, mb)
			if err := s.Stop(); err != nil {
				return err
			}
		}
	}
	row("cold start on SQLite to serving, new record", spread(fresh), "≤ 1 s")
	row("cold start on SQLite to serving, record there", spread(again), "≤ 1 s")
	row("resident memory, idle", fmt.Sprintf("%.0f MB (most of %d)", most(idle), len(idle)), "≤ 100 MB")
	return nil
}

// code runs the benchmarks that lie beside the code.
func (b *bench) code(ctx context.Context) error {
	for _, x := range []struct{ pkg, bench string }{
		{"./internal/render", "BenchmarkRenderSample|BenchmarkHelmCLISample|BenchmarkMerge"}, {"./internal/catalog", "Benchmark"}, {"./internal/policy", "Benchmark"}, {"./internal/gitops", "Benchmark"}, {"./internal/store", "Benchmark"}, {"./internal/access", "BenchmarkAuthenticate"}, {"./internal/audit", "Benchmark"}, {"./internal/httpapi", "BenchmarkGateway"}, {"./internal/web/console", "Benchmark"}, {"./internal/target/sim", "Benchmark"}, {"./internal/target/kube", "Benchmark"},
	} {
		out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", x.bench, x.pkg).CombinedOutput()
		for line := range strings.SplitSeq(string(out), "\n") {
			if name, rest, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(name, "Benchmark") {
				row(strings.TrimPrefix(x.pkg, "./internal/")+" "+strings.TrimSpace(name), strings.Join(strings.Fields(rest), " "), "")
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", x.pkg, err, out)
		}
	}
	return nil
}

// resident is the memory of the server's process, in MB.
func resident(ctx context.Context, s *installation.Server) (float64, error) {
	out, err := exec.CommandContext(ctx, "ps", "-o", "rss=", "-p", strconv.Itoa(s.Command.Process.Pid)).Output()
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	kb, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return kb / 1024, err
}
