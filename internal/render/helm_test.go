package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTemplateFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ template, helper, says string }{
		"fail":           {"\n\n{{ fail \"pick a size\" }}", "", "c/templates/object.yaml:3:3: pick a size"},
		"required":       {"{{ required \"size is required\" .Values.size }}", "", "c/templates/object.yaml:1:3: size is required"},
		"in a helper":    {"x: {{ include \"h\" . }}", "\n{{ define \"h\" }}{{ fail \"deep\" }}{{ end }}", "c/templates/object.yaml:1:6: deep (at c/templates/_h.tpl:2:19)"},
		"no function":    {"\n{{ nofunction }}", "", "c/templates/object.yaml:2: function \"nofunction\" not defined"},
		"not closed":     {"{{ if true }}", "", "c/templates/object.yaml:1: unexpected EOF"},
		"nil pointer":    {"{{ .Values.a.b.c }}", "", "c/templates/object.yaml:1:10: nil pointer evaluating interface {}.b"},
		"no template":    {"{{ include \"nowhere\" . }}", "", "c/templates/object.yaml:1:3: no template \"nowhere\" is defined"},
		"no environment": {"{{ env \"HOME\" }}", "", "c/templates/object.yaml:1: function \"env\" not defined"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := renderTree(t, chartOf(c.template, "templates/_h.tpl", c.helper), nil)
			faults := invalid(t, err)
			if len(faults) != 1 || faults[0].Message != c.says {
				t.Errorf("got  %v\nwant %s", faults, c.says)
			}
		})
	}
}

// TestTimeAndChance: what would differ each time is refused by the name of its template; what is asked for and not used is not.
func TestTimeAndChance(t *testing.T) {
	t.Parallel()
	cm := func(v string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {v: " + v + "}\n"
	}
	cases := map[string]struct {
		v  string
		ok bool
	}{
		"now":                 {`{{ now | unixEpoch | quote }}`, false},
		"the year":            {`{{ now | date "2006" | quote }}`, false},
		"the day of the week": {`{{ now | date "Mon" | quote }}`, false},
		"random":              {`{{ randAlphaNum 5 | quote }}`, false},
		"random number":       {`"{{ randInt 1 3 }}"`, false},
		"uuid":                {`{{ uuidv4 | quote }}`, false},
		"certificate":         {`{{ $ca := genCA "x" 1 }}{{ (genSignedCert "x" nil nil 1 $ca).Cert | quote }}`, false},
		"password hash":       {`{{ htpasswd "a" "b" | quote }}`, false},
		"shuffle":             {`{{ shuffle "abc" | quote }}`, false},
		"ago":                 {`{{ ago (toDate "2006-01-02" "2020-01-01") | quote }}`, false},
		"date of nothing":     {`{{ date "2006-01-02" "text" | quote }}`, false},
		"a default not used":  {`{{ "given" | default (randAlphaNum 5) | quote }}`, true},
		"a given time":        {`{{ dateInZone "2006" 0 "UTC" | quote }}`, true},
		"order of a mapping":  {`{{ keys (dict "c" 1 "a" 2 "b" 3) | join "" | quote }}`, true},
		"its values":          {`{{ values (dict "c" 1 "a" 2 "b" 3) | toJson | quote }}`, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, err := renderTree(t, chartOf(cm(c.v)), nil)
			if c.ok {
				if err != nil {
					t.Fatal(err)
				}
				for range 5 {
					if again, err := renderTree(t, chartOf(cm(c.v)), nil); err != nil || again.Digest != first.Digest {
						t.Fatalf("differs: %v", err)
					}
				}
				return
			}
			faults := invalid(t, err)
			if len(faults) != 1 || faults[0].Code != "not_repeatable" || !strings.Contains(faults[0].Message, "c/templates/object.yaml") {
				t.Errorf("got %v", faults)
			}
		})
	}
}

func TestHooksAndOrder(t *testing.T) {
	t.Parallel()
	hook := func(kind, name, when, weight string) string {
		return "---\napiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name + ", annotations: {helm.sh/hook: '" + when + "', helm.sh/hook-weight: '" + weight + "', helm.sh/hook-delete-policy: x}}\n"
	}
	r, err := renderTree(t, chartOf(
		"apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\napiVersion: example.dev/v1\nkind: Thing\nmetadata: {name: t}\n"+
			hook("Pod", "after", "post-install", "0")+hook("Pod", "second", "pre-upgrade, pre-install", "10")+hook("Pod", "first", "pre-install", "-1")+
			hook("Pod", "test", "test", "0")+hook("Pod", "delete", "pre-delete", "0")+hook("Pod", "both", "post-delete,post-install", "1"),
	), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range r.Files[1].Objects {
		got = append(got, o.Name)
	}
	if diff := cmp.Diff([]string{"first", "second", "c", "s", "t", "after", "both"}, got); diff != "" {
		t.Error(diff)
	}
	if bytes.Contains(r.Files[1].Content, []byte("helm.sh/hook")) {
		t.Error("a hook's annotation is left, which some targets would act upon")
	}
}
