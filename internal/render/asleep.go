package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// asleepSelector is a label that no node has, so that a DaemonSet with it runs nowhere.
const asleepSelector = "blueberry.dev/asleep"

// pausedReplicas is how KEDA is told to hold a workload at a number of pods, whatever its triggers say.
const pausedReplicas = "autoscaling.keda.sh/paused-replicas"

// Asleep gives the same manifests as they are while the environment sleeps: the same objects in the same files, but nothing that runs pods by itself runs
// any. Data stays: no claim goes, not even where the manifest lets it go with its pod. Horizontal autoscalers stay as they are, for they do nothing at 0.
// Jobs run to their end. The same rendering gives the same bytes.
func Asleep(r blueberry.Rendering) (blueberry.Rendering, error) {
	var out blueberry.Rendering
	for _, f := range r.Files {
		all, err := readFile(f)
		if err != nil {
			return blueberry.Rendering{}, err
		}
		f.Content, f.Objects = nil, nil
		for _, m := range all {
			if err := m.fallAsleep(); err != nil {
				return blueberry.Rendering{}, err
			}
			if err := appendManifest(&f, m); err != nil {
				return blueberry.Rendering{}, err
			}
		}
		out.Files = append(out.Files, f)
	}
	out.Digest = blueberry.DigestOf(out.Files)
	return out, nil
}

// fallAsleep alters one object.
func (m manifest) fallAsleep() error {
	set := func(key string, value any, path ...string) error {
		at := child(m.object, path...)
		if at == nil {
			return fmt.Errorf("put %s to sleep: %s is no mapping", m, blueberry.JoinPath("", path...))
		}
		at[key] = value
		return nil
	}
	switch group, kind := m.group(), m.kind(); {
	case m.scales():
		if policy, ok := at(m.object, "spec", "persistentVolumeClaimRetentionPolicy").(map[string]any); ok && kind == "StatefulSet" {
			policy["whenScaled"] = "Retain"
		}
		return set("replicas", json.Number("0"), "spec")
	case group == "apps" && kind == "DaemonSet":
		return set(asleepSelector, "true", "spec", "template", "spec", "nodeSelector")
	case group == "batch" && kind == "CronJob":
		return set("suspend", true, "spec")
	case group == "keda.sh" && kind == "ScaledObject":
		return set(pausedReplicas, "0", "metadata", "annotations")
	}
	return nil
}

// scales reports whether an object runs as many pods as its spec.replicas says.
func (m manifest) scales() bool {
	switch m.group() {
	case "apps":
		return m.kind() == "Deployment" || m.kind() == "StatefulSet" || m.kind() == "ReplicaSet"
	case "argoproj.io":
		return m.kind() == "Rollout"
	case "":
		return m.kind() == "ReplicationController"
	}
	return false
}

// Autoscaled is a workload whose number of pods an autoscaler decides.
type Autoscaled struct {
	blueberry.ObjectRef
	Least int // pods that the autoscaler runs at least; 1 or more
}

// AutoscaledOf lists the workloads among the manifests that an autoscaler of the manifests scales, in the order of their references.
func AutoscaledOf(files []blueberry.RenderedFile) ([]Autoscaled, error) {
	all, err := Manifests(files)
	if err != nil {
		return nil, err
	}
	var out []Autoscaled
	for _, m := range all {
		to, least := scaledBy(m)
		if to == (blueberry.ObjectRef{}) {
			continue
		}
		i := slices.IndexFunc(all, func(w Manifest) bool {
			return w.Kind == to.Kind && w.Name == to.Name && w.Namespace == to.Namespace && (to.APIVersion == "" || w.Group() == to.Group())
		})
		if i >= 0 {
			out = append(out, Autoscaled{all[i].ObjectRef, max(1, least)})
		}
	}
	slices.SortFunc(out, func(a, b Autoscaled) int { return cmp.Compare(a.String(), b.String()) })
	return slices.CompactFunc(out, func(a, b Autoscaled) bool { return a.ObjectRef == b.ObjectRef }), nil
}

// scaledBy is what an autoscaler scales, and to how many pods at least; zero for anything else.
func scaledBy(m Manifest) (to blueberry.ObjectRef, least int) {
	field := ""
	switch {
	case m.Kind == "HorizontalPodAutoscaler":
		field = "minReplicas"
	case m.Kind == "ScaledObject" && m.Group() == "keda.sh":
		field = "minReplicaCount"
	default:
		return to, 0
	}
	n, _ := at(m.Object, "spec", field).(int64)
	to = blueberry.ObjectRef{
		APIVersion: text(m.Object, "spec", "scaleTargetRef", "apiVersion"), Kind: text(m.Object, "spec", "scaleTargetRef", "kind"),
		Name: text(m.Object, "spec", "scaleTargetRef", "name"), Namespace: m.Namespace,
	}
	if to.Kind == "" {
		to.Kind = "Deployment" // as KEDA reads it
	}
	return to, int(n)
}
