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
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/atomicfile"
	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
)

// kwokYAML says how the pretended node and pods behave.
//
//go:embed kwok.yaml
var kwokYAML []byte

// podLogs are what the containers log, the present ones and those before them, in the form in which a container runtime
// writes it.
func podLogs() map[string][]string {
	return map[string][]string{
		"pod.log": {
			"stdout F This pod is pretended by the development cluster: no process runs.",
			"stdout F Its log is kwok/pod.log in the directory of the cluster.",
			"stderr F warning: everything here is pretended",
			"stdout F ready",
		},
		"previous.log": {
			"stdout F This pod is pretended by the development cluster: no process ran.",
			"stderr F panic: pretended: it was asked to fail",
		},
	}
}

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
	if err := c.writeKwok(); err != nil {
		return err
	}
	if err := c.writeKubeconfig(c.kubeconfig(), pki.Admin); err != nil {
		return err
	}
	for _, pair := range []string{pki.ControllerManager, pki.Scheduler, pki.Kwok, pki.ArgoCD, pki.Rollouts, pki.Metrics} {
		if err := c.writeKubeconfig(c.kubeconfigOf(pair), pair); err != nil {
			return err
		}
	}
	return nil
}

// writeKwok writes the configuration of kwok and the logs that it serves.
func (c *cluster) writeKwok() error {
	logged := time.Now().UTC().Format(time.RFC3339Nano)
	for name, lines := range podLogs() {
		text := ""
		for _, line := range lines {
			text += logged + " " + line + "\n"
		}
		// Written in place and not replaced: nobody else reads it now, and who follows it must go on seeing the same file.
		if err := os.WriteFile(filepath.Join(c.dir, "kwok", name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	documents := []object{{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterLogs", "metadata": object{"name": "pods"},
		"spec": object{"logs": []object{{
			"logsFile": filepath.Join(c.dir, "kwok", "pod.log"), "previousLogsFile": filepath.Join(c.dir, "kwok", "previous.log"), "follow": true,
		}}},
	}}
	if c.exec {
		documents = append(documents, object{
			"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterExec", "metadata": object{"name": "pods"},
			"spec": object{"execs": []object{{"local": object{"workDir": filepath.Join(c.dir, "kwok")}}}},
		})
	}
	text := slices.Clone(kwokYAML)
	for _, d := range documents {
		// JSON is YAML, and quotes a path whatever is in it.
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("write kwok.yaml: %w", err)
		}
		text = slices.Concat(text, []byte("---\n"), data, []byte("\n"))
	}
	return replace(c.kwokConfig(), text)
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
