package store

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// anyValue generates values of JSON, with the numbers where a kind or a digit is lost easily.
func anyValue(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.Int().AsAny(),
		rapid.Map(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64), func(f float64) any { return f }),
		rapid.Map(rapid.IntRange(-5, 5), func(i int) any { return float64(i) }),
		rapid.SampledFrom([]any{math.MaxInt, math.MinInt, 1 << 53, 1<<53 + 1, float64(1 << 53), -float64(1 << 63), float64(1 << 63), 1e20, 1e21, math.Copysign(0, -1), 5e-324}),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.String(), anyValue(depth-1), 0, 4), func(m map[string]any) any { return m }),
	)...)
}

// Whatever JSON can hold comes back as it went, wherever a noun has room for it, and what was given is left alone.
func TestValuesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "value")
		want := blueberry.Plan{
			Objects: []blueberry.ObjectDiff{{Fields: []blueberry.FieldDiff{{Before: v, After: []any{v}}}}},
			Config:  []blueberry.SettingChange{{After: &blueberry.Setting{Value: v, Shadows: []blueberry.Shadow{{Value: map[string]any{"a": v}}}}}},
		}
		given, err := encodeExact("plan", want)
		if err != nil {
			t.Fatal(err)
		}
		var got blueberry.Plan
		if err := decodeExact("plan", given, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		again, err := encodeExact("plan", want)
		if err != nil || string(again) != string(given) {
			t.Errorf("the second time %s, not %s: %v", again, given, err)
		}
	})
}

// What was kept before floats were told from whole numbers is read as it always was.
func TestOldNumbers(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := decodeExact("values", []byte(`{"whole": 2, "half": 0.5, "exponent": 1e3, "long": 123456789012345678901234567890, "none": 1e999}`), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"whole": 2, "half": 0.5, "exponent": 1000.0, "long": 123456789012345678901234567890.0, "none": "1e999"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{``, `{`, `{} {}`, `{}x`, `[]`} {
		if err := decodeExact("values", []byte(bad), &got); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
