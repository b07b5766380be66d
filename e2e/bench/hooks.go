package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// hooks: deliveries that come at a steady rate, each about a pull request of its own that gets no environment: what is measured is the inbox.
func (b *bench) hooks(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	s, err := b.sim("hooks").Start()
	if err != nil {
		return err
	}
	defer s.Kill()
	added, err := s.Client.AddRepository(ctx, sdk.AddRepositoryRequest{
		Name: "acme/shop", Host: "generic", URL: "https://git.example.com/acme/shop.git", Policy: sdk.PullPolicy{Labels: []string{"preview"}},
	})
	if err != nil {
		return err
	}
	const rate, n = 200, 4000
	var mu sync.Mutex
	var times []time.Duration
	var failed error
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for i := range n {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		wg.Go(func() {
			began := time.Now()
			err := deliver(ctx, s, added, i+1)
			mu.Lock()
			defer mu.Unlock()
			times, failed = append(times, time.Since(began)), errors.Join(failed, err)
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	row(fmt.Sprintf("delivery recorded and answered, %d a second", rate), fmt.Sprintf("p50 %s, p95 %s, p99 %s", round(quantile(times, .5)), round(quantile(times, .95)), round(quantile(times, .99))), "p99 ≤ 50 ms")
	return nil
}

// deliver sends a new pull request to the inbox.
func deliver(ctx context.Context, s *installation.Server, added sdk.AddedRepository, number int) error {
	body, err := json.Marshal(map[string]any{"event": "pull_request", "data": map[string]any{
		"repository": "acme/shop", "action": "opened", "number": number, "title": "A change", "author": "ada", "state": "open",
		"head": map[string]string{"ref": "topic", "commit": fmt.Sprintf("%040x", number), "repository": "acme/shop"},
		"base": map[string]string{"ref": "main", "repository": "acme/shop"}, "updated_at": time.Now().UTC().Format(time.RFC3339Nano),
	}})
	if err != nil {
		return err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(added.Secret))
	_, _ = mac.Write(append([]byte(at+"."), body...))
	hook, err := url.Parse(added.Repository.WebhookURL)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+hook.Path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Blueberry-Timestamp", at)
	req.Header.Set("X-Blueberry-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusAccepted || !bytes.Contains(answer, []byte(`"accepted"`))) {
		err = fmt.Errorf("delivery %d: %s %s", number, res.Status, answer)
	}
	return err
}
