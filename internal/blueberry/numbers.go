package blueberry

import "encoding/json"

// PlainNumbers gives a decoded JSON value the numbers that values have here: int64 where they are whole, else float64. A chart must see 8080, not 8.08e+03.
// A number beyond both keeps its digits, as text.
func PlainNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return PlainValues(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = PlainNumbers(x)
		}
		return out
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	}
	return v
}

// PlainValues is PlainNumbers for a mapping; nil stays nil.
func PlainValues(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = PlainNumbers(v)
	}
	return out
}
