package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// api is the cluster's API by kubectl's proxy, which needs no client library.
type api struct {
	address string
	close   func()
}

// proxied opens the cluster of the run.
func proxied(ctx context.Context) (api, error) {
	kubeconfig, helper := os.Getenv("BLUEBERRY_TEST_KUBECONFIG"), os.Getenv("BLUEBERRY_TEST_DEVCLUSTER_BIN")
	if kubeconfig == "" || helper == "" {
		return api{}, errors.New("BLUEBERRY_TEST_KUBECONFIG is not set: run this by make bench")
	}
	proxy := exec.CommandContext(ctx, helper, "kubectl", "--kubeconfig", kubeconfig, "proxy", "--port=0")
	out, err := proxy.StdoutPipe()
	if err != nil {
		return api{}, err
	}
	if err := proxy.Start(); err != nil {
		return api{}, err
	}
	stop := func() { _ = proxy.Process.Kill(); _ = proxy.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return api{}, fmt.Errorf("kubectl proxy: %w", err)
	}
	return api{address: "http://" + strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]), close: stop}, nil
}

// do makes one call; into may be nil.
func (a api) do(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, a.address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if method == http.MethodGet { // a list of what is there, without its content
		req.Header.Set("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, text)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// apply makes or alters an object by server-side apply.
func (a api) apply(ctx context.Context, path, manifest string) error {
	return a.do(ctx, http.MethodPatch, path+"?fieldManager=bench&force=true", "application/apply-patch+yaml", []byte(manifest), nil)
}

// count tells how many objects of a kind carry a label selector; path is "/api/v1/services".
func (a api) count(ctx context.Context, path, selector string) (int, error) {
	var list struct {
		Items    []struct{} `json:"items"`
		Metadata struct {
			RemainingItemCount int `json:"remainingItemCount"`
		} `json:"metadata"`
	}
	err := a.do(ctx, http.MethodGet, path+"?labelSelector="+url.QueryEscape(selector), "", nil, &list)
	return len(list.Items) + list.Metadata.RemainingItemCount, err
}

// lookUntil looks each interval until done says so.
func lookUntil(ctx context.Context, interval time.Duration, done func() (bool, error)) error {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}
