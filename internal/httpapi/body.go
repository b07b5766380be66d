package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// body is a request body of type T. It checks the shape alone: unknown fields and wrong types. Lengths, ranges and patterns stand in the document,
// but the operation is their judge, so that it can tell them together with what only it can find (a taken name, a missing commit). When the
// shape is wrong there is no operation to ask, and all that the document says is checked here.
type body[T any] struct {
	Value T

	// unknown are the fields that do not exist, where the operation tells them with its own faults (metaGathers).
	unknown blueberry.Faults

	raw []byte
	err error
}

// UnmarshalJSON keeps the bytes for Resolve. Numbers of free-form values keep their digits.
func (b *body[T]) UnmarshalJSON(data []byte) error {
	b.raw = bytes.Clone(data)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	b.err = dec.Decode(&b.Value)
	return nil
}

// Schema is T's, so that the document shows T.
func (b *body[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// Resolve tells the faults of the shape.
func (b *body[T]) Resolve(ctx huma.Context, prefix *huma.PathBuffer) []error {
	if b.raw == nil {
		return nil // no body, or not JSON; huma has told
	}
	registry, ok := ctx.Operation().Metadata[metaRegistry].(huma.Registry)
	if !ok {
		panic("operation without registry: " + ctx.Operation().OperationID)
	}
	var parsed any
	if err := json.Unmarshal(b.raw, &parsed); err != nil {
		return []error{err}
	}
	at := huma.NewPathBuffer([]byte{}, 0)
	at.Push("body")
	res := &huma.ValidateResult{}
	huma.Validate(registry, b.Schema(registry), at, huma.ModeWriteToServer, undotted(parsed), res)
	for _, err := range res.Errors {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			d.Location = dotsAgain.Replace(d.Location)
		}
	}
	res.Errors = append(slices.DeleteFunc(res.Errors, isEmptyFile), twice(b.raw)...)
	if gathers, _ := ctx.Operation().Metadata[metaGathers].(bool); gathers && b.err == nil && !slices.ContainsFunc(res.Errors, isWrongType) {
		for _, err := range res.Errors {
			if isShape(err) {
				b.unknown = append(b.unknown, faultOf(err.(huma.ErrorDetailer).ErrorDetail()))
			}
		}
		return nil
	}
	if slices.ContainsFunc(res.Errors, isShape) {
		return res.Errors
	}
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(b.err, &kind): // of the right sort, but too large for it
		return []error{&huma.ErrorDetail{Location: "body." + kind.Field, Message: "expected " + kind.Type.String() + ", not " + kind.Value}}
	case b.err != nil:
		return []error{&huma.ErrorDetail{Location: "body", Message: b.err.Error()}}
	}
	return nil
}

// Keys are validated without the two characters at which huma, which keeps the path to a field as text, goes back too little when it leaves a field: behind a
// label k8s.io/x every later fault would stand below labels. They are of the private use area meanwhile.
var (
	dotsAway  = strings.NewReplacer(".", "\ue000", "[", "\ue001")
	dotsAgain = strings.NewReplacer("\ue000", ".", "\ue001", "[")
)

func undotted(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, inner := range x {
			out[dotsAway.Replace(k)] = undotted(inner)
		}
		return out
	case []any:
		for i, inner := range x {
			x[i] = undotted(inner)
		}
	}
	return v
}

// isEmptyFile knows the one base64 that huma takes for none: that of nothing.
func isEmptyFile(err error) bool {
	d, ok := err.(huma.ErrorDetailer)
	return ok && d.ErrorDetail().Value == "" && strings.HasPrefix(d.ErrorDetail().Message, "expected string to be base64")
}

func isWrongType(err error) bool {
	d, ok := err.(huma.ErrorDetailer)
	if !ok {
		return true
	}
	code, _ := classify(d.ErrorDetail().Message)
	return code == "type"
}

func isShape(err error) bool {
	d, ok := err.(huma.ErrorDetailer)
	if !ok {
		return true
	}
	switch code, _ := classify(d.ErrorDetail().Message); code {
	case "unknown_field", "type", "duplicate":
		return true
	}
	return false
}
