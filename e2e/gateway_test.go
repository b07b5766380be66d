package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// TestWakeGateway: an environment that sleeps is woken by those who open its address. Not one of many requests at once, also of those that come while it falls
// asleep and through restarts of the server, sees an error. The ingress is one that answers as those do: 503 while there are no pods.
func TestWakeGateway(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var mu sync.Mutex
	var client *sdk.Client
	var id string
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		c, env := client, id
		mu.Unlock()
		e, err := c.GetEnvironment(r.Context(), env)
		if err != nil || e.Sleep.Asleep || e.Phase != sdk.Ready {
			http.Error(w, "no endpoints", http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Host, body)
	}))
	defer ingress.Close()
	h := newHost(t, "--target-driver", "sim", "--gateway-listen", "127.0.0.1:0", "--gateway", ingress.URL)
	s := start(t, h)
	hours := 2
	e, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "gate", TTLHours: &hours, Blueprint: &sdk.Blueprint{Name: "web", Components: []sdk.Component{
		{Name: "web", Image: "ghcr.io/acme/web:1", Port: 8080},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	client, id = s.Client, e.ID
	mu.Unlock()
	e = waitPhase(ctx, t, s, e.ID, sdk.Ready)

	storm := func(n int, begun func()) {
		t.Helper()
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if i == n/2 && begun != nil {
					begun()
				}
				text := fmt.Sprintf("request %d", i)
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Gateway+"/x", strings.NewReader(text))
				if err != nil {
					t.Error(err)
					return
				}
				req.Host = e.Hosts[0]
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != e.Hosts[0]+" "+text {
					t.Errorf("%d %s", res.StatusCode, body)
				}
			})
		}
		wg.Wait()
	}
	sleep := func() {
		if _, err := s.Client.SleepEnvironment(ctx, e.ID); err != nil {
			t.Error(err)
		}
	}
	storm(20, nil)
	storm(100, sleep) // it falls asleep in the middle of it
	sleep()
	waitPhase(ctx, t, s, e.ID, sdk.Sleeping)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	s = start(t, h)
	mu.Lock()
	client = s.Client
	mu.Unlock()
	storm(100, nil)
	e = waitPhase(ctx, t, s, e.ID, sdk.Ready)
	ledger, err := s.Client.ListEnvironmentWakes(ctx, e.ID, sdk.WakeWindow{})
	if err != nil || len(ledger.Items) == 0 || ledger.Items[0].Asleep || ledger.Items[0].Why != "request" {
		t.Errorf("the ledger says %+v (%v)", ledger.Items, err)
	}
}
