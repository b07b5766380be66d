package blueberry

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Labels are words that people put on an environment to find it again, by their keys. They change nothing of what runs.
type Labels map[string]string

// MaxLabels is how many labels an environment may have, and how many a list may ask for.
const MaxLabels = 32

// Lengths of the parts of a label, as Kubernetes has them for its own (labels of objects are keys of an optional DNS name and a word).
const (
	maxLabelPrefix = 253
	maxLabelWord   = 63
)

var (
	labelWord   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`)
	labelPrefix = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
)

// reservedPrefixes are those of labels that programs put on what they own, and so are the names below them.
func reservedPrefixes() []string { return []string{"blueberry.dev", "kubernetes.io", "k8s.io"} }

// Check notes every fault, each below the field of its key.
func (l Labels) Check(f *Faults, field string) {
	if len(l) > MaxLabels {
		f.Add(field, "too_many", "are %d, at most %d are allowed", len(l), MaxLabels)
	}
	for _, key := range slices.Sorted(maps.Keys(l)) {
		at := JoinField(field, key)
		f.checkLabelKey(at, key)
		f.checkLabelValue(at, l[key])
		prefix, _, _ := strings.Cut(key, "/")
		for _, r := range reservedPrefixes() {
			if strings.Contains(key, "/") && (prefix == r || strings.HasSuffix(prefix, "."+r)) {
				f.Add(at, "reserved", "the prefix %s belongs to programs; take one of your own, or none", prefix)
			}
		}
	}
}

func (f *Faults) checkLabelKey(field, key string) {
	prefix, word, prefixed := strings.Cut(key, "/")
	if !prefixed {
		prefix, word = "", key
	}
	switch {
	case key == "":
		f.Add(field, "required", "a label needs a key")
	case len(prefix) > maxLabelPrefix:
		f.Add(field, "too_long", "the prefix has %d characters, at most %d are allowed", len(prefix), maxLabelPrefix)
	case len(word) > maxLabelWord:
		f.Add(field, "too_long", "the key has %d characters, at most %d are allowed", len(word), maxLabelWord)
	case prefixed && !labelPrefix.MatchString(prefix):
		f.Add(field, "pattern", "the key %q must have a DNS name before its slash, as example.com/team", key)
	case !labelWord.MatchString(word):
		f.Add(field, "pattern", "the key %q must be letters, digits, dashes, dots and underscores, starting and ending with a letter or digit", key)
	}
}

func (f *Faults) checkLabelValue(field, value string) {
	switch {
	case value == "": // a word alone is a label too
	case len(value) > maxLabelWord:
		f.Add(field, "too_long", "the value has %d characters, at most %d are allowed", len(value), maxLabelWord)
	case !labelWord.MatchString(value):
		f.Add(field, "pattern", "the value %q must be letters, digits, dashes, dots and underscores, starting and ending with a letter or digit", value)
	}
}

// OrNone makes nil of none, and a copy of all else.
func (l Labels) OrNone() Labels {
	if len(l) == 0 {
		return nil
	}
	return maps.Clone(l)
}

// Lines gives each label as key=value, by their keys; never nil.
func (l Labels) Lines() []string {
	out := make([]string, 0, len(l))
	for _, key := range slices.Sorted(maps.Keys(l)) {
		out = append(out, key+"="+l[key])
	}
	return out
}

// LabelSelector is what a list asks of the labels of an environment.
type LabelSelector struct {
	Key   string
	Value string // of it; looked at where Exact
	Exact bool   // else any value will do
}

// ParseLabelSelectors reads key=value, or a key alone, which asks whether it is there. All of them must hold. It tells every fault at once, on field.
func ParseLabelSelectors(texts []string, field string) ([]LabelSelector, error) {
	var f Faults
	if len(texts) > MaxLabels {
		f.Add(field, "too_many", "are %d, at most %d may be asked for", len(texts), MaxLabels)
		return nil, f.Err()
	}
	out := make([]LabelSelector, 0, len(texts))
	for _, text := range texts {
		var s LabelSelector
		s.Key, s.Value, s.Exact = strings.Cut(strings.TrimSpace(text), "=")
		f.checkLabelKey(field, s.Key)
		f.checkLabelValue(field, s.Value)
		out = append(out, s)
	}
	return out, f.Err()
}

// String is how the selector is written.
func (s LabelSelector) String() string {
	if s.Exact {
		return s.Key + "=" + s.Value
	}
	return s.Key
}

// Holds reports whether labels are as the selector asks.
func (s LabelSelector) Holds(l Labels) bool {
	value, there := l[s.Key]
	return there && (!s.Exact || value == s.Value)
}
