package render

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// readContainers takes the one container of the workload.
func (r *scoreReader) readContainers(n *yaml.Node, field string) {
	all := r.named(n, field, 1)
	if len(all) != 1 {
		if !r.full {
			r.fault(n, field, "unsupported", "names %d containers; a component runs exactly one", len(all))
		}
		return
	}
	at := join(field, all[0].key)
	var image string
	var command, args []string
	not := func(what string) func(*yaml.Node, string) {
		return func(n *yaml.Node, field string) {
			if n = r.enter(n, field, 3); n != nil && len(n.Content) > 0 {
				r.fault(n, field, "unsupported", "%s not supported: the built-in chart has nothing for it", what)
			}
		}
	}
	if !r.object(all[0].value, at, 2, map[string]func(*yaml.Node, string){
		"image":          r.text(&image),
		"command":        r.document.texts(&command),
		"args":           r.document.texts(&args),
		"variables":      r.readVariables,
		"resources":      r.readLimits,
		"livenessProbe":  r.readProbe,
		"readinessProbe": r.readProbe,
		"files":          not("files are"),
		"volumes":        not("volumes are"),
		"before":         not("an order of containers is"),
	}) {
		return
	}
	switch image {
	case "":
		r.locate(blueberry.Fault{Field: at + ".image", Code: "required", Message: `must be set; "." leaves it to the values of the component and to the layers above`})
	case ".":
	default:
		r.set("image", at+".image", image)
	}
	for _, list := range []struct {
		key   string
		items []string
	}{{"command", command}, {"args", args}} {
		if list.items != nil {
			r.set(list.key, at+"."+list.key, anys(list.items))
		}
	}
}

func anys(items []string) []any {
	out := make([]any, len(items))
	for i, s := range items {
		out[i] = s
	}
	return out
}

// readVariables takes the environment variables. Their placeholders are filled in when the whole file is read.
func (r *scoreReader) readVariables(n *yaml.Node, field string) {
	env := map[string]any{}
	for _, p := range r.named(n, field, 3) {
		at := join(field, p.key)
		r.put(at, p.value)
		var text string
		r.text(&text)(p.value, at)
		r.placed = append(r.placed, placed{text: text, field: at, node: p.value, set: func(s string) { env[p.key] = s }})
	}
	r.set("env", field, env)
}

func (r *scoreReader) readLimits(n *yaml.Node, field string) {
	part := func(key string) func(*yaml.Node, string) {
		return func(n *yaml.Node, field string) {
			var cpu, memory string
			r.object(n, field, 4, map[string]func(*yaml.Node, string){"cpu": r.text(&cpu), "memory": r.text(&memory)})
			if cpu != "" {
				r.set("resources."+key+".cpu", field+".cpu", cpu)
			}
			if memory != "" {
				r.set("resources."+key+".memory", field+".memory", memory)
			}
		}
	}
	r.object(n, field, 3, map[string]func(*yaml.Node, string){"requests": part("requests"), "limits": part("limits")})
}

// httpProbe is what a probe asks.
type httpProbe struct {
	field, path string
	port        int
}

// readProbe takes the path of a probe: one path serves all probes of the built-in chart.
func (r *scoreReader) readProbe(n *yaml.Node, field string) {
	not := func(what string) func(*yaml.Node, string) {
		return func(n *yaml.Node, field string) { r.fault(n, field, "unsupported", "%s not supported", what) }
	}
	r.object(n, field, 3, map[string]func(*yaml.Node, string){
		"exec": not("a probe that runs a command is"),
		"httpGet": func(n *yaml.Node, field string) {
			p := httpProbe{field: field}
			scheme := "HTTP"
			if !r.object(n, field, 4, map[string]func(*yaml.Node, string){
				"path": r.text(&p.path), "port": r.number(&p.port), "scheme": r.text(&scheme), "host": not("a host of its own is"), "httpHeaders": not("headers are"),
			}) {
				return
			}
			if scheme != "HTTP" {
				r.unsupported(field+".scheme", "is %q; probes speak HTTP", scheme)
			}
			if !strings.HasPrefix(p.path, "/") {
				r.locate(blueberry.Fault{Field: field + ".path", Code: "pattern", Message: "must start with a slash"})
			}
			r.portRange(field+".port", p.port)
			if r.probe != nil && (r.probe.path != p.path || r.probe.port != p.port) {
				r.unsupported(field, "asks something else than %s: one path serves both probes", r.probe.field)
				return
			}
			r.probe = &p
			r.set("health", field+".path", p.path)
		},
	})
}

// resolve fills in the placeholders of a text: ${metadata.name}, ${metadata.annotations.key}. A dollar is written as two.
func (r *scoreReader) resolve(t placed) string {
	var out strings.Builder
	for rest := t.text; ; {
		before, after, found := strings.Cut(rest, "$")
		out.WriteString(before)
		switch {
		case !found:
			return out.String()
		case strings.HasPrefix(after, "$"):
			out.WriteByte('$')
			rest = after[1:]
		case strings.HasPrefix(after, "{") && strings.Contains(after, "}"):
			name, behind, _ := strings.Cut(after[1:], "}")
			out.WriteString(r.lookup(t, name))
			rest = behind
		default:
			out.WriteByte('$')
			rest = after
		}
	}
}

// lookup gives what a placeholder stands for.
func (r *scoreReader) lookup(t placed, name string) string {
	parts := strings.Split(strings.ReplaceAll(name, `\.`, "\x00"), ".")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "\x00", ".")
	}
	switch {
	case parts[0] == "resources" && len(parts) > 1:
		kind, ok := r.resources[parts[1]]
		if !ok {
			r.fault(t.node, t.field, "unknown", "${%s}: there is no resource %q", name, parts[1])
		} else {
			r.fault(t.node, t.field, "unsupported", "resource %s of type %s is not provided by this installation", parts[1], kind)
		}
		return ""
	case parts[0] == "metadata" && len(parts) > 1:
		switch v := at(r.metadata, parts[1:]...).(type) {
		case string:
			return v
		case bool, float64:
			text, _ := json.Marshal(v)
			return string(text)
		}
		r.fault(t.node, t.field, "unknown", "${%s}: the metadata has no such text", name)
		return ""
	}
	r.fault(t.node, t.field, "unknown", "${%s} is not known: known are ${metadata.…} and ${resources.…}; a dollar that means itself is written $$", name)
	return ""
}
