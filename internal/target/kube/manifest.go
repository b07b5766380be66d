package kube

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// manifest is one object that should be.
type manifest struct {
	ref       blueberry.ObjectRef // its namespace is filled in once the kind is known to be namespaced
	object    *unstructured.Unstructured
	hash      uint64 // of the document, and of what of it is left to others; compared within one process only
	left      *exempt
	component string
}

// wave is the objects that are applied together.
type wave struct {
	number    int
	manifests []manifest
}

// parse reads the files of an environment into waves, in their order. Every fault is told at once.
func parse(seed maphash.Seed, want target.Desired) ([]wave, error) {
	var waves []wave
	var faults blueberry.Faults
	for _, f := range want.Files {
		if len(waves) == 0 || waves[len(waves)-1].number != f.Wave {
			waves = append(waves, wave{number: f.Wave})
		}
		last := &waves[len(waves)-1]
		documents(f.Content, func(i int, doc []byte, err error) {
			var m manifest
			if err == nil {
				m, err = parseOne(want.Ref, doc)
			}
			if err != nil {
				faults.Add(fmt.Sprintf("%s[%d]", f.Name, i), "manifest", "%v", err)
				return
			}
			if m.object != nil {
				m.hash, m.component = maphash.Bytes(seed, doc), f.Component
				last.manifests = append(last.manifests, m)
			}
		})
	}
	rules := append(scaled(waves), want.Ignore...)
	for _, w := range waves {
		for i := range w.manifests {
			m := &w.manifests[i]
			if m.left = newExempt(seed, target.Ignored(rules, m.ref)); m.left != nil {
				m.hash ^= m.left.sum
			}
		}
	}
	return waves, faults.Err()
}

// documents splits a file at its "---" lines.
func documents(content []byte, each func(i int, doc []byte, err error)) {
	r := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for i := 0; ; i++ {
		doc, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		each(i, doc, err)
		if err != nil {
			return
		}
	}
}

// parseOne reads one document; an empty one gives no object.
func parseOne(ref target.Ref, doc []byte) (manifest, error) {
	js, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return manifest{}, fmt.Errorf("read YAML: %w", err)
	}
	if s := string(js); s == "null" || s == "{}" {
		return manifest{}, nil
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(js); err != nil { // keeps whole numbers whole
		return manifest{}, fmt.Errorf("read object: %w", err)
	}
	if u.GetAPIVersion() == "" || u.GetKind() == "" || u.GetName() == "" {
		return manifest{}, errors.New("an object has apiVersion, kind and metadata.name")
	}
	if envOf(u.GetLabels()) != keyOf(ref) {
		return manifest{}, fmt.Errorf("%s %s does not carry the labels of the environment", u.GetKind(), u.GetName())
	}
	fold(u)
	return manifest{ref: blueberry.ObjectRef{
		APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName(),
	}, object: u}, nil
}

// fold puts the stringData of a Secret into its data, as the API does: it notes that we own the one while another hand alters the other.
func fold(u *unstructured.Unstructured) {
	given, ok := u.Object["stringData"].(map[string]any)
	if !ok || u.GetKind() != "Secret" || u.GetAPIVersion() != "v1" {
		return
	}
	data, isMap := u.Object["data"].(map[string]any)
	if u.Object["data"] != nil && !isMap {
		return // the API says what is wrong with it
	}
	data = maps.Clone(data)
	if data == nil {
		data = map[string]any{}
	}
	for k, v := range given {
		s, isText := v.(string)
		if !isText {
			return
		}
		data[k] = base64.StdEncoding.EncodeToString([]byte(s))
	}
	delete(u.Object, "stringData")
	u.Object["data"] = data
}
