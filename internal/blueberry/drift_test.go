package blueberry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestDriftIgnoreMatches(t *testing.T) {
	t.Parallel()
	deployment := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop-pr-1", Name: "backend"}
	service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: "shop-pr-1", Name: "backend"}
	for reason, c := range map[string]struct {
		kind, name string
		object     blueberry.ObjectRef
		want       bool
	}{
		"kind and name":          {"Deployment", "backend", deployment, true},
		"kind with group":        {"Deployment.apps", "backend", deployment, true},
		"kind of another group":  {"Deployment.example.com", "backend", deployment, false},
		"every kind":             {"*", "backend", deployment, true},
		"every name":             {"Deployment", "*", deployment, true},
		"a part of the name":     {"Deployment", "back*", deployment, true},
		"another name":           {"Deployment", "web", deployment, false},
		"a name that begins so":  {"Deployment", "back", deployment, false},
		"another kind":           {"Deployment", "backend", service, false},
		"the core has no group":  {"Service", "backend", service, true},
		"a dot is no group":      {"Service.", "backend", service, false},
		"a pattern that is none": {"*", "[", deployment, false},
	} {
		if got := (blueberry.DriftIgnore{Kind: c.kind, Name: c.name}).Matches(c.object); got != c.want {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

func TestDriftPolicyFaults(t *testing.T) {
	t.Parallel()
	rule := func(path string) blueberry.DriftPolicy {
		return blueberry.DriftPolicy{Ignore: []blueberry.DriftIgnore{{Kind: "*", Name: "*", Path: path}}}
	}
	for reason, c := range map[string]struct {
		p    blueberry.DriftPolicy
		want []string
	}{
		"the zero policy":   {blueberry.DriftPolicy{}, nil},
		"report":            {blueberry.DriftPolicy{Mode: blueberry.DriftReport}, nil},
		"another mode":      {blueberry.DriftPolicy{Mode: "ignore"}, []string{"drift.mode enum"}},
		"as many as may be": {blueberry.DriftPolicy{Ignore: slices.Repeat(rule("spec.replicas").Ignore, 50)}, nil},
		"too many":          {blueberry.DriftPolicy{Ignore: slices.Repeat(rule("spec.replicas").Ignore, 51)}, []string{"drift.ignore too_many"}},
		"every fault":       {blueberry.DriftPolicy{Mode: "x", Ignore: []blueberry.DriftIgnore{{}, {Kind: "*", Name: "[", Path: "a..b"}}}, []string{"drift.mode enum", "drift.ignore[0].kind required", "drift.ignore[0].name pattern", "drift.ignore[0].path pattern", "drift.ignore[1].name pattern", "drift.ignore[1].path pattern"}},

		"a field":                {rule("spec.replicas"), nil},
		"an annotation":          {rule(`metadata.annotations["example.com/x"]`), nil},
		"an annotation by word":  {rule("metadata.annotations.restarted/at"), nil},
		"a key that is a number": {rule("data.1st"), nil},
		"a key with quotes":      {rule(`data["a\"b.c"]`), nil},
		"a label of others":      {rule(`metadata.labels["example.com/x"]`), nil},
		"an item by name":        {rule("spec.template.spec.containers[name=web].image"), nil},
		"an item by index":       {rule("spec.ports[2].port"), []string{"drift.ignore[0].path pattern"}},
		"a path with a space":    {rule("spec. replicas"), []string{"drift.ignore[0].path pattern"}},
		"nothing":                {rule(""), []string{"drift.ignore[0].path pattern"}},
		"not a quote":            {rule(`data["a\q"]`), []string{"drift.ignore[0].path pattern"}},

		"the kind":                 {rule("kind"), []string{"drift.ignore[0].path forbidden"}},
		"the version":              {rule("apiVersion"), []string{"drift.ignore[0].path forbidden"}},
		"all metadata":             {rule("metadata"), []string{"drift.ignore[0].path forbidden"}},
		"the name":                 {rule("metadata.name"), []string{"drift.ignore[0].path forbidden"}},
		"the name, quoted":         {rule(`metadata["name"]`), []string{"drift.ignore[0].path forbidden"}},
		"the namespace":            {rule("metadata.namespace"), []string{"drift.ignore[0].path forbidden"}},
		"all labels":               {rule("metadata.labels"), []string{"drift.ignore[0].path forbidden"}},
		"all labels, quoted":       {rule(`metadata["labels"]`), []string{"drift.ignore[0].path forbidden"}},
		"a label of ours":          {rule(`metadata.labels["blueberry.dev/project"]`), []string{"drift.ignore[0].path forbidden"}},
		"a label of ours, escaped": {rule(`metadata["labels"]["\x62lueberry.dev/project"]`), []string{"drift.ignore[0].path forbidden"}},
		"what is nearly the name":  {rule("metadata.nameless"), nil},
		"labels of something else": {rule("spec.template.metadata.labels"), nil},
	} {
		var f blueberry.Faults
		c.p.Check(&f, "drift")
		if diff := cmp.Diff(c.want, faults(f.Err())); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

// TestDriftThatIsToldCanBeIgnored: the path of a difference can be copied into a rule, unless it is an index.
func TestDriftThatIsToldCanBeIgnored(t *testing.T) {
	t.Parallel()
	fields := object{"data": object{"a.b/c": 1, "1st": 1, "a/b": 1, `q"q`: 1, "ü": 1, "$x": 1, "a-b": 1}, "spec": object{"l": []any{object{"name": "my.item x", "v": 1}}}}
	other := object{"data": object{"a.b/c": 2, "1st": 2, "a/b": 2, `q"q`: 2, "ü": 2, "$x": 2, "a-b": 2}, "spec": object{"l": []any{object{"name": "my.item x", "v": 2}}}}
	var p blueberry.DriftPolicy
	for _, d := range blueberry.DiffFields(fields, other) {
		p.Ignore = append(p.Ignore, blueberry.DriftIgnore{Kind: "*", Name: "*", Path: d.Path})
	}
	var f blueberry.Faults
	p.Check(&f, "drift")
	if len(p.Ignore) != 8 || len(f) > 0 {
		t.Errorf("%d rules: %s", len(p.Ignore), strings.ReplaceAll(fmt.Sprint(f), "; ", "\n"))
	}
}
