package devcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// recipe is part of the key: raise it when the way of building changes.
const recipe = "1"

// longBuild is how many packages are worth a word about the time: a new release of the module compiles a few, the first build
// some 2,000 (340 s on two busy cores).
const longBuild = 300

// beside is what the directory with a binary's files is called, after the binary.
const beside = ".d"

// Builder builds the helper binary from the sources of the devcluster module, and those of extras from modules below it, each
// when it is not there or was built from other sources or by another Go.
type Builder struct {
	Source   string    // directory of the module; empty: searched beside the working directory and the executable, and above
	Bin      string    // file to make; its key is kept beside it, and so are the binaries of extras with what they need
	With     []string  // extras
	Progress io.Writer // told what happens; a terminal gets one line that moves; nil: nobody
}

// Build returns the absolute path of the binary. It returns at once when all binaries are up to date. Two builders of one
// binary wait for each other. What a user can do about an error is in it; its kind is Unavailable, or Invalid for an extra
// that is not known.
func (b Builder) Build(ctx context.Context) (string, error) {
	if err := CheckWith(b.With); err != nil {
		return "", err
	}
	bin, err := filepath.Abs(b.Bin)
	if err != nil {
		return "", fmt.Errorf("build devcluster: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		return "", fmt.Errorf("build devcluster: %w", err)
	}
	progress := newProgress(b.Progress)
	for _, p := range parts(b.With) {
		if err := b.build(ctx, p, bin+p.suffix, progress); err != nil {
			return "", err
		}
	}
	return bin, nil
}

// build makes one binary, where need be.
func (b Builder) build(ctx context.Context, p part, bin string, progress *progress) error {
	unlock, err := lock(ctx, bin+".lock", func() { progress.line("another process builds " + p.title + "; waiting for it") })
	if err != nil {
		return fmt.Errorf("build devcluster: %w", err)
	}
	defer unlock()
	have, err := readKey(bin, len(p.keep) > 0)
	if err != nil {
		return err
	}
	source, err := findSource(b.Source)
	if err != nil {
		if have != (key{}) && b.Source == "" {
			return nil // installed without its sources
		}
		return err
	}
	if source = filepath.Join(source, p.dir); !isModule(source, p.module()) {
		return errNoSource(source)
	}
	sources, err := hashSources(source)
	if err != nil {
		return err
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		if have.sources == sources {
			return nil
		}
		return blueberry.Errorf(blueberry.Unavailable, "GO_TOOL_MISSING",
			"building %s needs the go tool, which is not in PATH: install Go from https://go.dev/dl, or use a cluster of your own with --kubeconfig", p.title)
	}
	c := compiler{part: p, tool: tool, source: source, out: bin + ".new", progress: progress}
	version, err := c.output(ctx, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return err
	}
	want := key{sources: sources, golang: strings.Join(strings.Fields(version), " ") + " recipe " + recipe}
	if have == want {
		return nil
	}
	if err := c.compile(ctx); err != nil {
		return err
	}
	return install(c.out, bin, want)
}

// install puts the new binary, what it needs and its key in place. The old key goes first: a crash in between builds once more.
func install(from, bin string, k key) error {
	if err := os.Remove(keyFile(bin)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("install devcluster: %w", err)
	}
	if err := os.RemoveAll(bin + beside); err != nil {
		return fmt.Errorf("install devcluster: %w", err)
	}
	if err := os.Rename(from+beside, bin+beside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("install devcluster: %w", err)
	}
	if err := os.Rename(from, bin); err != nil {
		return fmt.Errorf("install devcluster: %w", err)
	}
	if err := os.WriteFile(keyFile(bin), []byte(k.String()), 0o644); err != nil {
		return fmt.Errorf("install devcluster: %w", err)
	}
	return nil
}

// compiler runs the go tool in the module.
type compiler struct {
	part
	tool, source, out string
	progress          *progress
}

// command is the go tool with everything that could lead it elsewhere switched off. Without cgo no C compiler is needed.
func (c compiler) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.tool, args...)
	cmd.Dir = c.source
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "PWD="+c.source)
	ownGroup(cmd)
	cmd.Cancel = func() error { return interruptGroup(cmd.Process) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func (c compiler) output(ctx context.Context, args ...string) (string, error) {
	cmd := c.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", c.failed(ctx, "go "+args[0], err, lastLines(errs.String(), 10))
	}
	return out.String(), nil
}

// compile builds the binary and shows how far it is.
func (c compiler) compile(ctx context.Context) error {
	start := time.Now()
	c.progress.line("building " + c.title + " from its sources; it is kept for every later start")
	version, err := c.output(ctx, "list", "-m", "-f", "{{.Version}}", c.upstream)
	if err != nil {
		return err
	}
	flags := []string{"-trimpath", "-buildvcs=false", "-ldflags=" + c.ldflags(strings.TrimSpace(version))}
	// What is stale will be compiled. This also fetches the modules that are needed, and no others.
	var stale bytes.Buffer
	if err := c.run(ctx, append(append([]string{"list"}, flags...), "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", c.pkg), &stale, nil); err != nil {
		return err
	}
	total := len(strings.Fields(stale.String()))
	if total > longBuild {
		c.progress.line("this is the first time, or a long time ago: some minutes (2 to 8)")
	}
	done := 0
	c.progress.status(fmt.Sprintf("compiled 0 of %d packages", total))
	err = c.run(ctx, append(append([]string{"build", "-v"}, flags...), "-o", c.out, c.pkg), io.Discard, func() {
		done++
		text := fmt.Sprintf("compiled %d of %d packages (%s)", done, max(done, total), time.Since(start).Round(time.Second))
		if done >= total {
			text += ", linking"
		}
		c.progress.status(text)
	})
	if err != nil {
		return err
	}
	if err := c.copyKept(ctx); err != nil {
		return err
	}
	c.progress.line(fmt.Sprintf("built %s in %s", c.title, time.Since(start).Round(time.Second)))
	return nil
}

// copyKept copies what the binary needs out of the module cache, which need not be there when it runs.
func (c compiler) copyKept(ctx context.Context) error {
	to := c.out + beside
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("build devcluster: %w", err)
	}
	if len(c.keep) == 0 {
		return nil
	}
	from, err := c.output(ctx, "list", "-m", "-f", "{{.Dir}}", c.upstream)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("build devcluster: %w", err)
	}
	for _, pattern := range c.keep {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(from), filepath.FromSlash(pattern)))
		if err != nil {
			return fmt.Errorf("build devcluster: %w", err)
		}
		if len(files) == 0 {
			return blueberry.Errorf(blueberry.Unavailable, "DEVCLUSTER_BUILD_FAILED", "%s could not be built: its module has no %s", c.title, pattern)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("build devcluster: %w", err)
			}
			if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), data, 0o644); err != nil {
				return fmt.Errorf("build devcluster: %w", err)
			}
		}
	}
	return nil
}

// run runs the go tool and reads along what it tells: one call of compiled for each package that it names.
func (c compiler) run(ctx context.Context, args []string, stdout io.Writer, compiled func()) error {
	cmd := c.command(ctx, args...)
	cmd.Stdout = stdout
	told, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("go %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("go %s: %w", args[0], err)
	}
	var last tail
	downloads := 0
	eachLine(told, func(line string) {
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			downloads++
			c.progress.status(fmt.Sprintf("downloading modules: %d so far", downloads))
		case compiled != nil && !strings.ContainsAny(line, " \t#"):
			compiled()
		default:
			last.add(line)
		}
	})
	if err := cmd.Wait(); err != nil {
		return c.failed(ctx, "go "+args[0], err, last.lines())
	}
	return nil
}

func (c compiler) failed(ctx context.Context, what string, err error, lines []string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("build devcluster: %w", context.Cause(ctx))
	}
	return blueberry.Errorf(blueberry.Unavailable, "DEVCLUSTER_BUILD_FAILED",
		"%s could not be built: %s: %s: %s", c.title, what, err, strings.Join(lines, "\n"))
}
