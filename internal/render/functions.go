package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	goyaml "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// stepName is the function that every loop and template of a chart is made to call. A chart that calls it too only counts twice.
const stepName = "blueberryStep"

// told is a message that a chart has for its user: of required or fail.
type told struct{ message string }

func (t *told) Error() string { return t.message }

// functions are those that the helm CLI gives to charts, less what reaches outside (env, lookup, DNS), with answers that are the same on every machine
// and at any time, each held to the budget.
func (r *run) functions() template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	maps.Copy(all, printFunctions())
	maps.Copy(all, formatFunctions())
	maps.Copy(all, durationFunctions())
	maps.Copy(all, r.salt.functions())
	all["keys"] = sortedKeys
	all["values"] = sortedValues
	all["getHostByName"] = func(string) string { return "" }
	all["lookup"] = func(string, string, string, string) map[string]any { return map[string]any{} }
	all["fail"] = func(message string) (string, error) { return "", &told{message} }
	all["required"] = required
	for name, f := range all {
		all[name] = r.bounded(name, f)
	}
	all["include"] = r.include
	all["tpl"] = r.tpl
	all[stepName] = func() (string, error) { return "", r.budget.step() }
	return all
}

func required(message string, v any) (any, error) {
	if s, ok := v.(string); v == nil || ok && s == "" {
		return nil, &told{message}
	}
	return v, nil
}

// printFunctions are those that text/template has built in and that can make large texts, so that they can be bounded.
func printFunctions() template.FuncMap {
	return template.FuncMap{
		"print":    fmt.Sprint,
		"printf":   fmt.Sprintf,
		"println":  fmt.Sprintln,
		"html":     template.HTMLEscaper,
		"js":       template.JSEscaper,
		"urlquery": template.URLQueryEscaper,
	}
}

// bounded wraps a function: it counts as a step, is refused arguments that would make it run wild, and its answer is weighed.
func (r *run) bounded(name string, f any) any {
	v, t := reflect.ValueOf(f), reflect.TypeOf(f)
	built, weight := grows(name), 1
	if strings.Contains(strings.ToLower(name), "regex") {
		weight = 64 // about what a regular expression takes for each byte, beside the writing of one
	}
	guard := guardOf(name)
	out := make([]reflect.Type, 0, 2)
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	fails := len(out) == 2
	if !fails {
		out = append(out, reflect.TypeFor[error]())
	}
	in := make([]reflect.Type, 0, t.NumIn())
	for i := range t.NumIn() {
		in = append(in, t.In(i))
	}
	return reflect.MakeFunc(reflect.FuncOf(in, out, t.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		err := r.budget.step()
		for _, a := range args {
			if err == nil && a.Kind() == reflect.String {
				err = r.budget.spend(a.Len() * weight) // what a function reads is work too
			}
		}
		if err == nil && guard != nil {
			err = guard(args)
		}
		if err != nil {
			return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
		}
		var answer []reflect.Value
		if t.IsVariadic() {
			answer = v.CallSlice(args)
		} else {
			answer = v.Call(args)
		}
		if !fails {
			answer = append(answer, reflect.Zero(out[1]))
		}
		if err := r.budget.check(answer[0], built); err != nil {
			answer[1] = reflect.ValueOf(&err).Elem()
		}
		return answer
	}).Interface()
}

// sortedKeys and sortedValues take the order out of the order of Go's maps, which is another one each time.
func sortedKeys(dicts ...map[string]any) []string {
	var out []string
	for _, d := range dicts {
		out = append(out, slices.Sorted(maps.Keys(d))...)
	}
	return out
}

func sortedValues(d map[string]any) []any {
	out := make([]any, 0, len(d))
	for _, k := range slices.Sorted(maps.Keys(d)) {
		out = append(out, d[k])
	}
	return out
}

// formatFunctions are Helm's own conversions. As in Helm, those without "must" put what went wrong into their answer.
func formatFunctions() template.FuncMap {
	return template.FuncMap{
		"toYaml":       func(v any) string { s, _ := toYAML(v); return s },
		"mustToYaml":   toYAML,
		"toYamlPretty": toYAMLPretty,
		"toJson":       func(v any) string { s, _ := toJSON(v); return s },
		"mustToJson":   toJSON,
		"toToml":       func(v any) string { return textOrError(toTOML(v)) },
		"mustToToml":   toTOML,
		"fromYaml": func(s string) map[string]any {
			return mapFrom(s, func(b []byte, v any) error { return yaml.Unmarshal(b, v) })
		},
		"fromJson":      func(s string) map[string]any { return mapFrom(s, json.Unmarshal) },
		"fromToml":      func(s string) map[string]any { return mapFrom(s, toml.Unmarshal) },
		"fromYamlArray": func(s string) []any { return listFrom(s, func(b []byte, v any) error { return yaml.Unmarshal(b, v) }) },
		"fromJsonArray": func(s string) []any { return listFrom(s, json.Unmarshal) },
	}
}

func toYAML(v any) (string, error) {
	b, err := yaml.Marshal(v)
	return strings.TrimSuffix(string(b), "\n"), err
}

func toYAMLPretty(v any) string {
	var b strings.Builder
	e := goyaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func toTOML(v any) (string, error) {
	var b strings.Builder
	err := toml.NewEncoder(&b).Encode(v)
	return b.String(), err
}

func textOrError(s string, err error) string {
	if err != nil {
		return err.Error()
	}
	return s
}

func mapFrom(s string, read func([]byte, any) error) map[string]any {
	out := map[string]any{}
	if err := read([]byte(s), &out); err != nil {
		if out == nil {
			out = map[string]any{}
		}
		out["Error"] = err.Error()
	}
	return out
}

func listFrom(s string, read func([]byte, any) error) []any {
	out := []any{}
	if err := read([]byte(s), &out); err != nil {
		return []any{err.Error()}
	}
	return out
}
