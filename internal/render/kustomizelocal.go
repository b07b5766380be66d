package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
)

var (
	// elsewhere matches what kustomize would fetch: a URL, an SCP-like address, a "git::" prefix, a github.com path without a scheme.
	elsewhere = regexp.MustCompile(`(?i)^\s*(?:[a-z][a-z0-9+.-]*://|git::|[^/\s:]+@|(?:www\.)?github\.com[/:])`)
	// scheme matches what begins like a URL. A text of several lines that does is mostly a document, which may stand in the place of a path.
	scheme = regexp.MustCompile(`(?i)^\s*[a-z][a-z0-9+.-]*:`)
)

// pathFields are the fields that hold paths, of kustomizations and of the configuration of the generators and transformers built into kustomize.
func pathFields() []string {
	return []string{
		"resources", "components", "bases", "crds", "configurations", "generators", "transformers", "validators",
		"patchesStrategicMerge", "patchesJson6902", "path", "paths", "files", "envs", "env",
	}
}

// checkLocal refuses a kustomization that makes kustomize leave the tree: over the network, or by running something. What cannot be read for sure is
// refused too.
func checkLocal(fsys fs.FS, name string, content []byte) error {
	known := false
	for _, k := range konfig.RecognizedKustomizationFileNames() {
		known = known || path.Base(name) == k
	}
	if !known {
		return nil
	}
	c := localCheck{fsys: fsys, name: name}
	c.documents(content, func(v any) {
		if m, ok := v.(map[string]any); ok {
			c.kustomization(m)
		}
		c.paths(v, "")
	})
	return errors.Join(c.found...)
}

type localCheck struct {
	fsys  fs.FS
	name  string
	found []error
}

func (c *localCheck) add(format string, args ...any) {
	if len(c.found) < 20 {
		c.found = append(c.found, fmt.Errorf("%s %s", c.name, fmt.Sprintf(format, args...)))
	}
}

// documents reads a stream; aliases, merges and tags are resolved as kustomize will resolve them, bombs refused.
func (c *localCheck) documents(content []byte, each func(any)) {
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			c.add("cannot be read: %s", firstLine(err))
			return
		}
		each(v)
	}
}

func (c *localCheck) kustomization(root map[string]any) {
	for key, value := range root {
		switch {
		case strings.EqualFold(key, "openapi"):
			// Kustomize keeps such a schema for the whole process: it would reach into the rendering of others.
			c.add("sets openapi, which is not supported")
		case strings.EqualFold(key, "helmCharts"), strings.EqualFold(key, "helmChartInflationGenerator"), strings.EqualFold(key, "helmGlobals"):
			c.add("uses %s, which runs a program; use a component with a chart", key)
		case strings.EqualFold(key, "generators"), strings.EqualFold(key, "transformers"), strings.EqualFold(key, "validators"):
			entries, _ := value.([]any)
			for _, e := range entries {
				if text, ok := e.(string); ok {
					c.plugin(key, text)
				}
			}
		}
	}
}

// plugin looks into the configuration of a generator or transformer: inline, or in a file. A directory is refused: its configuration would be made by
// another kustomization, out of our sight.
func (c *localCheck) plugin(key, entry string) {
	if strings.ContainsAny(entry, ":{\n") { // a path with a colon is refused anyway
		c.documents([]byte(entry), func(v any) { c.paths(v, "") })
	}
	file := treePath(path.Join("/", path.Dir(c.name), entry))
	info, err := fs.Stat(c.fsys, file)
	switch {
	case err != nil:
	case info.IsDir():
		c.add("takes %s from the directory %s; name its files", key, entry)
	case info.Size() > maxFileSize:
		c.add("names %s, which is too big", entry)
	default:
		content, err := fs.ReadFile(c.fsys, file)
		if err != nil {
			c.add("names %s: %s", entry, err)
			return
		}
		c.documents(content, func(v any) { c.paths(v, "") })
	}
}

// paths looks at every text below a field that holds paths. Field names match as they do for kustomize: case does not matter.
func (c *localCheck) paths(v any, key string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			c.paths(x, k)
		}
	case map[any]any:
		for k, x := range v {
			c.paths(x, fmt.Sprint(k))
		}
	case []any:
		for _, x := range v {
			c.paths(x, key)
		}
	case string:
		place := v
		if _, file, ok := strings.Cut(place, "="); ok && strings.EqualFold(key, "files") {
			place = file // "key=path"
		}
		if !elsewhere.MatchString(place) && (strings.Contains(place, "\n") || !scheme.MatchString(place)) {
			return
		}
		for _, f := range pathFields() {
			if strings.EqualFold(key, f) {
				c.add("names %s, which is not in the repository; nothing is fetched from elsewhere", strings.TrimSpace(place))
			}
		}
	}
}
