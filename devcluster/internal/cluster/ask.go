package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
)

const (
	askPause   = 50 * time.Millisecond
	askLimit   = 5 * time.Second  // for one question
	applyLimit = 60 * time.Second // for one object
)

// nodeName is the one pretended node.
const nodeName = "kwok-0"

// node is far bigger than any machine, so that nothing but a quota keeps a pod from it.
func node() map[string]any {
	size := map[string]string{"cpu": "10k", "memory": "64Ti", "ephemeral-storage": "1Pi", "pods": "1M"}
	return map[string]any{
		"apiVersion": "v1",
		"kind":       "Node",
		"metadata": map[string]any{
			"name":        nodeName,
			"annotations": nodeAnnotations(),
			"labels": map[string]string{
				"kubernetes.io/hostname": nodeName, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "type": "kwok",
				"topology.kubernetes.io/region": "local", "topology.kubernetes.io/zone": "local-a",
			},
		},
		"status": map[string]any{"allocatable": size, "capacity": size},
	}
}

// nodeAnnotations tell kwok that the node is its own and metrics-server where its usage is.
func nodeAnnotations() map[string]string {
	return map[string]string{
		"kwok.x-k8s.io/node": "fake", "metrics.k8s.io/resource-metrics-path": "/metrics/nodes/" + nodeName + "/metrics/resource",
	}
}

// client asks over TLS as one of the pairs.
func (c *cluster) client(pair, authority string) (*http.Client, error) {
	cert, err := tls.LoadX509KeyPair(c.pki.Cert(pair), c.pki.Key(pair))
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	ca, err := os.ReadFile(c.pki.Cert(authority))
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("read authority: no certificate in it")
	}
	return &http.Client{
		Timeout:   askLimit,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}, nil
}

// ask sends one request and gives status and body.
func ask(ctx context.Context, client *http.Client, method, url string, body any) (int, []byte, error) {
	var r io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		r = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, r)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, data, err
}

// until asks again and again, until try says nil. It gives up with the last refusal when ctx ends or give says why to.
func until(ctx context.Context, give func() error, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		if stop := give(); stop != nil {
			return fmt.Errorf("%w (%w)", stop, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		case <-time.After(askPause):
		}
	}
}

// healthy asks a component's health page once.
func healthy(ctx context.Context, client *http.Client, url string) error {
	status, body, err := ask(ctx, client, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s answers %d: %.300s", url, status, body)
	}
	return nil
}

// ensureNode makes the pretended node where it is missing, and tells it the port of kwok, which may be a new one.
func (c *cluster) ensureNode(ctx context.Context, client *http.Client) error {
	nodes := c.url(apiServer) + "/api/v1/nodes"
	status, body, err := ask(ctx, client, http.MethodPost, nodes, node())
	if err != nil {
		return err
	}
	if status != http.StatusCreated && status != http.StatusConflict {
		return fmt.Errorf("create node: %d: %.300s", status, body)
	}
	// A node of an earlier release lacks some.
	annotations := map[string]any{"metadata": map[string]any{"annotations": nodeAnnotations()}}
	status, body, err = ask(ctx, client, http.MethodPatch, nodes+"/"+nodeName, annotations)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("annotate node: %d: %.300s", status, body)
	}
	port := map[string]any{"status": map[string]any{"daemonEndpoints": map[string]any{"kubeletEndpoint": map[string]any{"Port": c.ports[kwok]}}}}
	status, body, err = ask(ctx, client, http.MethodPatch, nodes+"/"+nodeName+"/status", port)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("tell node its port: %d: %.300s", status, body)
	}
	return nil
}

// usable asks for what tells that the controllers and kwok do their work: a ready node, and the account that every
// namespace needs before a pod may be made in it.
func (c *cluster) usable(ctx context.Context, client *http.Client) error {
	status, body, err := ask(ctx, client, http.MethodGet, c.url(apiServer)+"/api/v1/nodes/"+nodeName, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("read node: %d: %.300s", status, body)
	}
	var n struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return fmt.Errorf("read node: %w", err)
	}
	ready := false
	for _, cond := range n.Status.Conditions {
		ready = ready || cond.Type == "Ready" && cond.Status == "True"
	}
	if !ready {
		return errors.New("the node is not ready")
	}
	status, body, err = ask(ctx, client, http.MethodGet, c.url(apiServer)+"/api/v1/namespaces/default/serviceaccounts/default", nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("read default service account: %d: %.300s", status, body)
	}
	return nil
}

// admin is a client of the API server with every right.
func (c *cluster) admin() (*http.Client, error) { return c.client(pki.Admin, pki.CA) }
