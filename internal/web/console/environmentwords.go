package console

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

func escaped(s string) string { return url.QueryEscape(s) }

func tabPath(id, tab string) string {
	if tab == "" {
		return environmentPath(id)
	}
	return environmentPath(id, tab)
}

func objectPath(id string, o sdk.Object) string {
	q := url.Values{"api_version": {o.APIVersion}, "kind": {o.Kind}, "name": {o.Name}}
	if o.Namespace != "" {
		q.Set("namespace", o.Namespace)
	}
	return environmentPath(id, "objects", "one") + "?" + q.Encode()
}

func shapeOfContainer(c sdk.Container) shape {
	switch {
	case c.Ready:
		return good
	case c.State == "running", c.State == "waiting":
		return busy
	case c.Init:
		return good
	}
	return warn
}

func sleepText(s sdk.EnvironmentSleep) string {
	text := "never by itself"
	switch p := s.Policy; {
	case p.IdleMinutes > 0:
		text = fmt.Sprintf("after %d minutes without a request", p.IdleMinutes)
	case len(p.Windows) > 0:
		text = "at set times"
	}
	if s.Asleep {
		text = "now, since " + s.Since.UTC().Format("2006-01-02 15:04 MST") + "; by itself " + text
	}
	return text
}

func driftText(mode string) string {
	if mode == "report" {
		return "told, and left"
	}
	return "repaired"
}

func orSomebody(name string) string {
	if name == "" {
		return "the platform"
	}
	return name
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func goneOf(r sdk.Receipt) (n int) {
	for _, l := range r.Lines {
		if !l.GoneAt.IsZero() {
			n++
		}
	}
	return n
}

// valueText is a value as JSON, but for a plain text.
func valueText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func settingText(s *sdk.SettingValue) string {
	switch {
	case s == nil:
		return "none"
	case s.Deleted:
		return "taken out"
	}
	return valueText(s.Value)
}

func originText(o sdk.Origin) string {
	parts := []string{strings.ReplaceAll(o.Layer, "_", " ")}
	if o.Name != "" {
		name := o.Name
		if o.Version > 0 {
			name += fmt.Sprintf("@%d", o.Version)
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, " ")
}

func podsOf(containers []sdk.Container) (pods []string) {
	for _, c := range containers {
		if !slices.Contains(pods, c.Pod) {
			pods = append(pods, c.Pod)
		}
	}
	return pods
}

// podColours is how many colours tell pods apart.
const podColours = 6

func podColour(pod string) int {
	h := fnv.New32a()
	h.Write([]byte(pod))
	return int(h.Sum32() % podColours)
}

// more are the verbs that stand behind the others.
func (e environmentView) more() (out []verb) {
	for _, x := range e.Actions {
		if x.More {
			out = append(out, x)
		}
	}
	return out
}

// componentPath is a page about one component.
func componentPath(id, tab, component string) string {
	return environmentPath(id, tab) + "?" + url.Values{"component": {component}}.Encode()
}

func holdPath(id string, h sdk.Hold) string {
	return environmentPath(id, "release-hold") + "?" + url.Values{"kind": {h.Kind}, "name": {h.Name}, "value": {h.Value}}.Encode()
}

// platformPart is the component that the platform's own objects of an environment belong to.
const platformPart = "environment"

// componentName is what a component is called; the platform's own part of an environment has a word of its own.
func componentName(name string) string {
	if lastOfPlatform(name) > 0 {
		return "The environment itself"
	}
	return name
}

// lastOfPlatform orders the platform's own part behind the components of people.
func lastOfPlatform(component string) int {
	if component == platformPart || component == "" {
		return 1
	}
	return 0
}
