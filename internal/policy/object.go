package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/cedar-policy/cedar-go"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Manifest is one object of the rendering.
type Manifest struct {
	blueberry.ObjectRef
	Component string
	Object    map[string]any // a tree of JSON values
}

// traits are what a manifest asks for, wherever in it: a pod may be hidden in a kind that nobody here has heard of.
type traits struct {
	images, hostPaths                         map[string]bool
	privileged, hostNetwork, hostPID, hostIPC bool
}

// unread are the parts of an object that say nothing about pods: texts of others, and schemas whose fields have the names of real ones.
func unread(key string, top bool) bool {
	switch key {
	case "metadata", "data", "stringData", "binaryData", "status":
		return top
	}
	return key == "openAPIV3Schema"
}

func (t *traits) find(v any, top bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			t.find(item, false)
		}
	case map[string]any:
		for key, x := range v {
			if unread(key, top) {
				continue
			}
			t.note(key, x)
			t.find(x, false)
		}
	}
}

func (t *traits) note(key string, value any) {
	on := value == true
	switch key {
	case "image":
		switch v := value.(type) {
		case string:
			t.images[v] = true
		case map[string]any: // a volume of an image
			if reference, ok := v["reference"].(string); ok {
				t.images[reference] = true
			}
		}
	case "hostPath":
		if v, ok := value.(map[string]any); ok {
			if path, ok := v["path"].(string); ok {
				t.hostPaths[path] = true
			}
		}
	case "privileged":
		t.privileged = t.privileged || on
	case "hostNetwork":
		t.hostNetwork = t.hostNetwork || on
	case "hostPID":
		t.hostPID = t.hostPID || on
	case "hostIPC":
		t.hostIPC = t.hostIPC || on
	}
}

// objectOf gives the entity of an object, and its images in order. The manifest is the dear part: it is there only when a rule names it.
func objectOf(m Manifest, environment cedar.EntityUID, withManifest bool) (cedar.Entity, []string) {
	t := traits{images: map[string]bool{}, hostPaths: map[string]bool{}}
	t.find(m.Object, true)
	images := slices.Sorted(maps.Keys(t.images))
	metadata, _ := m.Object["metadata"].(map[string]any)
	attributes := cedar.RecordMap{
		"kind":         cedar.String(m.Kind),
		"group":        cedar.String(m.Group()),
		"name":         cedar.String(m.Name),
		"namespace":    cedar.String(m.Namespace),
		"component":    cedar.String(m.Component),
		"labels":       texts(metadata["labels"]),
		"annotations":  texts(metadata["annotations"]),
		"images":       setOf(images),
		"host_paths":   setOf(slices.Sorted(maps.Keys(t.hostPaths))),
		"privileged":   cedar.Boolean(t.privileged),
		"host_network": cedar.Boolean(t.hostNetwork),
		"host_pid":     cedar.Boolean(t.hostPID),
		"host_ipc":     cedar.Boolean(t.hostIPC),
		"service_type": cedar.String(serviceType(m)),
	}
	if withManifest {
		if v, ok := valueOf(m.Object); ok {
			attributes["manifest"] = v
		}
	}
	return cedar.Entity{
		UID:        cedar.NewEntityUID("Object", cedar.String(m.String())),
		Parents:    cedar.NewEntityUIDSet(environment),
		Attributes: cedar.NewRecord(attributes),
	}, images
}

func serviceType(m Manifest) string {
	if m.Kind != "Service" || m.Group() != "" {
		return ""
	}
	spec, _ := m.Object["spec"].(map[string]any)
	if kind, _ := spec["type"].(string); kind != "" {
		return kind
	}
	return "ClusterIP"
}

// texts are the labels or annotations of an object.
func texts(v any) cedar.Record {
	out := cedar.RecordMap{}
	m, _ := v.(map[string]any)
	for key, x := range m {
		if s, ok := x.(string); ok {
			out[cedar.String(key)] = cedar.String(s)
		}
	}
	return cedar.NewRecord(out)
}

func setOf(list []string) cedar.Set {
	out := make([]cedar.Value, len(list))
	for i, s := range list {
		out[i] = cedar.String(s)
	}
	return cedar.NewSet(out...)
}

// valueOf gives a JSON value as Cedar knows values; a null is none.
func valueOf(v any) (cedar.Value, bool) {
	switch v := v.(type) {
	case nil:
		return nil, false
	case bool:
		return cedar.Boolean(v), true
	case string:
		return cedar.String(v), true
	case int:
		return cedar.Long(v), true
	case int64:
		return cedar.Long(v), true
	case float64:
		if v == math.Trunc(v) && v >= -1<<63 && v < 1<<63 {
			return cedar.Long(int64(v)), true
		}
		return cedar.String(strconv.FormatFloat(v, 'g', -1, 64)), true
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return cedar.Long(n), true
		}
		if f, err := v.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return cedar.Long(int64(f)), true
		}
		return cedar.String(v), true
	case []any:
		out := make([]cedar.Value, 0, len(v))
		for _, item := range v {
			if x, ok := valueOf(item); ok {
				out = append(out, x)
			}
		}
		return cedar.NewSet(out...), true
	case map[string]any:
		out := make(cedar.RecordMap, len(v))
		for key, item := range v {
			if x, ok := valueOf(item); ok {
				out[cedar.String(key)] = x
			}
		}
		return cedar.NewRecord(out), true
	}
	return cedar.String(fmt.Sprint(v)), true
}
