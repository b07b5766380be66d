package blueberry_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestPlainNumbers(t *testing.T) {
	t.Parallel()
	got := blueberry.PlainValues(map[string]any{"whole": json.Number("8080"), "list": []any{json.Number("0.5"), map[string]any{"beyond": json.Number("1e999")}}, "text": "8"})
	want := map[string]any{"whole": int64(8080), "list": []any{0.5, map[string]any{"beyond": "1e999"}}, "text": "8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if blueberry.PlainValues(nil) != nil {
		t.Error("nothing became something")
	}
}

func TestCheckExact(t *testing.T) {
	t.Parallel()
	var f blueberry.Faults
	f.CheckExact("overrides", map[string]any{"a": int64(1 << 53), "b": []any{int64(1<<53 + 1), 1e30}, "c": map[string]any{"d.e": -(int64(1<<53) + 1)}, "f": float64(1 << 60)})
	var got []string
	for _, x := range f {
		got = append(got, x.Field+" "+x.Code)
	}
	if diff := cmp.Diff([]string{"overrides.b[0] range", `overrides.c["d.e"] range`, "overrides.f range"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
