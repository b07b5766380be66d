package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// joinPath appends a key to a path of values, as the server writes paths: ("backend.env", "a.b") gives `backend.env["a.b"]`.
func joinPath(parent, key string) string {
	switch {
	case key == "" || strings.ContainsAny(key, ".[]\" "):
		return parent + "[" + strconv.Quote(key) + "]"
	case parent == "":
		return key
	}
	return parent + "." + key
}

var errListItem = errors.New("items of a list cannot be set one by one: give the whole list in a file with --values")

// cutPath reads a path of values up to its end or to the first "=" outside of quotes, and gives its keys and what is left.
func cutPath(text string) (keys []string, rest string, err error) {
	i := 0
	for i < len(text) && text[i] != '=' {
		if text[i] == '[' {
			key, n, err := quotedKey(text[i:])
			if err != nil {
				return nil, "", err
			}
			keys = append(keys, key)
			i += n
			continue
		}
		if len(keys) > 0 {
			if text[i] != '.' {
				return nil, "", fmt.Errorf("behind %q a dot or a bracket must follow", text[:i])
			}
			i++
		}
		n := strings.IndexAny(text[i:], ".[=")
		if n < 0 {
			n = len(text) - i
		}
		key := text[i : i+n]
		if key == "" || strings.ContainsAny(key, "]\" ") {
			return nil, "", fmt.Errorf("%q is not a path: keys stand between dots, and what is not a plain word in brackets and quotes, as backend.env[\"a.b\"]", text)
		}
		keys = append(keys, key)
		i += n
	}
	if len(keys) == 0 {
		return nil, "", fmt.Errorf("%q names no path", text)
	}
	return keys, text[i:], nil
}

// quotedKey reads ["key"] at the start of a text, and tells how long it is.
func quotedKey(text string) (key string, n int, err error) {
	if len(text) > 1 && text[1] >= '0' && text[1] <= '9' {
		return "", 0, errListItem
	}
	quoted, err := strconv.QuotedPrefix(text[1:])
	if err != nil || quoted[0] != '"' || !strings.HasPrefix(text[1+len(quoted):], "]") {
		return "", 0, fmt.Errorf("a key in brackets stands in quotes, as [\"a.b\"], not %q", text)
	}
	key, err = strconv.Unquote(quoted)
	return key, len(quoted) + 2, err
}

// splitPath gives the keys of a path of values.
func splitPath(path string) ([]string, error) {
	keys, rest, err := cutPath(path)
	if err == nil && rest != "" {
		err = fmt.Errorf("%q is not a path: a key with an equals sign stands in brackets and quotes", path)
	}
	return keys, err
}
