package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// household is one of each that a turn to sleep touches, and of what it leaves alone.
const household = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 3, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'c:1'}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: scaled}
spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'c:1'}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Delete}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'c:1'}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}]
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: canary}
spec: {replicas: 2, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'c:1'}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'c:1'}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: '0 3 * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'c:1'}]}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'c:1'}]}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scaled}
spec: {minReplicas: 2, maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: canary}
spec: {minReplicaCount: 0, scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: canary}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {a: b}, ports: [{port: 80}]}
`

func renderHousehold(t *testing.T) blueberry.Rendering {
	t.Helper()
	r, err := renderTree(t, chartOf(household), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Rendering
}

func TestAsleep(t *testing.T) {
	t.Parallel()
	before := renderHousehold(t)
	asleep, err := Asleep(before)
	if err != nil {
		t.Fatal(err)
	}
	was, err := Manifests(before.Files)
	if err != nil {
		t.Fatal(err)
	}
	is, err := Manifests(asleep.Files)
	if err != nil || len(is) != len(was) {
		t.Fatalf("%d objects, want %d (%v)", len(is), len(was), err)
	}
	changes := map[string]map[string]any{
		"Deployment web":      {"spec.replicas": int64(0)},
		"Deployment scaled":   {"spec.replicas": int64(0)},
		"StatefulSet db":      {"spec.replicas": int64(0), "spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Retain"},
		"Rollout canary":      {"spec.replicas": int64(0)},
		"DaemonSet agent":     {"spec.template.spec.nodeSelector": map[string]any{asleepSelector: "true"}},
		"CronJob nightly":     {"spec.suspend": true},
		"ScaledObject canary": {"metadata.annotations": map[string]any{pausedReplicas: "0", blueberry.AnnotationWave: "0"}},
	}
	for i := range was {
		name := was[i].Kind + " " + was[i].Name
		want := was[i]
		for path, value := range changes[name] {
			keys, _ := blueberry.SplitPath(path)
			child(want.Object, keys[:len(keys)-1]...)[keys[len(keys)-1]] = value
		}
		delete(changes, name)
		if diff := cmp.Diff(want, is[i]); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	if len(changes) > 0 {
		t.Errorf("not rendered: %v", changes)
	}
}

// TestAsleepOfEverySample: the same objects in the same files, the rendering itself is not touched, and who sleeps twice sleeps once.
func TestAsleepOfEverySample(t *testing.T) {
	t.Parallel()
	for name, in := range everySample(t) {
		first, err := Environment(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := first.Digest
		asleep, err := Asleep(first.Rendering)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := Asleep(asleep)
		if err != nil || again.Digest != asleep.Digest || name == "shop" && asleep.Digest == before {
			t.Errorf("%s: digests %s, %s, %s (%v)", name, before, asleep.Digest, again.Digest, err)
		}
		if blueberry.DigestOf(first.Files) != before {
			t.Errorf("%s: the rendering itself was changed", name)
		}
		for i, f := range first.Files {
			g := asleep.Files[i]
			g.Content, f.Content = nil, nil
			if diff := cmp.Diff(f, g); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		// A revision that is put to sleep, and its sleep as another revision, are the same.
		as, err := Relabel(asleep, in.Revision+1)
		if err != nil {
			t.Fatal(err)
		}
		relabelled, err := Relabel(first.Rendering, in.Revision+1)
		if err != nil {
			t.Fatal(err)
		}
		if other, err := Asleep(relabelled); err != nil || other.Digest != as.Digest {
			t.Errorf("%s: asleep and relabelled is another than relabelled and asleep (%v)", name, err)
		}
	}
	for reason, content := range map[string]string{"a file that write did not make": "kind: X\n", "no spec to put to sleep": "---\n# x\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: text\n"} {
		if _, err := Asleep(blueberry.Rendering{Files: []blueberry.RenderedFile{{Name: "x", Content: []byte(content)}}}); err == nil {
			t.Errorf("%s is taken", reason)
		}
	}
}

func TestAutoscaledOf(t *testing.T) {
	t.Parallel()
	r := renderHousehold(t)
	asleep, err := Asleep(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]blueberry.RenderedFile{r.Files, asleep.Files} {
		list, err := AutoscaledOf(files)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, w := range list {
			got[w.Kind+" "+w.Name] = w.Least
		}
		if diff := cmp.Diff(map[string]int{"Deployment scaled": 2, "Rollout canary": 1}, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

func BenchmarkAsleep(b *testing.B) {
	in := bare(b)
	in.Source = chartOf(household)
	in.Blueprint.Components = []blueberry.Component{{Name: "web", Chart: "c"}}
	r, err := Environment(in)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Asleep(r.Rendering); err != nil {
			b.Fatal(err)
		}
	}
}
