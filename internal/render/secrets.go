package render

import (
	"fmt"
	"maps"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const secretCode = "secret_literal"

func secretMessage(shape string) string {
	return "looks like " + shape + ", which must not stand in values: refer to it by {secretRef: name/key}, or name the path as public if it is none"
}

// secretSearch looks through values for secrets in clear.
type secretSearch struct {
	public []string // patterns of paths that may look so
	found  func(keys []string, shape string)
	keys   []string
}

// in looks through everything below a mapping.
func (s *secretSearch) in(values map[string]any) {
	for key, v := range values {
		s.keys = append(s.keys, key)
		if shape := blueberry.TokenShape(key); shape != "" {
			s.found(s.keys, shape)
		}
		switch v := v.(type) {
		case map[string]any:
			if ref, is := v["secretRef"].(string); !is || !blueberry.IsSecretRef(v) {
				s.in(v)
			} else if shape := blueberry.TokenShape(ref); shape != "" {
				s.found(s.keys, shape)
			}
		case string, []any:
			if shape := blueberry.SecretShape(blueberry.JoinPath("", key), v); shape != "" && !blueberry.MatchAny(s.public, blueberry.JoinPath("", s.keys...)) {
				s.found(s.keys, shape)
			}
		}
		s.keys = s.keys[:len(s.keys)-1]
	}
}

// secrets tells what looks like a secret in the values that a layer has for a component, or for all.
func (m *merger) secrets(values map[string]any, field, component string, public []string) {
	s := secretSearch{public: append(public[:len(public):len(public)], m.in.Blueprint.Fields.Public...), keys: []string{component}}
	s.found = func(keys []string, shape string) {
		m.faults.Add(pathBelow(field, keys[1:]), secretCode, "%s", secretMessage(shape))
	}
	s.in(values)
}

// blueprintSecrets tells what looks like a secret in a blueprint: in the values of its components, the defaults of its parameters, its computed values.
func blueprintSecrets(b blueberry.Blueprint, to *blueberry.Faults) {
	f := &blueberry.Faults{}
	defer func() {
		slices.SortStableFunc(*f, compareFaults)
		*to = append(*to, *f...)
	}()
	for i, c := range b.Components {
		s := secretSearch{public: b.Fields.Public, keys: []string{c.Name}}
		s.found = func(keys []string, shape string) {
			f.Add(pathBelow(fieldOf(i)+".values", keys[1:]), secretCode, "%s", secretMessage(shape))
		}
		s.in(c.Values)
	}
	for i, p := range b.Parameters {
		parameterSecret(b, p, p.Default, fmt.Sprintf("parameters[%d].default", i), f)
	}
	for _, path := range slices.Sorted(maps.Keys(b.Computed)) {
		text := placeholder.ReplaceAllString(b.Computed[path], "")
		if shape := blueberry.SecretShape(path, text); shape != "" && !blueberry.MatchAny(b.Fields.Public, path) {
			f.Add("computed["+path+"]", secretCode, "%s", secretMessage(shape))
		}
	}
}

// parameterSecret tells a value of a parameter that looks like a secret at one of the paths that it goes to.
func parameterSecret(b blueberry.Blueprint, p blueberry.Parameter, v any, field string, f *blueberry.Faults) {
	for _, path := range p.Sets {
		if shape := blueberry.SecretShape(path, v); shape != "" && !blueberry.MatchAny(b.Fields.Public, path) {
			f.Add(field, secretCode, "%s", secretMessage(shape))
			return
		}
	}
}
