package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/devcluster/internal/atomicfile"
)

// fieldManager owns what we apply, shipped what came with an extra: two, so that a value of ours stands beside shipped ones.
const (
	fieldManager = "devcluster"
	shipped      = "devcluster-shipped"
)

// object is any Kubernetes object.
type object map[string]any

// definition is a CustomResourceDefinition, as far as we look into it.
type definition struct {
	Metadata struct{ Name string }
	Spec     struct {
		Group    string
		Names    struct{ Plural string }
		Versions []struct {
			Name   string
			Served bool
		}
	}
}

// applyDefinitions applies the CustomResourceDefinitions of a directory, once per content of it, and waits until they are
// served. Those in the files called open are applied without their schema.
func (c *cluster) applyDefinitions(ctx context.Context, admin *http.Client, extra, dir string, open ...string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*-crd.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no definitions in %s: build the program again", dir)
	}
	slices.Sort(files)
	texts, sum := make([][]byte, len(files)), sha256.New()
	for i, file := range files {
		if texts[i], err = os.ReadFile(file); err != nil {
			return err
		}
		if slices.Contains(open, filepath.Base(file)) {
			if texts[i], err = withoutSchema(texts[i]); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		sum.Write(texts[i])
	}
	have, err := os.ReadFile(c.applied(extra))
	want := hex.EncodeToString(sum.Sum(nil)) + "\n"
	if err == nil && string(have) == want {
		return nil
	}
	each := make([]func() error, len(texts))
	for i, text := range texts {
		each[i] = func() error { return c.define(ctx, admin, text) }
	}
	if err := all(each); err != nil {
		return err
	}
	return atomicfile.Write(c.applied(extra), []byte(want))
}

// withoutSchema is a definition that takes any object.
func withoutSchema(text []byte) ([]byte, error) {
	var d struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       map[string]any `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	versions, _ := d.Spec["versions"].([]any)
	for _, v := range versions {
		if version, ok := v.(map[string]any); ok {
			version["schema"] = object{"openAPIV3Schema": object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
		}
	}
	return json.Marshal(d)
}

// define applies one definition and waits until it is served.
func (c *cluster) define(ctx context.Context, admin *http.Client, text []byte) error {
	var d definition
	if err := yaml.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	path := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + d.Metadata.Name
	if err := c.apply(ctx, admin, path, shipped, text); err != nil {
		return err
	}
	for _, v := range d.Spec.Versions {
		if !v.Served {
			continue
		}
		list := c.url(apiServer) + "/apis/" + d.Spec.Group + "/" + v.Name + "/" + d.Spec.Names.Plural + "?limit=1"
		if err := until(ctx, func() error { return nil }, func() error { return healthy(ctx, admin, list) }); err != nil {
			return fmt.Errorf("wait for %s: %w", d.Metadata.Name, err)
		}
	}
	return nil
}

// applyObject applies an object of ours; resource is its plural, in lower case.
func (c *cluster) applyObject(ctx context.Context, admin *http.Client, resource string, o object) error {
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	path, err := pathOf(resource, data)
	if err != nil {
		return err
	}
	return c.apply(ctx, admin, path, fieldManager, data)
}

// pathOf is where an object, as JSON or YAML, is in the API.
func pathOf(resource string, text []byte) (string, error) {
	var o struct {
		APIVersion string
		Metadata   struct{ Name, Namespace string }
	}
	if err := yaml.Unmarshal(text, &o); err != nil {
		return "", fmt.Errorf("read object: %w", err)
	}
	if o.Metadata.Name == "" || o.APIVersion == "" {
		return "", errors.New("read object: it has no name or no apiVersion")
	}
	path := "/api/" + o.APIVersion
	if strings.Contains(o.APIVersion, "/") {
		path = "/apis/" + o.APIVersion
	}
	if o.Metadata.Namespace != "" {
		path += "/namespaces/" + o.Metadata.Namespace
	}
	return path + "/" + resource + "/" + o.Metadata.Name, nil
}

// apply is kubectl's server-side apply with force. text is JSON or YAML.
func (c *cluster) apply(ctx context.Context, admin *http.Client, path, manager string, text []byte) error {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	url := c.url(apiServer) + path + "?force=true&fieldManager=" + manager
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/apply-patch+yaml")
	patient := *admin
	patient.Timeout = 0 // applyLimit is its limit: the biggest definitions take seconds on a busy machine
	resp, err := patient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return errors.Join(fmt.Errorf("apply %s: %d: %.300s", path, resp.StatusCode, body), err)
}
