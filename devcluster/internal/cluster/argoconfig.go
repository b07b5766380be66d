package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/bcrypt"
	"sigs.k8s.io/yaml"
)

// setUpArgoCD applies Argo CD's definitions and configuration.
func (c *cluster) setUpArgoCD(ctx context.Context, admin *http.Client, path string, withSets bool) error {
	// Its components want ApplicationSets to be defined. Their schema is by far the biggest of all (1.4 MB, most of the time of
	// a first start), so it is there only where somebody looks at them.
	open := []string{"applicationset-crd.yaml"}
	if withSets {
		open = nil
	}
	definitions := make(chan error, 1)
	go func() { definitions <- c.applyDefinitions(ctx, admin, argoCD, path+".d", open...) }()
	err := c.configureArgoCD(ctx, admin, path)
	if failed := <-definitions; failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	return c.applyObject(ctx, admin, "appprojects", object{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": inArgoCD("default"),
		"spec": object{
			"sourceRepos":              []string{"*"},
			"destinations":             []object{{"namespace": "*", "server": "*"}},
			"clusterResourceWhitelist": []object{{"group": "*", "kind": "*"}},
		},
	})
}

func inArgoCD(name string) object { return object{"name": name, "namespace": argoNamespace} }

func (c *cluster) configureArgoCD(ctx context.Context, admin *http.Client, path string) error {
	err := c.applyObject(ctx, admin, "namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": argoNamespace}})
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(path+".d", "argocd-*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := c.applyShipped(ctx, admin, file); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	err = c.applyObject(ctx, admin, "configmaps", object{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": inArgoCD("argocd-cm"),
		"data": object{
			"application.resourceTrackingMethod": "annotation",
			"timeout.reconciliation":             reconciliation, "timeout.reconciliation.jitter": "0s",
			// Nothing here serves Ingresses, and autoscalers have figures only with metrics: a wave that waited for either would wait for ever.
			"resource.customizations.health.networking.k8s.io_Ingress":           alwaysHealthy,
			"resource.customizations.health.autoscaling_HorizontalPodAutoscaler": alwaysHealthy,
		},
	})
	if err != nil {
		return err
	}
	return c.ensureArgoSecret(ctx, admin)
}

// alwaysHealthy is the rule by which Argo CD finds every object of a kind well.
const alwaysHealthy = "return {status = \"Healthy\"}\n"

// applyShipped applies a ConfigMap or Secret as Argo CD ships it.
func (c *cluster) applyShipped(ctx context.Context, admin *http.Client, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var o object
	if err := yaml.Unmarshal(text, &o); err != nil {
		return err
	}
	resources := map[any]string{"ConfigMap": "configmaps", "Secret": "secrets"}
	metadata, _ := o["metadata"].(map[string]any)
	resource := resources[o["kind"]]
	if resource == "" || metadata == nil {
		return fmt.Errorf("a %v is not expected there", o["kind"])
	}
	metadata["namespace"] = argoNamespace
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	at, err := pathOf(resource, data)
	if err != nil {
		return err
	}
	return c.apply(ctx, admin, at, shipped, data)
}

// ensureArgoSecret makes the password of admin that of the file, where it is not.
func (c *cluster) ensureArgoSecret(ctx context.Context, admin *http.Client) error {
	password, err := c.secret("admin-password")
	if err != nil {
		return err
	}
	key, err := c.secret("server-key")
	if err != nil {
		return err
	}
	status, body, err := ask(ctx, admin, http.MethodGet, c.url(apiServer)+"/api/v1/namespaces/"+argoNamespace+"/secrets/argocd-secret", nil)
	if err != nil {
		return err
	}
	var have struct{ Data map[string][]byte }
	if status == http.StatusOK {
		if err := json.Unmarshal(body, &have); err != nil {
			return fmt.Errorf("read argocd-secret: %w", err)
		}
	}
	if string(have.Data["server.secretkey"]) == key && bcrypt.CompareHashAndPassword(have.Data["admin.password"], []byte(password)) == nil {
		return nil
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	data := object{}
	for name, value := range map[string]string{
		"admin.password": string(hash), "admin.passwordMtime": time.Now().UTC().Format(time.RFC3339), "server.secretkey": key,
	} {
		data[name] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	return c.applyObject(ctx, admin, "secrets", object{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": inArgoCD("argocd-secret"), "data": data,
	})
}

// redisReady logs in and asks for a sign of life.
func (c *cluster) redisReady(ctx context.Context) error {
	password, err := c.secret("redis-password")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.address(argoRedis))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // its answer is all we want
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", password); err != nil {
		return err
	}
	const want = "+OK\r\n+PONG\r\n"
	answer := make([]byte, len(want))
	n, err := io.ReadFull(conn, answer)
	if string(answer[:n]) != want {
		return fmt.Errorf("redis answers %q (%w)", answer[:n], err)
	}
	return nil
}
