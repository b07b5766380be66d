package sim

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/blueberry-idp/blueberry/internal/target"
)

// words are what the objects of two environments of one blueprint differ by. They are taken out of a content before it is kept, so that what ten thousand
// such environments say is kept once.
type words [3]string

// wordsOf gives the words of an environment: the longest first, because it may hold the others.
func wordsOf(ref target.Ref) *words {
	w := words{ref.Namespace, ref.Environment, ref.Project}
	for i, s := range w {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
			w[i] = "" // it could be mistaken for a mark
		}
	}
	return &w
}

// mark stands for a word. JSON has no such byte in it.
func mark(i int) string { return string(rune(i + 1)) }

// content is what an object says, kept small. The zero content is of no object.
type content struct {
	words *words
	text  unique.Handle[string] // JSON; of two contents with the same words it is the same when they say the same
}

// keep makes the content of an object whose values are as plain gives them.
func (w *words) keep(object map[string]any) content {
	js, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("keep an object: %v", err)) // plain lets nothing through that has no JSON
	}
	text := string(js)
	for i, word := range w {
		if word != "" {
			text = strings.ReplaceAll(text, word, mark(i))
		}
	}
	return content{w, unique.Make(text)}
}

// object gives a copy of what was kept; nil of the zero content.
func (c content) object() map[string]any {
	if c.words == nil {
		return nil
	}
	text := c.text.Value()
	for i := len(c.words) - 1; i >= 0; i-- {
		text = strings.ReplaceAll(text, mark(i), c.words[i])
	}
	var out map[string]any
	if err := decode([]byte(text), &out); err != nil {
		panic(fmt.Sprintf("read a kept object: %v", err))
	}
	return out
}

// decode reads JSON with whole numbers as int64, as Kubernetes does.
func decode(js []byte, into *map[string]any) error {
	dec := json.NewDecoder(strings.NewReader(string(js)))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	_, err := plain(*into)
	return err
}

// plain puts values as decoders give them into those of JSON, in place where it can: int64, float64, text, truth, nothing, maps by text, lists.
func plain(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if v[k], err = plain(x); err != nil {
				return nil, err
			}
		}
		return v, nil
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			if out[fmt.Sprint(k)], err = plain(x); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		for i, x := range v {
			if v[i], err = plain(x); err != nil {
				return nil, err
			}
		}
		return v, nil
	case nil, bool, string, int64:
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	}
	return number(v)
}

// number gives an int64 where it can.
func number(v any) (any, error) {
	text := fmt.Sprint(v)
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v is no number", v)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f), nil
	}
	return f, nil
}
