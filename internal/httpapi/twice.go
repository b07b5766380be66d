package httpapi

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const messageTwice = "the key is set twice"

// twice tells the keys of a body that are set more than once in one object: which of the two was meant, nobody can know. The body is JSON.
func twice(body []byte) []error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var found []error
	var value func(path string)
	value = func(path string) {
		token, err := dec.Token()
		if err != nil {
			return
		}
		switch token {
		case json.Delim('{'):
			seen := map[string]bool{}
			for dec.More() {
				name, err := dec.Token()
				key, ok := name.(string)
				if err != nil || !ok {
					return
				}
				at := blueberry.JoinPath(path, key)
				if seen[key] {
					found = append(found, &huma.ErrorDetail{Location: blueberry.JoinField("body", at), Message: messageTwice})
				}
				seen[key] = true
				value(at)
			}
			_, _ = dec.Token() // the closing brace
		case json.Delim('['):
			for i := 0; dec.More(); i++ {
				value(path + "[" + strconv.Itoa(i) + "]")
			}
			_, _ = dec.Token()
		}
	}
	value("")
	return found
}
