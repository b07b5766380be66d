package cluster

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/template"

	"github.com/blueberry-idp/blueberry/devcluster/internal/atomicfile"
	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
)

// kwokYAML says how the pretended node and pods behave.
//
//go:embed kwok.yaml
var kwokYAML []byte

// podLog is the log of every container, in the form in which a container runtime writes it.
const podLog = "2026-01-01T00:00:00.000000000Z stdout F This pod is pretended by the development cluster: no process runs and nothing is logged.\n"

// kubeconfigText is filled with base64 and numbers only, so nothing in it needs quoting.
const kubeconfigText = `apiVersion: v1
kind: Config
current-context: devcluster
contexts:
- name: devcluster
  context: {cluster: devcluster, user: {{.User}}}
clusters:
- name: devcluster
  cluster:
    server: {{.Server}}
    certificate-authority-data: {{.CA}}
users:
- name: {{.User}}
  user:
    client-certificate-data: {{.Cert}}
    client-key-data: {{.Key}}
`

// writeFiles writes what the components and the user read.
func (c *cluster) writeFiles() error {
	for _, dir := range []string{"logs", "etcd", "kwok"} {
		if err := os.MkdirAll(filepath.Join(c.dir, dir), 0o700); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	logFile := filepath.Join(c.dir, "kwok", "pod.log")
	if err := replace(logFile, []byte(podLog)); err != nil {
		return err
	}
	logs, err := json.Marshal(map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterLogs", "metadata": map[string]any{"name": "pods"},
		"spec": map[string]any{"logs": []any{map[string]any{"logsFile": logFile}}},
	})
	if err != nil {
		return fmt.Errorf("write kwok.yaml: %w", err)
	}
	// JSON is YAML, and quotes a path whatever is in it.
	if err := replace(c.kwokConfig(), slices.Concat(kwokYAML, []byte("---\n"), logs, []byte("\n"))); err != nil {
		return err
	}
	if err := c.writeKubeconfig(c.kubeconfig(), pki.Admin); err != nil {
		return err
	}
	for _, pair := range []string{pki.ControllerManager, pki.Scheduler, pki.Kwok} {
		if err := c.writeKubeconfig(c.kubeconfigOf(pair), pair); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) writeKubeconfig(path, pair string) error {
	values := map[string]string{"User": pair, "Server": c.url(apiServer)}
	for name, file := range map[string]string{"CA": c.pki.Cert(pki.CA), "Cert": c.pki.Cert(pair), "Key": c.pki.Key(pair)} {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("write kubeconfig: %w", err)
		}
		values[name] = base64.StdEncoding.EncodeToString(data)
	}
	t, err := template.New("kubeconfig").Parse(kubeconfigText)
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return replace(path, b.Bytes())
}

// replace makes a file hold data, as a whole and for its owner only. A file that already does is not touched.
func replace(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return os.Chmod(path, 0o600)
	}
	return atomicfile.Write(path, data)
}
