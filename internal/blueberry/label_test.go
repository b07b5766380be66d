package blueberry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestLabelsAreHeldToTheRulesOfKubernetes(t *testing.T) {
	t.Parallel()
	many := blueberry.Labels{}
	for i := range blueberry.MaxLabels + 1 {
		many[fmt.Sprint("k", i)] = ""
	}
	for reason, c := range map[string]struct {
		labels blueberry.Labels
		want   []string
	}{
		"none":               {nil, nil},
		"a word":             {blueberry.Labels{"team": "checkout"}, nil},
		"no value":           {blueberry.Labels{"demo": ""}, nil},
		"every sign":         {blueberry.Labels{"A1.b_c-D": "1.2_3-x"}, nil},
		"a prefix":           {blueberry.Labels{"example.com/team": "a"}, nil},
		"the longest":        {blueberry.Labels{strings.Repeat("a", 253) + "/" + strings.Repeat("k", 63): strings.Repeat("v", 63)}, nil},
		"nearly ours":        {blueberry.Labels{"myblueberry.dev/x": "", "blueberry.dev": "", "k8s.io.example.com/x": ""}, nil},
		"too many":           {many, []string{"labels too_many"}},
		"no key":             {blueberry.Labels{"": "x"}, []string{"labels required"}},
		"a long key":         {blueberry.Labels{strings.Repeat("k", 64): ""}, []string{"labels." + strings.Repeat("k", 64) + " too_long"}},
		"a long prefix":      {blueberry.Labels{strings.Repeat("a", 254) + "/k": ""}, []string{"labels." + strings.Repeat("a", 254) + "/k too_long"}},
		"a long value":       {blueberry.Labels{"k": strings.Repeat("v", 64)}, []string{"labels.k too_long"}},
		"an empty prefix":    {blueberry.Labels{"/k": ""}, []string{"labels./k pattern"}},
		"nothing behind it":  {blueberry.Labels{"a.b/": ""}, []string{"labels.a.b/ pattern"}},
		"two slashes":        {blueberry.Labels{"a/b/c": ""}, []string{"labels.a/b/c pattern"}},
		"a large prefix":     {blueberry.Labels{"Example.com/k": ""}, []string{"labels.Example.com/k pattern"}},
		"a dash at the end":  {blueberry.Labels{"k-": "v-"}, []string{"labels.k- pattern", "labels.k- pattern"}},
		"a line end":         {blueberry.Labels{"k": "v\n"}, []string{"labels.k pattern"}},
		"letters of others":  {blueberry.Labels{"k": "ö"}, []string{"labels.k pattern"}},
		"ours":               {blueberry.Labels{"blueberry.dev/x": ""}, []string{"labels.blueberry.dev/x reserved"}},
		"below ours":         {blueberry.Labels{"a.blueberry.dev/x": ""}, []string{"labels.a.blueberry.dev/x reserved"}},
		"Kubernetes's":       {blueberry.Labels{"app.kubernetes.io/name": "", "k8s.io/x": ""}, []string{"labels.app.kubernetes.io/name reserved", "labels.k8s.io/x reserved"}},
		"all faults at once": {blueberry.Labels{"a b": "", "c": "d e", "k8s.io/x": "y z"}, []string{"labels.a b pattern", "labels.c pattern", "labels.k8s.io/x pattern", "labels.k8s.io/x reserved"}},
	} {
		_, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: "p", Name: "n", Target: "local", Owner: "ada", Hours: 1, Labels: c.labels}, time.Now())
		if d := cmp.Diff(c.want, faults(err)); d != "" {
			t.Errorf("%s: -want +got\n%s", reason, d)
		}
	}
}

func TestLabelSelectors(t *testing.T) {
	t.Parallel()
	labels := blueberry.Labels{"team": "shop", "example.com/tier": ""}
	for text, c := range map[string]struct {
		want  blueberry.LabelSelector
		holds bool
		fault string
	}{
		"team=shop":             {blueberry.LabelSelector{Key: "team", Value: "shop", Exact: true}, true, ""},
		" team=shop ":           {blueberry.LabelSelector{Key: "team", Value: "shop", Exact: true}, true, ""},
		"team=Shop":             {blueberry.LabelSelector{Key: "team", Value: "Shop", Exact: true}, false, ""},
		"team=":                 {blueberry.LabelSelector{Key: "team", Exact: true}, false, ""},
		"team":                  {blueberry.LabelSelector{Key: "team"}, true, ""},
		"example.com/tier":      {blueberry.LabelSelector{Key: "example.com/tier"}, true, ""},
		"example.com/tier=":     {blueberry.LabelSelector{Key: "example.com/tier", Exact: true}, true, ""},
		"tier":                  {blueberry.LabelSelector{Key: "tier"}, false, ""},
		"k8s.io/x":              {blueberry.LabelSelector{Key: "k8s.io/x"}, false, ""}, // nobody can have it, and asking harms nobody
		"":                      {fault: "label required"},
		"=shop":                 {fault: "label required"},
		"team==shop":            {fault: "label pattern"},
		"team!=shop":            {fault: "label pattern"},
		"team =shop":            {fault: "label pattern"},
		"team=a\nb":             {fault: "label pattern"},
		strings.Repeat("k", 64): {fault: "label too_long"},
	} {
		got, err := blueberry.ParseLabelSelectors([]string{text}, "label")
		if c.fault != "" {
			if d := cmp.Diff([]string{c.fault}, faults(err)); d != "" {
				t.Errorf("%q: -want +got\n%s", text, d)
			}
			continue
		}
		if err != nil || len(got) != 1 || got[0] != c.want || got[0].Holds(labels) != c.holds {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	if _, err := blueberry.ParseLabelSelectors([]string{"-", "a b=c d", "fine"}, "label"); len(faults(err)) != 3 {
		t.Errorf("every fault at once: %v", err)
	}
	if _, err := blueberry.ParseLabelSelectors(make([]string, blueberry.MaxLabels+1), "label"); !cmp.Equal(faults(err), []string{"label too_many"}) {
		t.Errorf("too many: %v", err)
	}
}

// What is read as a selector is what it is written as, and a label that can be is found by itself and by its key.
func FuzzLabelSelector(f *testing.F) {
	for _, text := range []string{"team=shop", "team", "example.com/team=", "a==b", "=", "\n", "k8s.io/x=y", "ö=\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := blueberry.ParseLabelSelectors([]string{text}, "label")
		if err != nil {
			return
		}
		again, err := blueberry.ParseLabelSelectors([]string{got[0].String()}, "label")
		if err != nil || again[0] != got[0] || got[0].String() != strings.TrimSpace(text) {
			t.Fatalf("%q is %+v, and that is %+v, %v", text, got, again, err)
		}
		if l := (blueberry.Labels{got[0].Key: got[0].Value}); !got[0].Holds(l) || strings.ContainsAny(l.Lines()[0], "\n \x00") {
			t.Fatalf("%q does not hold for %q", text, l)
		}
	})
}
