package render

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	release "helm.sh/helm/v4/pkg/release/v1/util"
)

// Annotations of Helm's hooks.
const (
	hookAnnotation = "helm.sh/hook"
	hookWeight     = "helm.sh/hook-weight"
	hookDelete     = "helm.sh/hook-delete-policy"
	hookLog        = "helm.sh/hook-output-log-policy"
)

// hookOrder is where an object stands: hooks before the rest (-1), with it (0) or behind it (1); by weight among hooks.
type hookOrder struct{ stage, weight int }

// applyHooks makes ordinary objects of the hooks that Helm runs at install or upgrade, and drops the others: tests, and what runs at delete or rollback
// would run at once here. A target applies; it does not run hooks. Without the annotations, every target treats them alike.
func applyHooks(all []manifest) []manifest {
	out := make([]manifest, 0, len(all))
	for _, m := range all {
		notes, _ := at(m.object, "metadata", "annotations").(map[string]any)
		hook, ok := notes[hookAnnotation].(string)
		if !ok || m.crd {
			out = append(out, m)
			continue
		}
		stage, ok := hookStage(hook)
		if !ok {
			continue
		}
		weight, _ := notes[hookWeight].(string)
		m.order.stage = stage
		m.order.weight, _ = strconv.Atoi(weight)
		for _, a := range []string{hookAnnotation, hookWeight, hookDelete, hookLog} {
			delete(notes, a)
		}
		if len(notes) == 0 {
			delete(child(m.object, "metadata"), "annotations")
		}
		out = append(out, m)
	}
	return out
}

// hookStage says when a hook belongs to an installation; false when it does not, or when it is of a kind that Helm does not know and skips.
func hookStage(hook string) (stage int, ok bool) {
	for event := range strings.SplitSeq(hook, ",") {
		switch strings.ToLower(strings.TrimSpace(event)) {
		case "pre-install", "pre-upgrade":
			stage, ok = -1, true
		case "post-install", "post-upgrade":
			if !ok {
				stage, ok = 1, true
			}
		case "pre-delete", "post-delete", "pre-rollback", "post-rollback", "test", "test-success":
		default:
			return 0, false
		}
	}
	return stage, ok
}

// installOrder sorts: CRDs, hooks that come before, everything by kind as Helm installs it, hooks that come behind. What is equal keeps its order.
func installOrder(all []manifest) []manifest {
	rank := map[string]int{}
	for i, kind := range release.InstallOrder {
		rank[kind] = i
	}
	kindRank := func(m manifest) int {
		if r, ok := rank[m.kind()]; ok {
			return r
		}
		return len(rank)
	}
	crdFirst := func(m manifest) int {
		if m.crd {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b manifest) int {
		unknown := 0
		if kindRank(a) == len(rank) && kindRank(b) == len(rank) {
			unknown = strings.Compare(a.kind(), b.kind())
		}
		return cmp.Or(cmp.Compare(crdFirst(a), crdFirst(b)), cmp.Compare(a.order.stage, b.order.stage),
			cmp.Compare(a.order.weight, b.order.weight), cmp.Compare(kindRank(a), kindRank(b)), unknown)
	})
	return all
}
