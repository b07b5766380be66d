package cluster

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/atomicfile"
	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
)

const (
	metricsServer     = "metrics-server"
	metricsAPIService = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
)

// metricsExtra is metrics-server, for HorizontalPodAutoscalers and `kubectl top`. It reads the usage that kwok makes up.
func metricsExtra(path string) extra {
	return extra{
		name: metrics, path: path, ports: []string{metricsServer},
		prepare: func(c *cluster) error { return os.MkdirAll(filepath.Join(c.dir, "metrics"), 0o700) },
		stages: func(c *cluster) (first, then stage) {
			then.components = []component{{
				name: metricsServer, path: path, health: c.url(metricsServer) + "/livez", client: pki.Admin, ca: pki.CA, grace: 3 * time.Second,
				flags: []string{
					"--kubeconfig=" + c.kubeconfigOf(pki.Metrics),
					"--authentication-kubeconfig=" + c.kubeconfigOf(pki.Metrics), "--authorization-kubeconfig=" + c.kubeconfigOf(pki.Metrics),
					"--bind-address=127.0.0.1", c.securePort(metricsServer), "--cert-dir=" + filepath.Join(c.dir, "metrics"),
					"--tls-cert-file=" + c.pki.Cert(pki.MetricsServer), "--tls-private-key-file=" + c.pki.Key(pki.MetricsServer),
					"--kubelet-certificate-authority=" + c.pki.Cert(pki.CA), "--kubelet-preferred-address-types=InternalIP", "--kubelet-use-node-status-port",
					"--metric-resolution=10s", "--kubelet-request-timeout=5s", // 10 s is the least that it takes
				},
			}}
			then.work = []work{{what: "set up the metrics API", do: c.setUpMetrics}}
			return first, then
		},
	}
}

// setUpMetrics leads the API server to metrics-server: through a Service that is only another name for this machine.
func (c *cluster) setUpMetrics(ctx context.Context, admin *http.Client) error {
	authority, err := os.ReadFile(c.pki.Cert(pki.CA))
	if err != nil {
		return err
	}
	// Before it is there: who is killed in between must still know that it may be.
	if err := atomicfile.Write(c.applied(metrics), nil); err != nil {
		return err
	}
	at, port := object{"name": metricsServer, "namespace": "kube-system"}, c.ports[metricsServer]
	err = c.applyObject(ctx, admin, "services", object{
		"apiVersion": "v1", "kind": "Service", "metadata": at,
		"spec": object{"type": "ExternalName", "externalName": "localhost", "ports": []object{{"port": port, "protocol": "TCP"}}},
	})
	if err != nil {
		return err
	}
	err = c.applyObject(ctx, admin, "apiservices", object{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": object{"name": "v1beta1.metrics.k8s.io"},
		"spec": object{
			"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
			"caBundle": base64.StdEncoding.EncodeToString(authority),
			"service":  object{"name": metricsServer, "namespace": "kube-system", "port": port},
		},
	})
	if err != nil {
		return err
	}
	never := func() error { return nil }
	if err := until(ctx, never, func() error { return healthy(ctx, admin, c.url(apiServer)+"/apis/metrics.k8s.io/v1beta1") }); err != nil {
		return fmt.Errorf("wait for it: %w", err)
	}
	return nil
}
