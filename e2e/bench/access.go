package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// access: what the proof of who asks costs, and what the evidence does.
func (b *bench) access(ctx context.Context) error {
	s, err := b.sim("access").Start()
	if err != nil {
		return err
	}
	defer s.Kill()
	e, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "read", Blueprint: shop()})
	if err != nil {
		return err
	}
	const calls = 4000
	anonymous, known := make([]time.Duration, calls), make([]time.Duration, calls)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for i := range calls { // in turns, so that both see the same machine
		for _, x := range []struct {
			path, token string
			into        []time.Duration
		}{{"/", "", anonymous}, {"/v1/version", s.Client.Token, known}} {
			began := time.Now()
			if err := get(ctx, client, s, x.path, x.token); err != nil {
				return err
			}
			x.into[i] = time.Since(began)
		}
	}
	over := quantile(known, .5) - quantile(anonymous, .5)
	row("authenticated GET over an anonymous one, warm", fmt.Sprintf("p50 %s (%s, %s)", over, round(quantile(known, .5)), round(quantile(anonymous, .5))), "≤ 50 µs")

	for _, x := range [][2]string{{"who one is", "/v1/account"}, {"an environment", "/v1/environments/" + e.ID}} {
		if err := b.reads(ctx, s, client, x[0], x[1]); err != nil {
			return err
		}
	}
	return b.evidence(ctx, s)
}

func get(ctx context.Context, client *http.Client, s *installation.Server, path, token string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		return fmt.Errorf("%s answered %s", path, res.Status)
	}
	return nil
}

// reads is how many reads with a token a server answers: with the clients on the same cores, and what its own processor time would give on two cores that it
// has for itself.
func (b *bench) reads(ctx context.Context, s *installation.Server, client *http.Client, what, path string) error {
	const n, clients = 30000, 16
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	before, err := processorTime(s)
	if err != nil {
		return err
	}
	began := time.Now()
	for range clients {
		g.Go(func() error {
			for next.Add(1) <= n {
				if err := get(ctx, client, s, path, s.Client.Token); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := processorTime(s)
	if err != nil {
		return err
	}
	row("authenticated reads of "+what+", 16 clients", fmt.Sprintf("%.0f/s; on 2 cores alone %.0f/s", n/took.Seconds(), 2*n/(after-before).Seconds()), "≥ 5,000/s")
	return nil
}

// processorTime is what the server's process has used, as Linux tells it.
func processorTime(s *installation.Server) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read processor time (Linux only): %w", err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] { // user and system, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

var appended = regexp.MustCompile(`BenchmarkAppendAudit/sqlite\S*\s+\d+\s+([0-9.]+) ns/op`)

// evidence is the share that the audit entry has in a create.
func (b *bench) evidence(ctx context.Context, s *installation.Server) error {
	times, err := createAll(ctx, s, "audited", 200, 1)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "BenchmarkAppendAudit/sqlite", "./internal/store").CombinedOutput()
	found := appended.FindSubmatch(out)
	if err != nil || found == nil {
		return errors.Join(err, fmt.Errorf("no figure of the audit:\n%s", out))
	}
	ns, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		return err
	}
	one, create := time.Duration(ns), quantile(times, .5)
	row("audit entry, share of a create", fmt.Sprintf("%.1f %% (%s of %s)", 100*float64(one)/float64(create), one, round(create)), "≤ 5 %")
	return nil
}
