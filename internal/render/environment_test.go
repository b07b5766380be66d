package render

import (
	"os"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func sample(t testing.TB) Input {
	t.Helper()
	content, err := os.ReadFile("../../examples/shop/blueberry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseBlueprint(content)
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		Project:   blueberry.Project{Name: "default"},
		Name:      "pr-1",
		Namespace: "default-pr-1",
		Revision:  1,
		Domain:    "localhost",
		Blueprint: b,
	}
}
func TestX(t *testing.T) {
	r, err := Environment(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Files {
		t.Logf("%s\n%s", f.Name, f.Content)
	}
}

func TestDump(t *testing.T) {
	if os.Getenv("DUMP") == "" {
		return
	}
	in := sample(t)
	in.Name, in.Namespace = "h3", "h3-render"
	r, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Files {
		os.WriteFile("/tmp/h3/"+f.Name, f.Content, 0o644)
	}
}
