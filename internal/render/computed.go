package render

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var placeholder = regexp.MustCompile(`\$\{([^{}]*)\}`)

// maxPaths bounds the computed values of a blueprint, and the paths that one parameter sets.
const maxPaths = 200

// checkPaths tells what the computed values of a blueprint name and the platform does not know, and the paths that only the platform may write.
func checkPaths(b blueberry.Blueprint, f *blueberry.Faults) {
	if n := len(b.Computed); n > maxPaths {
		f.Add("computed", "too_many", "has %d paths, at most %d are allowed", n, maxPaths)
		return
	}
	for _, path := range slices.Sorted(maps.Keys(b.Computed)) {
		field := "computed[" + path + "]"
		for _, m := range placeholder.FindAllStringSubmatch(b.Computed[path], -1) {
			if !computable(b, m[1]) {
				f.Add(field, "unknown", "${%s} is not known; known are project, environment, namespace, domain, commit, image, image.repository, image.tag, image.digest, "+
					"and host, url and service of each component, as ${%s.url}", m[1], firstComponent(b))
			}
		}
		if keys, ok := blueberry.SplitPath(path); !ok || reserved(keys) {
			f.Add(field, "computed", "is set by Blueberry")
		}
	}
	for i, p := range b.Parameters {
		if n := len(p.Sets); n > maxPaths {
			f.Add("parameters["+strconv.Itoa(i)+"].sets", "too_many", "has %d paths, at most %d are allowed", n, maxPaths)
			continue
		}
		for j, path := range p.Sets {
			if keys, ok := blueberry.SplitPath(path); !ok || reserved(keys) {
				f.Add("parameters["+strconv.Itoa(i)+"].sets["+strconv.Itoa(j)+"]", "computed", "is set by Blueberry")
			}
		}
	}
}

// reserved reports whether a path lies in what the platform itself sets.
func reserved(keys []string) bool {
	return len(keys) > 1 && keys[1] == "blueberry" || len(keys) > 2 && keys[1] == "global" && keys[2] == "blueberry"
}

func firstComponent(b blueberry.Blueprint) string {
	if len(b.Components) == 0 {
		return "component"
	}
	return b.Components[0].Name
}

func computable(b blueberry.Blueprint, name string) bool {
	switch name {
	case "project", "environment", "namespace", "domain", "commit", "image", "image.repository", "image.tag", "image.digest":
		return true
	}
	component, what, _ := strings.Cut(name, ".")
	return slices.Contains([]string{"host", "url", "service"}, what) &&
		slices.ContainsFunc(b.Components, func(c blueberry.Component) bool { return c.Name == component })
}

// computed adds what only the platform sets: the blueprint's computed values and, for the built-in chart, who the component is.
func (m *merger) computed() {
	origin := blueberry.Origin{Layer: blueberry.LayerComputed}
	for _, s := range m.stacks {
		s.values = mergeLayers(nil, s.layers)
	}
	service := m.services()
	for _, every := range []bool{true, false} {
		for _, s := range m.stacks {
			x := share{Origin: origin, values: map[string]any{}, fields: map[string]string{}, field: "computed"}
			for _, path := range slices.Sorted(maps.Keys(m.in.Blueprint.Computed)) {
				keys, _ := blueberry.SplitPath(path)
				if len(keys) < 2 || (keys[0] == blueberry.AllComponents) != every || !every && keys[0] != s.name() {
					continue
				}
				field := "computed[" + path + "]"
				m.computable(s, field, m.in.Blueprint.Computed[path])
				if !setPath(x.values, keys[1:], m.in.compute(m.in.Blueprint.Computed[path], s.component, service)) {
					m.faults.Add(field, "type", "lies below another computed path, or above one")
				}
				x.fields[blueberry.JoinPath("", keys[1:]...)] = field
			}
			s.add(x)
			s.values = mergeLayers(s.values, []share{x})
		}
	}
	m.built(true)
	for _, s := range m.stacks {
		who := m.in.who(s)
		if s.component.Kind() == blueberry.HelmChart {
			who = map[string]any{"global": map[string]any{"blueberry": who}}
		} else {
			who = map[string]any{"blueberry": who}
		}
		s.platform = share{Origin: origin, values: who, field: fieldOf(s.index), own: true}
	}
}

// computable notes what a text names of a component and nobody knows.
func (m *merger) computable(s *stack, field, text string) {
	if strings.Contains(text, "${commit}") && m.in.commitOf(s.component) == "" {
		m.faults.Add(field, "source_required", "${commit} is not known: no repository was named")
	}
	image := m.in.imageOf(s.component)
	_, tag, _ := blueberry.ImageParts(image)
	switch {
	case image == "" && imageText.MatchString(text):
		m.faults.Add(field, "image_required", "${image} is not known: nobody told which image component %s runs", s.name())
	case tag == "" && strings.Contains(text, "${image.tag}"):
		m.faults.Add(field, "image_required", "${image.tag} is not known: the image of component %s has a digest only", s.name())
	}
}

// imageText is not that of a component named image: ${image.url}.
var imageText = regexp.MustCompile(`\$\{image(\.repository|\.tag|\.digest)?\}`)

// imageOf is the image that CI built of a component; empty when none is known.
func (in Input) imageOf(c blueberry.Component) string {
	if image := in.Images[c.Name]; image != "" || !in.Looking {
		return image
	}
	return noImage
}

// built adds the images that CI built. They stand below what the request chose, and above what the blueprint computes: late is true for those whose image it
// computes, which nobody can choose.
func (m *merger) built(late bool) {
	for _, s := range m.stacks {
		image := m.in.Images[s.name()]
		if image == "" || m.computes(s, "image") != late && s.component.Kind() != blueberry.HelmChart {
			continue
		}
		field := blueberry.JoinField("images", s.name())
		if s.component.Kind() == blueberry.HelmChart {
			if late && !m.namesImage(s) {
				m.warnings = append(m.warnings, blueberry.Warning{Code: "image_unused", Field: field, Message: "component " + s.name() +
					" is a chart, and no computed value of the blueprint takes its ${image}: it runs what its own values say"})
			}
			continue
		}
		x := share{
			Origin: blueberry.Origin{Layer: blueberry.LayerBuild, Commit: m.in.commitOf(s.component)}, values: map[string]any{"image": image},
			field: field, fixed: true,
		}
		s.add(x)
		if late {
			s.values = mergeLayers(s.values, []share{x})
		}
	}
}

// computes reports whether the blueprint computes a value at the root of a component.
func (m *merger) computes(s *stack, key string) bool {
	for path := range m.in.Blueprint.Computed {
		keys, _ := blueberry.SplitPath(path)
		if len(keys) == 2 && keys[1] == key && (keys[0] == blueberry.AllComponents || keys[0] == s.name()) {
			return true
		}
	}
	return false
}

// namesImage reports whether a computed value of a component takes its image.
func (m *merger) namesImage(s *stack) bool {
	for path, text := range m.in.Blueprint.Computed {
		keys, _ := blueberry.SplitPath(path)
		if len(keys) > 1 && (keys[0] == blueberry.AllComponents || keys[0] == s.name()) && imageText.MatchString(text) {
			return true
		}
	}
	return false
}

// compute fills in a text of the values of a component.
func (in Input) compute(text string, c blueberry.Component, service func(component string) string) string {
	image := in.imageOf(c)
	repository, tag, digest := blueberry.ImageParts(image)
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		switch name := m[2 : len(m)-1]; name {
		case "project":
			return in.Project.Name
		case "environment":
			return in.Name
		case "namespace":
			return in.Namespace
		case "domain":
			return in.Domain
		case "commit":
			return in.commitOf(c)
		case "image":
			return image
		case "image.repository":
			return repository
		case "image.tag":
			return tag
		case "image.digest":
			return digest
		default:
			component, what, _ := strings.Cut(name, ".")
			switch what {
			case "host":
				return in.hostName(component)
			case "url":
				return in.url(component)
			}
			return service(component)
		}
	})
}

// hostName is the public host of a component, if it has one: empty without a domain.
func (in Input) hostName(component string) string {
	if in.Domain == "" {
		return ""
	}
	return blueberry.Host(component, in.Name, in.Domain)
}

func (in Input) url(component string) string {
	host := in.hostName(component)
	switch name, _, _ := strings.Cut(in.Domain, ":"); {
	case host == "":
		return ""
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		return "http://" + host
	}
	return "https://" + host
}

// services gives where the others reach a component: with the port, when its service has another than HTTP's own.
func (m *merger) services() func(component string) string {
	ports := map[string]string{}
	for _, s := range m.stacks {
		if port, ok := at(s.values, "service", "port").(float64); ok && port != 80 && s.component.Kind() != blueberry.HelmChart {
			ports[s.name()] = ":" + strconv.FormatFloat(port, 'f', -1, 64)
		}
	}
	return func(component string) string { return "http://" + component + ports[component] }
}

// who is what a chart finds of its component: under blueberry of the built-in chart, under global.blueberry of others.
func (in Input) who(s *stack) map[string]any {
	who := map[string]any{
		"project":     in.Project.Name,
		"environment": in.Name,
		"component":   s.name(),
		"host":        in.hostName(s.name()),
	}
	if s.component.Kind() == blueberry.HelmChart {
		who["namespace"], who["domain"] = in.Namespace, in.Domain
	} else if public, ok := at(s.values, "ingress", "public").(bool); ok && !public {
		who["host"] = ""
	}
	return who
}
