package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
)

// encodeExact is JSON that decodeExact gives back with the same kinds of numbers: 2 is an int and 2.0 a float64, however deep in v they stand. A chart
// that asks for the kind of a value gets the same answer from what was kept as from what was sent. An int64 comes back as an int.
func encodeExact(what string, v any) ([]byte, error) {
	b, err := json.Marshal(replaceValues(reflect.ValueOf(v), tellFloats).Interface())
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	return b, nil
}

// decodeExact reads what encodeExact wrote into the value that v points to.
func decodeExact(what string, b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decode %s: %w", what, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("decode %s: something follows", what)
	}
	to := reflect.ValueOf(v).Elem()
	to.Set(replaceValues(to, plainNumbers))
	return nil
}

// replaceValues copies v with every value that stands in an interface replaced by what f makes of it.
func replaceValues(v reflect.Value, f func(any) any) reflect.Value {
	switch v.Kind() { // what remains holds no interface
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type()).Elem()
		out.Set(reflect.ValueOf(f(v.Interface())))
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(replaceValues(v.Elem(), f))
		return out
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(replaceValues(v.Index(i), f))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for i := v.MapRange(); i.Next(); {
			out.SetMapIndex(i.Key(), replaceValues(i.Value(), f))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(replaceValues(v.Field(i), f))
			}
		}
		return out
	}
	return v
}

// tellFloats copies a value of JSON with whole floats as numbers that show it.
func tellFloats(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && v >= -1<<63 && v < 1<<63 { // beyond, no int is read
			return json.Number(strconv.FormatFloat(v, 'f', 1, 64))
		}
	case map[string]any:
		if v == nil {
			return v
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = tellFloats(x)
		}
		return out
	case []any:
		if v == nil {
			return v
		}
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = tellFloats(x)
		}
		return out
	}
	return v
}

// plainNumbers replaces the numbers of a decoder in a value of JSON: those without point and exponent by int, as long as one holds them, the rest by
// float64.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil && i >= math.MinInt && i <= math.MaxInt {
			return int(i)
		}
		f, err := v.Float64()
		if err != nil {
			return v.String() // outside of every number type; it was no number of ours
		}
		return f
	case map[string]any:
		for k, x := range v {
			v[k] = plainNumbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = plainNumbers(x)
		}
	}
	return v
}
