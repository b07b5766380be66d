package httpapi

import (
	"errors"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
)

func TestTwice(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"a": 1, "b": {"a": 1}}`:                            nil,
		`{"a": 1, "a": 2}`:                                   {"body.a"},
		`{"a": {"b": [{"c": 1}, {"c": 1, "d": 2, "c": 3}]}}`: {"body.a.b[1].c"},
		`{"o": {"x.y": 1, "x.y": 2}, "o": {}}`:               {`body.o["x.y"]`, "body.o"},
		`[[{"a": 1, "a": 1}]]`:                               {"body[0][0].a"},
		`"a"`:                                                nil,
	} {
		var got []string
		for _, err := range twice([]byte(body)) {
			var detail *huma.ErrorDetail
			if errors.As(err, &detail) {
				got = append(got, detail.Location)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", body, diff)
		}
	}
}
