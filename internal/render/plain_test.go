package render

import (
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// plain reads YAML as an editor hands it to a schema.
func plain(t *testing.T, content string) any {
	t.Helper()
	d := &document{at: map[string]position{}}
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(content), &n); err != nil {
		t.Fatal(err)
	}
	v := d.value(n.Content[0], "", 0)
	if len(d.faults) > 0 {
		t.Fatal(d.faults)
	}
	return v
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
