package render

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ScoreAPIVersion is the version of Score (score.dev) that is read.
const ScoreAPIVersion = "score.dev/v1b1"

// score adds what the Score file of a component says to its values.
func (m *merger) score(s *stack, origin blueberry.Origin) {
	field := blueberry.JoinField(fieldOf(s.index), "score")
	tree, commit := m.in.tree(s.component)
	content, found := readScore(tree, s.component.Score)
	if found != nil {
		m.tell(s, *found)
		s.broken, s.unread = true, true
		return
	}
	w, err := parseScore(content)
	if err != nil {
		_ = m.faults.Merge(field, err) // it is an Invalid error always
		s.broken, s.unread = true, true
		return
	}
	origin.Name, origin.Commit = s.component.Score, commit
	x := share{Origin: origin, values: w.values, field: field, fields: map[string]string{}}
	for path, at := range w.places {
		x.fields[path] = blueberry.JoinField(field, at)
	}
	look := secretSearch{public: m.in.Blueprint.Fields.Public, keys: []string{s.name()}}
	look.found = func(keys []string, shape string) {
		m.faults.Add(x.place(keys[1:]), secretCode, "%s", secretMessage(shape))
	}
	look.in(w.values)
	s.add(x)
}

func readScore(tree fs.FS, name string) ([]byte, *problem) {
	if tree == nil {
		p := noSource("score")
		return nil, &p
	}
	fail := func(format string, args ...any) ([]byte, *problem) {
		return nil, &problem{field: "score", code: "score", message: fmt.Sprintf(format, args...)}
	}
	f, err := tree.Open(name)
	if err != nil {
		return fail("there is no file %s in the repository", name)
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxDocumentSize+1))
	if err != nil {
		return fail("%s cannot be read as a file", name)
	}
	if len(content) > maxDocumentSize {
		return fail("%s has more than %d bytes", name, maxDocumentSize)
	}
	return content, nil
}

// scored is a Score file as values of the built-in chart.
type scored struct {
	values map[string]any
	places map[string]string // path of the values → path in the file
}

// scoreReader reads one Score file.
type scoreReader struct {
	*document
	out       scored
	metadata  map[string]any    // that placeholders may name
	resources map[string]string // name → type
	placed    []placed          // texts that may hold placeholders
	port      int               // that the container listens on
	probe     *httpProbe
}

// placed is a text with where it goes and where it stands.
type placed struct {
	text, field string
	node        *yaml.Node
	set         func(string)
}

// parseScore reads a Score file. Every fault is told at once (kind Invalid), with its path in the file, line and column. What the built-in chart cannot do is
// a fault with the code "unsupported".
func parseScore(content []byte) (scored, error) {
	r := &scoreReader{document: &document{at: map[string]position{}}, out: scored{values: map[string]any{}, places: map[string]string{}}}
	root := r.parseNode(content)
	if root == nil {
		return scored{}, r.faults.Err()
	}
	r.metadata, r.resources = map[string]any{}, map[string]string{}
	apiVersion := ""
	ok := r.object(root, "", 0, map[string]func(*yaml.Node, string){
		"apiVersion": r.text(&apiVersion),
		"metadata":   r.readMetadata,
		"service":    r.readService,
		"containers": r.readContainers,
		"resources":  r.readResources,
	})
	if ok {
		r.complete(apiVersion)
	}
	if err := r.faults.Err(); err != nil {
		var e *blueberry.Error
		if errors.As(err, &e) {
			e.Detail = "the Score file is not valid"
		}
		return scored{}, err
	}
	return r.out, nil
}

// complete looks at what only the whole file can say.
func (r *scoreReader) complete(apiVersion string) {
	if apiVersion != ScoreAPIVersion {
		r.locate(blueberry.Fault{Field: "apiVersion", Code: "enum", Message: "must be " + ScoreAPIVersion})
	}
	if name, _ := r.metadata["name"].(string); name == "" {
		r.locate(blueberry.Fault{Field: "metadata.name", Code: "required", Message: "must be set"})
	}
	if _, ok := r.at["containers"]; !ok {
		r.locate(blueberry.Fault{Field: "containers", Code: "required", Message: "a workload has one container"})
	}
	for _, t := range r.placed {
		t.set(r.resolve(t))
	}
	if r.probe != nil && r.probe.port != 0 {
		if r.port == 0 {
			r.port = r.probe.port
			r.set("port", r.probe.field+".port", float64(r.port))
		}
		if r.probe.port != r.port {
			r.unsupported(r.probe.field+".port", "asks port %d; probes ask the port that the service leads to, %d", r.probe.port, r.port)
		}
	}
}

// set writes a value, and keeps where it comes from.
func (r *scoreReader) set(path, from string, v any) {
	keys, _ := blueberry.SplitPath(path)
	setPath(r.out.values, keys, v)
	r.out.places[path] = from
}

func (r *scoreReader) unsupported(field, format string, args ...any) {
	r.locate(blueberry.Fault{Field: field, Code: "unsupported", Message: fmt.Sprintf(format, args...)})
}

func (r *scoreReader) readMetadata(n *yaml.Node, field string) {
	values, ok := r.value(n, field, 1).(map[string]any)
	if !ok {
		r.fault(n, field, "type", "must be a mapping, is %s", kindOf(n))
		return
	}
	if name := values["name"]; name != nil {
		if _, ok := name.(string); !ok {
			r.locate(blueberry.Fault{Field: field + ".name", Code: "type", Message: "must be text"})
		}
	}
	r.metadata = values
}

// readService takes the one port of the workload.
func (r *scoreReader) readService(n *yaml.Node, field string) {
	r.object(n, field, 1, map[string]func(*yaml.Node, string){"ports": func(n *yaml.Node, field string) {
		ports := r.named(n, field, 2)
		if len(ports) > 1 {
			r.fault(n, field, "unsupported", "names %d ports; a component has one", len(ports))
			return
		}
		for _, p := range ports {
			at := join(field, p.key)
			var port, target int
			protocol := "TCP"
			if !r.object(p.value, at, 3, map[string]func(*yaml.Node, string){"port": r.number(&port), "targetPort": r.number(&target), "protocol": r.text(&protocol)}) {
				continue
			}
			r.portRange(at+".port", port)
			from := at + ".targetPort"
			if target == 0 {
				target, from = port, at+".port"
			}
			r.portRange(from, target)
			if protocol != "TCP" {
				r.unsupported(at+".protocol", "is %q; a component serves TCP", protocol)
			}
			r.port = target
			r.set("port", from, float64(target))
			r.set("service.port", at+".port", float64(port))
		}
	}})
}

func (r *scoreReader) portRange(field string, port int) {
	if port < 1 || port > 65535 {
		r.locate(blueberry.Fault{Field: field, Code: "range", Message: fmt.Sprintf("is %d, must be 1 to 65535", port)})
	}
}

// named gives the entries of a mapping whose keys are names.
func (r *scoreReader) named(n *yaml.Node, field string, depth int) []pair {
	if n = r.enter(n, field, depth); n == nil {
		return nil
	}
	r.put(field, n)
	if n.Kind != yaml.MappingNode {
		r.fault(n, field, "type", "must be a mapping, is %s", kindOf(n))
		return nil
	}
	return r.pairs(n, field, depth)
}

// readResources keeps which resources there are. One that nothing names asks for nothing.
func (r *scoreReader) readResources(n *yaml.Node, field string) {
	ignore := func(n *yaml.Node, field string) { r.value(n, field, 4) }
	for _, p := range r.named(n, field, 1) {
		at, kind, other := join(field, p.key), "", ""
		if r.object(p.value, at, 2, map[string]func(*yaml.Node, string){
			"type": r.text(&kind), "class": r.text(&other), "id": r.text(&other), "metadata": ignore, "params": ignore,
		}) && kind == "" {
			r.locate(blueberry.Fault{Field: at + ".type", Code: "required", Message: "must be set"})
		}
		r.resources[p.key] = kind
	}
}
