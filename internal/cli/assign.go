package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// values is a document of values: by component, then by the keys of its chart.
type values map[string]any

var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// typed reads the text of a value: true, false, null and numbers are what they say, a text in double quotes is what stands in them, and all else is text.
// So are numbers that no computer means as one: with an exponent, with a leading zero, or too large to be kept exactly. They are commits.
func typed(text string) any {
	switch text {
	case "true", "false":
		return text == "true"
	case "null":
		return nil
	}
	if plainNumber.MatchString(text) {
		if strings.Contains(text, ".") {
			return json.Number(text)
		}
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return json.Number(text)
		}
		return text
	}
	if strings.HasPrefix(text, `"`) {
		var quoted string
		if json.Unmarshal([]byte(text), &quoted) == nil {
			return quoted
		}
	}
	return text
}

// assign reads path=value into a document of values. A path that is given twice has the later value; one that lies below another is a mistake.
func (v values) assign(text string, read func(string) any) error {
	keys, rest, err := cutPath(text)
	switch {
	case err != nil:
		return err
	case rest == "":
		return fmt.Errorf("%q has no value: path=value is needed", text)
	case len(keys) < 2:
		return fmt.Errorf("%q names a component alone: a path below it is needed, as %s.replicas=2", text, keys[0])
	}
	node := map[string]any(v)
	at := ""
	for _, key := range keys[:len(keys)-1] {
		at = joinPath(at, key)
		child, there := node[key]
		below, isMap := child.(map[string]any)
		switch {
		case !there:
			below = map[string]any{}
			node[key] = below
		case !isMap:
			return fmt.Errorf("%s is given a value, and something below it too", at)
		}
		node = below
	}
	last := keys[len(keys)-1]
	if _, isMap := node[last].(map[string]any); isMap {
		return fmt.Errorf("%s is given a value, and something below it too", joinPath(at, last))
	}
	node[last] = read(rest[1:])
	return nil
}

// merge gives what lies below with what lies above merged over it: maps merge, all else replaces. A null replaces too: it is the server that deletes by it.
// Neither is altered.
func merge(below, above map[string]any) map[string]any {
	out := maps.Clone(below)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range above {
		over, isMap := value.(map[string]any)
		under, wasMap := out[key].(map[string]any)
		if isMap && wasMap {
			value = merge(under, over)
		}
		out[key] = value
	}
	return out
}

// without gives a tree that lacks what is at a path, and the maps that are empty without it. The tree itself stays as it is.
func without(tree map[string]any, keys []string) (out map[string]any, found bool) {
	value, there := tree[keys[0]]
	if !there {
		return tree, false
	}
	out = maps.Clone(tree)
	if len(keys) == 1 {
		delete(out, keys[0])
		return out, true
	}
	below, isMap := value.(map[string]any)
	if !isMap {
		return tree, false
	}
	below, found = without(below, keys[1:])
	if !found {
		return tree, false
	}
	if len(below) == 0 {
		delete(out, keys[0])
	} else {
		out[keys[0]] = below
	}
	return out, true
}

// setFlag is --set or --set-string: both write into one document, in the order of the command line.
type setFlag struct {
	into values
	read func(string) any
}

func (f setFlag) String() string        { return "" }
func (f setFlag) Type() string          { return "path=value" }
func (f setFlag) Set(text string) error { return f.into.assign(text, f.read) }

// paramFlag is --param.
type paramFlag map[string]any

func (f paramFlag) String() string { return "" }
func (f paramFlag) Type() string   { return "name=value" }

// Set reads name=value.
func (f paramFlag) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not name=value", text)
	}
	f[name] = typed(value)
	return nil
}
