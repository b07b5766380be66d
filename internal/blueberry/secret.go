package blueberry

import (
	"maps"
	"slices"
	"strings"
)

// SecretShape says what a value looks like when it looks like a secret in clear: "an AWS access key", "a password". It is empty for what looks like none.
// The last key of the path decides on what a text may be; lists and mappings are looked through, with the keys in them. A reference ({secretRef: name/key},
// ${NAME}, vault:…) is no secret. The answer never repeats the value.
func SecretShape(path string, value any) string {
	switch v := value.(type) {
	case string:
		if len(v) < minPassword {
			return ""
		}
		return textShape(lastKey(path), v)
	case []any, map[string]any:
		return treeShape(lastKey(path), v, 0)
	}
	return ""
}

// maxSecretDepth is how deep a value is looked through. Documents are not deeper.
const maxSecretDepth = 100

// treeShape looks through a list or a mapping that stands under a key.
func treeShape(key string, value any, depth int) string {
	if depth > maxSecretDepth {
		return ""
	}
	switch v := value.(type) {
	case string:
		return textShape(key, v)
	case []any:
		return listShape(key, v, depth)
	case map[string]any:
		if IsSecretRef(v) {
			return ""
		}
		// The form of a container's variables: {name: DB_PASSWORD, value: …}.
		name, named := v["name"].(string)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			at := k
			if named && k == "value" {
				at = name
			}
			if shape := treeShape(at, v[k], depth+1); shape != "" {
				return shape
			}
		}
	}
	return ""
}

// listShape looks through a list. An item behind a flag ("--password", "…") is the flag's value.
func listShape(key string, list []any, depth int) string {
	for i, item := range list {
		at := strings.TrimSuffix(key, "s")
		if text, ok := item.(string); ok && i > 0 && !strings.HasPrefix(text, "-") {
			if flag, ok := list[i-1].(string); ok && strings.HasPrefix(flag, "-") && !strings.Contains(flag, "=") {
				at = flag
			}
		}
		if shape := treeShape(at, item, depth+1); shape != "" {
			return shape
		}
	}
	return ""
}

// IsSecretRef reports whether a value is a reference to a secret: {secretRef: name/key}, and nothing beside it.
func IsSecretRef(value any) bool {
	m, ok := value.(map[string]any)
	if !ok || len(m) != 1 {
		return false
	}
	_, ok = m["secretRef"].(string)
	return ok
}

// lastKey is the last key of a path that is not the index of a list.
func lastKey(path string) string {
	if !strings.ContainsAny(path, `["`) {
		return path[strings.LastIndexByte(path, '.')+1:]
	}
	keys, ok := SplitPath(path)
	if !ok {
		return path
	}
	for i := len(keys) - 1; i > 0; i-- {
		if strings.Trim(keys[i], "0123456789") != "" {
			return keys[i]
		}
	}
	return keys[0]
}

// textShape says what one text looks like under its key.
func textShape(key, text string) string {
	if shape := tokenShapeIn(text); shape != "" {
		return shape
	}
	if strings.Contains(text, "://") {
		if urlPassword(text) {
			return "a URL with a password"
		}
	}
	if m := meaningOf(key); m != noSecret && m.fits(text) {
		return m.what()
	}
	if strings.IndexByte(text, '=') > 0 {
		if shape := pairShape(text); shape != "" {
			return shape
		}
	}
	if shape := headerShape(text); shape != "" {
		return shape
	}
	if isRandom(text) && !isPublicKey(key) {
		return "a random text, as keys and tokens are"
	}
	return ""
}

// pairShape looks for name=value in a text: flags, connection strings, query strings, lines of a file.
func pairShape(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n;&?,\"'`", r) }) {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" || value == "" {
			continue
		}
		if m := meaningOf(name); m != noSecret && m.fits(value) {
			return m.what()
		}
		// Azure's connection strings and signed URLs.
		if low := strings.ToLower(name); (low == "accountkey" || low == "sharedaccesskey" || low == "sig") && len(value) >= 32 && !isReference(value) {
			return "an Azure access key"
		}
	}
	return ""
}

// headerShape looks for the value of an Authorization header.
func headerShape(text string) string {
	for _, scheme := range []string{"Bearer ", "bearer ", "Basic ", "basic ", "Token ", "token "} {
		_, rest, ok := strings.Cut(text, scheme)
		if !ok {
			continue
		}
		word, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		word = strings.Trim(word, `"'`)
		if len(word) >= 16 && !isReference(word) && !isPlaceholder(word) && hasDigitOrCase(word) && !isPlainName(word) {
			return "a header with credentials"
		}
	}
	return ""
}

// urlPassword reports whether a text holds a URL with a user's password in it.
func urlPassword(text string) bool {
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "://")
		if !ok {
			return false
		}
		rest = after
		end := strings.IndexAny(after, " \t\r\n\"'<>`")
		if end < 0 {
			end = len(after)
		}
		authority := after[:end]
		if cut := strings.IndexAny(authority, "/?#"); cut >= 0 && !strings.Contains(authority[:cut], "${") {
			authority = authority[:cut]
		}
		at := strings.LastIndexByte(authority, '@')
		if at < 0 {
			continue
		}
		_, password, ok := strings.Cut(authority[:at], ":")
		if ok && password != "" && !isReference(password) && !isPlaceholder(password) && !strings.ContainsAny(password, "<>[]{}") {
			return true
		}
	}
}
