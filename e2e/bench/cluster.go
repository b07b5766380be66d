package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// cluster: the figures that need the real API server of devcluster.
func (b *bench) cluster(ctx context.Context) error {
	kubeconfig, helper := os.Getenv("BLUEBERRY_TEST_KUBECONFIG"), os.Getenv("BLUEBERRY_TEST_DEVCLUSTER_BIN")
	if kubeconfig == "" || helper == "" {
		return fmt.Errorf("BLUEBERRY_TEST_KUBECONFIG is not set: run this by make bench")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	s, err := b.host("cluster", "--kubeconfig", kubeconfig).Start()
	if err != nil {
		return err
	}
	defer s.Kill()
	if err := b.applied(ctx, s); err != nil {
		return err
	}
	return b.repaired(ctx, s, kubeconfig, helper)
}

// applied: create to the event that says that every object is applied, and to ready.
func (b *bench) applied(ctx context.Context, s *installation.Server) error {
	var applied, ready []time.Duration
	for i := range 12 {
		began := time.Now()
		e, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: fmt.Sprintf("bench-%d", i), Blueprint: shop()})
		if err != nil {
			return err
		}
		for ev, err := range s.Client.WatchEvents(ctx, e.ID, 0) {
			if err != nil {
				return err
			}
			if ev.Type == "environment.synced" {
				applied = append(applied, time.Since(began))
			}
			if ev.Type == "environment.ready" {
				ready = append(ready, time.Since(began))
				break
			}
		}
		if i > 0 { // one stays for the next figure
			if _, err := s.Client.DestroyEnvironment(ctx, e.ID); err != nil {
				return err
			}
			if _, err := s.WaitPhase(ctx, e.ID, sdk.Terminated); err != nil {
				return err
			}
		}
	}
	row("create → all objects applied, 2 components, devcluster", spread(applied[1:]), "≤ 1 s")
	row("create → ready, 2 components, devcluster", spread(ready[1:]), "")
	page, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{Name: "bench-0", Limit: 1})
	if err != nil {
		return err
	}
	plans, err := planned(ctx, s, page.Items[0].ID, 60)
	if err != nil {
		return err
	}
	row("plan of a change, 2 components, dry run on devcluster", percentiles(plans), "p95 ≤ 500 ms")
	return nil
}

// repaired: a Deployment is deleted by another hand; the event of its repair arrives on the API's stream.
func (b *bench) repaired(ctx context.Context, s *installation.Server, kubeconfig, helper string) error {
	proxy := exec.CommandContext(ctx, helper, "kubectl", "--kubeconfig", kubeconfig, "proxy", "--port=0")
	out, err := proxy.StdoutPipe()
	if err != nil {
		return err
	}
	if err := proxy.Start(); err != nil {
		return err
	}
	defer func() { _ = proxy.Process.Kill(); _ = proxy.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("kubectl proxy: %w", err)
	}
	address := strings.TrimSpace(line[strings.LastIndex(line, " ")+1:])

	page, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{Name: "bench-0"})
	if err != nil || len(page.Items) != 1 {
		return fmt.Errorf("find bench-0: %w", err)
	}
	e := page.Items[0]
	var times []time.Duration
	for range 5 { // after five in a minute the next repair waits: then someone keeps undoing it
		if _, err := s.WaitPhase(ctx, e.ID, sdk.Ready); err != nil {
			return err
		}
		list, err := s.Client.ListEnvironmentEvents(ctx, e.ID, sdk.EventFilter{Limit: 500})
		if err != nil {
			return err
		}
		after := list.Items[len(list.Items)-1].Seq
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+address+"/apis/apps/v1/namespaces/"+e.Namespace+"/deployments/backend", nil)
		if err != nil {
			return err
		}
		began := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		res.Body.Close()
		for ev, err := range s.Client.WatchEvents(ctx, e.ID, after) {
			if err != nil {
				return err
			}
			if ev.Type == "environment.drift_repaired" {
				times = append(times, time.Since(began))
				break
			}
		}
	}
	row("Deployment deleted → repaired, event on the API stream", spread(times), "≤ 1 s")
	if _, err := s.Client.DestroyEnvironment(ctx, e.ID); err != nil {
		return err
	}
	_, err = s.WaitPhase(ctx, e.ID, sdk.Terminated)
	return err
}
