package sim

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// manifest is an object and what the place reads of it.
type manifest struct {
	ref       blueberry.ObjectRef
	component string         // of the file
	object    map[string]any // as plain gives it
	labels    map[string]string
	held      bool // by finalizers
	spec      map[string]any
	left      []string // paths that are left to others
	faults    []blueberry.Fault
}

// parse reads the documents of a file; each is given with its position, or with what is wrong with the rest.
func parse(content []byte, each func(i int, m manifest, err error)) {
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for i := 0; ; i++ {
		var node yaml.Node
		err := dec.Decode(&node)
		if errors.Is(err, io.EOF) {
			return
		}
		var m manifest
		if err == nil {
			m, err = readOne(&node)
		}
		if err == nil && m.ref.Kind == "" {
			continue // an empty document
		}
		each(i, m, err)
		if err != nil {
			return
		}
	}
}

func readOne(node *yaml.Node) (manifest, error) {
	var all map[string]any
	if err := node.Decode(&all); err != nil {
		return manifest{}, fmt.Errorf("read YAML: %w", err)
	}
	if len(all) == 0 {
		return manifest{}, nil
	}
	if _, err := plain(all); err != nil {
		return manifest{}, fmt.Errorf("read object: %w", err)
	}
	m := manifestOf(all)
	if m.ref.APIVersion == "" || m.ref.Kind == "" || m.ref.Name == "" {
		return manifest{}, errors.New("an object has apiVersion, kind and metadata.name")
	}
	m.check()
	return m, nil
}

// manifestOf reads an object.
func manifestOf(object map[string]any) manifest {
	meta, _ := object["metadata"].(map[string]any)
	m := manifest{
		ref:    blueberry.ObjectRef{APIVersion: text(object["apiVersion"]), Kind: text(object["kind"]), Namespace: text(meta["namespace"]), Name: text(meta["name"])},
		object: object, labels: map[string]string{},
	}
	labels, _ := meta["labels"].(map[string]any)
	for k, v := range labels {
		m.labels[k] = text(v)
	}
	held, _ := meta["finalizers"].([]any)
	m.held = len(held) > 0
	m.spec, _ = object["spec"].(map[string]any)
	return m
}

// digest is a fingerprint of a value; fmt prints maps in the order of their keys.
func digest(seed maphash.Seed, v any) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	fmt.Fprint(&h, v)
	return h.Sum64()
}

// objectNames is what Kubernetes lets nearly all kinds be called (RFC 1123 subdomain; RBAC allows colons too).
var objectNames = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$`)

// check notes the mistakes that a Kubernetes would refuse and that people make.
func (m *manifest) check() {
	fault := func(field, format string, args ...any) {
		m.faults = append(m.faults, blueberry.Fault{Field: m.ref.String() + " " + field, Code: "object_invalid", Message: fmt.Sprintf(format, args...)})
	}
	if !objectNames.MatchString(m.ref.Name) || len(m.ref.Name) > 253 {
		fault("metadata.name", "%q is no name", m.ref.Name)
	}
	if n, ok := m.spec["replicas"]; ok {
		if i, whole := n.(int64); !whole || i < 0 {
			fault("spec.replicas", "%v must be a whole number, 0 or more", n)
		}
	}
	if m.ref.Kind == "Service" {
		for i, x := range items(m.spec["ports"]) {
			if n, whole := x["port"].(int64); !whole || n < 1 || n > 65535 {
				fault(fmt.Sprintf("spec.ports[%d].port", i), "%v must be 1 to 65535", x["port"])
			}
		}
	}
	pod, isWorkload := m.pod()
	if !isWorkload {
		return
	}
	containers := items(pod["containers"])
	if len(containers) == 0 {
		fault("spec.template.spec.containers", "must have at least one container")
	}
	for i, c := range containers {
		if image, _ := c["image"].(string); strings.TrimSpace(image) == "" {
			fault(fmt.Sprintf("spec.template.spec.containers[%d].image", i), "must be set")
		}
	}
}

// template is the pod template of a workload.
func (m *manifest) template() map[string]any {
	t, _ := m.spec["template"].(map[string]any)
	return t
}

// pod is the pod's spec of a workload; false for any other object.
func (m *manifest) pod() (map[string]any, bool) {
	switch m.ref.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Rollout":
		spec, _ := m.template()["spec"].(map[string]any)
		return spec, true
	}
	return nil, false
}

// work is what the workload of the manifest shall do; nil when it is none.
func (m *manifest) work(seed maphash.Seed) *work {
	pod, ok := m.pod()
	if !ok {
		return nil
	}
	w := &work{wanted: 1, job: m.ref.Kind == "Job", template: digest(seed, m.template())}
	if n, ok := m.spec["replicas"].(int64); ok {
		w.wanted = int32(min(n, 10_000)) // more is no environment
	}
	for _, c := range items(pod["containers"]) {
		if image, _ := c["image"].(string); strings.Contains(image, "broken") {
			w.fail = "ImagePullBackOff"
		}
	}
	meta, _ := m.template()["metadata"].(map[string]any)
	notes, _ := meta["annotations"].(map[string]any)
	if reason, _ := notes["blueberry.dev/fail"].(string); reason != "" {
		w.fail = reason
	}
	if s, _ := notes["blueberry.dev/ready-after"].(string); s != "" {
		if d, err := time.ParseDuration(s); err == nil {
			w.readyAfter = d
		}
	}
	return w
}

// items gives the maps of a list.
func items(v any) []map[string]any {
	list, _ := v.([]any)
	var out []map[string]any
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
