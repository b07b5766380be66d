package console

import (
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

func catalogueRef(e sdk.CatalogueEntry) string {
	name := e.Name
	if e.Global {
		name = "global/" + name
	}
	return fmt.Sprintf("%s@%d", name, e.Latest)
}

func targetNames(n sdk.Names) []string {
	return listOf(n.Targets, func(t sdk.TargetName) string { return t.Name })
}

// defaultText says what holds when nothing is chosen.
func defaultText(p sdk.Parameter) string {
	if p.Default == nil {
		return "nothing chosen"
	}
	return "default: " + valueText(p.Default)
}

func enumOf(p sdk.Parameter) (out []string) {
	if p.Type == "boolean" && len(p.Enum) == 0 {
		return []string{"true", "false"}
	}
	for _, x := range p.Enum {
		out = append(out, valueText(x))
	}
	return out
}

// faultAt is what is wrong with a field of the form, by the names that the API gives it.
func faultAt(p *sdk.Problem, name string) string {
	for _, field := range []string{name, "source." + name} {
		if f := faultOf(p, field); f != "" {
			return f
		}
	}
	return ""
}

func changedObjects(p *sdk.Plan) (n int) {
	for _, o := range p.Objects {
		if o.Action != "unchanged" {
			n++
		}
	}
	return n
}

// planText counts what becomes of objects: "12 created, 1 changed".
func planText(p *sdk.Plan) string {
	counts := map[string]int{}
	for _, o := range p.Objects {
		counts[o.Action]++
	}
	var out []string
	for _, x := range [][2]string{{"create", "created"}, {"update", "changed"}, {"delete", "removed"}} {
		if n := counts[x[0]]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, x[1]))
		}
	}
	if len(out) == 0 {
		return "changes values only"
	}
	return strings.Join(out, ", ")
}
