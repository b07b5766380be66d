package kube

import (
	"hash/maphash"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// exempt is the fields of one object that are left to others; nil is none.
type exempt struct {
	paths [][]string // as keys
	sum   uint64     // two of one sum are the same
}

// newExempt reads paths; one that is none names nothing.
func newExempt(seed maphash.Seed, paths []string) *exempt {
	e := &exempt{sum: maphash.String(seed, strings.Join(paths, "\x00"))}
	for _, p := range paths {
		if keys, ok := blueberry.SplitPath(p); ok {
			e.paths = append(e.paths, keys)
		}
	}
	if len(e.paths) == 0 {
		return nil
	}
	return e
}

func (e *exempt) same(o *exempt) bool {
	return e == o || e != nil && o != nil && e.sum == o.sum
}

// leave alters what is about to be sent so that the live object keeps what is left to others.
func (e *exempt) leave(body, live *unstructured.Unstructured) {
	if e == nil {
		return
	}
	for _, keys := range e.paths {
		if value, ok := ourPart(live, keys); ok {
			target.SetField(body.Object, live.Object, keys, value)
		} else {
			target.DropField(body.Object, keys)
		}
	}
}

// overlook gives an object the live values of what is left to others: there is no difference.
func (e *exempt) overlook(after, live *unstructured.Unstructured) {
	if e == nil {
		return
	}
	for _, keys := range e.paths {
		if value, ok := target.Field(live.Object, keys); ok {
			target.SetField(after.Object, live.Object, keys, runtime.DeepCopyJSONValue(value))
		} else {
			target.DropField(after.Object, keys)
		}
	}
}

// scaled are the rules that follow from the autoscalers among the manifests: the number of replicas is set once and then left to them.
func scaled(waves []wave) []blueberry.DriftIgnore {
	var out []blueberry.DriftIgnore
	for _, w := range waves {
		for _, m := range w.manifests {
			if m.ref.Kind != "HorizontalPodAutoscaler" {
				continue
			}
			to, _, _ := unstructured.NestedMap(m.object.Object, "spec", "scaleTargetRef")
			kind := text(to["kind"])
			if group, _, grouped := strings.Cut(text(to["apiVersion"]), "/"); grouped {
				kind += "." + group
			}
			out = append(out, blueberry.DriftIgnore{Kind: kind, Name: text(to["name"]), Path: "spec.replicas"})
		}
	}
	return out
}
