package target_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	noted := func(version, revision string) map[string]any {
		return map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "status": version,
			"metadata": map[string]any{
				"name": "x", "resourceVersion": version, "generation": version, "uid": version, "creationTimestamp": version, "managedFields": []any{version},
				"labels":      map[string]any{blueberry.LabelRevision: revision},
				"annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": version},
			},
		}
	}
	bare := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x"}}
	secret := func(a, b string) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"a": a, "b": b}}
	}
	cases := map[string]struct {
		reason       string
		live, after  map[string]any
		want         []string
		neverPrinted string
	}{
		"notes of the place": {reason: "are no difference", live: noted("1", "1"), after: noted("2", "2")},
		"one without them":   {reason: "nor is that they are missing", live: noted("1", "1"), after: bare},
		"another value": {
			reason: "of a Secret is told as such", live: secret("same", "swordfish-1"), after: secret("same", "swordfish-2"),
			want: []string{"data.b: (hidden) → (hidden, another value)"}, neverPrinted: "swordfish",
		},
		"a new secret": {
			reason: "hides all values", after: secret("swordfish-1", "swordfish-2"), neverPrinted: "swordfish",
			want: []string{": <nil> → map[apiVersion:v1 data:map[a:(hidden) b:(hidden)] kind:Secret]"},
		},
		"a secret that goes": {
			reason: "hides all values", live: secret("swordfish-1", "swordfish-2"), neverPrinted: "swordfish",
			want: []string{": map[apiVersion:v1 data:map[a:(hidden) b:(hidden)] kind:Secret] → <nil>"},
		},
		"a secret of another shape": {
			reason: "shows nothing either", live: secret("a", "b"), after: map[string]any{"apiVersion": "v1", "kind": "Secret", "data": "swordfish"}, neverPrinted: "swordfish",
			want: []string{"data: map[a:(hidden) b:(hidden)] → <nil>"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := fmt.Sprint(c.live, c.after)
			var got []string
			for _, f := range target.Diff(c.live, c.after) {
				got = append(got, fmt.Sprintf("%s: %v → %v", f.Path, f.Before, f.After))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if c.neverPrinted != "" && strings.Contains(fmt.Sprint(got), c.neverPrinted) {
				t.Errorf("shows %s: %v", c.neverPrinted, got)
			}
			if after := fmt.Sprint(c.live, c.after); after != before {
				t.Errorf("changed what it was given: %s, was %s", after, before)
			}
		})
	}
}
