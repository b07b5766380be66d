package targettest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// compare must succeed as a call.
func (s *scene) compare(t testing.TB, d target.Desired) []blueberry.ObjectDiff {
	t.Helper()
	c, ok := s.Driver.(target.Comparer)
	if !ok {
		t.Fatal("the driver does not compare")
	}
	out := Ask(t, "compare", func() ([]blueberry.ObjectDiff, error) { return c.Compare(t.Context(), d) })
	if want := slices.Concat(refs(d.Files), d.Prune); len(out) != len(want) {
		t.Fatalf("compared %d objects, want %d", len(out), len(want))
	}
	return out
}

func refs(files []blueberry.RenderedFile) []blueberry.ObjectRef {
	var out []blueberry.ObjectRef
	for _, f := range files {
		out = append(out, f.Objects...)
	}
	return out
}

// differences puts what differs into lines: "update ConfigMap ns/name data.KEY: old → new".
func differences(diffs []blueberry.ObjectDiff) []string {
	var out []string
	for _, d := range diffs {
		if d.Action == blueberry.ObjectUnchanged {
			continue
		}
		line := fmt.Sprintf("%s %s", d.Action, d.Kind+" "+d.Name)
		if d.Action != blueberry.ObjectUpdated || len(d.Fields) == 0 {
			out = append(out, line)
			continue
		}
		for _, f := range d.Fields {
			out = append(out, fmt.Sprintf("%s %s: %s → %s", line, f.Path, side(f.Before, f.HasBefore), side(f.After, f.HasAfter)))
		}
	}
	return out
}

func side(value any, there bool) string {
	if !there {
		return "nothing"
	}
	return fmt.Sprint(value)
}

// of gives what was compared of one object.
func of(t testing.TB, diffs []blueberry.ObjectDiff, kind, name string) blueberry.ObjectDiff {
	t.Helper()
	i := slices.IndexFunc(diffs, func(d blueberry.ObjectDiff) bool { return d.Kind == kind && d.Name == name })
	if i < 0 {
		t.Fatalf("nothing is told of %s %s", kind, name)
	}
	return diffs[i]
}

// settled waits until a comparison finds nothing: a controller may be about to add something of its own.
func (s *scene) settled(t testing.TB, d target.Desired) {
	t.Helper()
	eventually(t, "nothing differs", func() string { return strings.Join(differences(s.compare(t, d)), "\n") })
}

func testCompareNothing(t *testing.T, s *scene) {
	d := s.usual(t)
	got := s.compare(t, d)
	want := refs(d.Files)
	for i, x := range got {
		if x.ObjectRef != want[i] {
			t.Errorf("object %d is %s, want %s: the files' order", i, x.ObjectRef, want[i])
		}
		whole := len(x.Fields) == 1 && x.Fields[0].Path == "" && x.Fields[0].HasAfter && !x.Fields[0].HasBefore
		if x.Action != blueberry.ObjectCreated || !x.Checked || x.Refused || !whole {
			t.Errorf("%s is %s (checked: %t, refused: %t, note %q) with %d fields, want it created as a whole", x.ObjectRef, x.Action, x.Checked, x.Refused, x.Note, len(x.Fields))
			continue
		}
		after, _ := x.Fields[0].After.(map[string]any)
		name, _ := target.Field(after, []string{"metadata", "name"})
		namespace, _ := target.Field(after, []string{"metadata", "namespace"})
		if name != x.Name || (x.Namespace != "" && namespace != x.Namespace) {
			t.Errorf("%s would be called %v in namespace %v", x.ObjectRef, name, namespace)
		}
	}
	if got[0].Component != blueberry.PlatformComponent || of(t, got, "Deployment", "front").Component != "front" {
		t.Error("the component is not told")
	}
	if made := s.Hand.Labelled(t, s.Ref); len(made) > 0 {
		t.Errorf("comparing made %v", made)
	}
	s.files = nil
}

func testCompareSettled(t *testing.T, s *scene) {
	d := s.usual(t)
	s.settle(t, d)
	s.settled(t, d)
	s.Driver = s.Reopen(t) // and so for one that does not know what was applied
	for _, x := range s.compare(t, d) {
		if x.Action != blueberry.ObjectUnchanged || !x.Checked || x.Refused || len(x.Fields) > 0 {
			t.Errorf("%s is %s (checked: %t, note %q): %+v, want it unchanged", x.ObjectRef, x.Action, x.Checked, x.Note, x.Fields)
		}
	}
	next := target.Desired{Ref: s.Ref, Revision: 2}
	for _, f := range d.Files {
		f.Content = []byte(strings.ReplaceAll(string(f.Content), blueberry.LabelRevision+`: "1"`, blueberry.LabelRevision+`: "2"`))
		next.Files = append(next.Files, f)
	}
	if got := differences(s.compare(t, next)); len(got) > 0 {
		t.Errorf("another revision of the same differs: %v", got)
	}
}

func testCompareChange(t *testing.T, s *scene) {
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: $name, namespace: $ns, labels: $labels}\ndata: {"
	old := s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", goodImage), File(t, s.Ref, 1, "conf", config+"GREETING: hello, OLD: x}\n"))
	s.settle(t, old)
	s.settled(t, old)
	web := Web(t, s.Ref, 0, "back", "registry.invalid/app:2.0")
	web.Content = []byte(strings.Replace(string(web.Content), "maxReplicas: 3", "maxReplicas: 5", 1))
	d := target.Desired{Ref: s.Ref, Revision: 2, Files: []blueberry.RenderedFile{
		Platform(t, s.Ref), web, File(t, s.Ref, 1, "conf", config+"GREETING: good day, NEW: there}\n", strings.Replace(configDoc, "$name", "more", 1)),
	}}
	before := s.snapshot(t)
	want := []string{
		"update Deployment back spec.template.spec.containers[name=app].image: " + goodImage + " → registry.invalid/app:2.0",
		"update HorizontalPodAutoscaler back spec.maxReplicas: 3 → 5",
		"update ConfigMap conf data.GREETING: hello → good day",
		"update ConfigMap conf data.NEW: nothing → there",
		"update ConfigMap conf data.OLD: x → nothing",
		"create ConfigMap more",
	}
	for range 2 {
		if diff := cmp.Diff(want, differences(s.compare(t, d))); diff != "" {
			t.Errorf("differences (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(before, s.snapshot(t)); diff != "" {
		t.Errorf("comparing changed the place (-before +after):\n%s", diff)
	}
	s.settle(t, s.desired(d.Files...))
	s.settled(t, d)
}

// snapshot is all objects of the environment as they are, but for what controllers write at any time.
func (s *scene) snapshot(t testing.TB) map[blueberry.ObjectRef]any {
	t.Helper()
	out := map[blueberry.ObjectRef]any{}
	for _, ref := range s.Hand.Labelled(t, s.Ref) {
		object, ok := s.Hand.Object(t, ref)
		if !ok || ref.Kind == "EndpointSlice" || ref.Kind == "Pod" || ref.Kind == "ReplicaSet" {
			continue
		}
		object = maps.Clone(object)
		delete(object, "status")
		if meta, ok := object["metadata"].(map[string]any); ok && !quiet(ref.Kind) {
			meta = maps.Clone(meta)
			delete(meta, "resourceVersion")
			delete(meta, "managedFields")
			if notes, ok := meta["annotations"].(map[string]any); ok {
				notes = maps.Clone(notes)
				// The oldest version of an autoscaler tells its status there.
				maps.DeleteFunc(notes, func(key string, _ any) bool { return strings.HasPrefix(key, "autoscaling.alpha.kubernetes.io/") })
				meta["annotations"] = notes
			}
			object["metadata"] = meta
		}
		out[ref] = object
	}
	return out
}

// quiet reports whether no controller writes objects of a kind: then even their versions stay.
func quiet(kind string) bool {
	return kind == "ConfigMap" || kind == "Secret" || kind == "Service" || kind == "NetworkPolicy" || kind == "Ingress" || kind == "LimitRange"
}

func testCompareRefused(t *testing.T, s *scene) {
	bad := strings.Replace(deploymentDoc(goodImage), "spec:\n", "spec:\n  replicas: -1\n", 1)
	port := strings.Replace(serviceDoc, "port: 80,", "port: 70000,", 1)
	d := target.Desired{Ref: s.Ref, Files: []blueberry.RenderedFile{Platform(t, s.Ref), File(t, s.Ref, 0, "back", bad, port, configDoc)}}
	check := func(when string) {
		got := s.compare(t, d)
		for kind, path := range map[string]string{"Deployment": "spec.replicas: ", "Service": "spec.ports[0].port: "} {
			x := of(t, got, kind, "back")
			if !x.Refused || !x.Checked || !strings.Contains(x.Note, path) || strings.Contains(x.Note, x.Namespace+"/") {
				t.Errorf("%s, %s is refused: %t (checked: %t), note %q, want it refused for %s", when, kind, x.Refused, x.Checked, x.Note, path)
			}
		}
		if x := of(t, got, "ConfigMap", "back"); x.Refused || !x.Checked || x.Action != blueberry.ObjectCreated {
			t.Errorf("%s, what is fine is %+v", when, x)
		}
	}
	check("with no namespace")
	s.settle(t, s.desired(Platform(t, s.Ref)))
	check("with a namespace")
	s.settle(t, s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", goodImage)))
	got := s.compare(t, d)
	if x := of(t, got, "Deployment", "back"); !x.Refused || !strings.Contains(x.Note, "spec.replicas: ") {
		t.Errorf("a change to what is bad is %+v, want it refused", x)
	}
}

func testCompareDenied(t *testing.T, s *scene) {
	quota := "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: $ns, labels: $labels}\nspec: {hard: {count/secrets: \"0\"}}\n"
	s.settle(t, s.desired(Platform(t, s.Ref, quota)))
	d := target.Desired{Ref: s.Ref, Files: []blueberry.RenderedFile{Platform(t, s.Ref, quota), File(t, s.Ref, 0, "back", secretDoc)}}
	eventually(t, "a secret is denied", func() string {
		x := of(t, s.compare(t, d), "Secret", "back")
		return blank(x.Refused && x.Checked && strings.Contains(x.Note, "exceeded quota"), fmt.Sprintf("%+v", x))
	})
}

func testCompareUnknownKind(t *testing.T, s *scene) {
	widget := "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"
	d := target.Desired{Ref: s.Ref, Files: []blueberry.RenderedFile{Platform(t, s.Ref), File(t, s.Ref, 0, "back", widget, configDoc)}}
	d.Prune = []blueberry.ObjectRef{{APIVersion: "example.com/v1", Kind: "Widget", Namespace: s.Namespace, Name: "old"}}
	got := s.compare(t, d)
	if x := of(t, got, "Widget", "back"); x.Action != blueberry.ObjectCreated || x.Checked || x.Refused || x.Note == "" {
		t.Errorf("got %+v, want it created, not checked, with a note", x)
	}
	if x := of(t, got, "Widget", "old"); x.Action != blueberry.ObjectUnchanged || x.Note == "" {
		t.Errorf("got %+v, want it unchanged, with a note", x)
	}
	if x := of(t, got, "ConfigMap", "back"); !x.Checked {
		t.Errorf("what is known is not checked: %+v", x)
	}
}

func testComparePrune(t *testing.T, s *scene) {
	config := func(name string) string { return strings.ReplaceAll(configDoc, "name: $name", "name: "+name) }
	first := s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", config("keep"), config("old"), config("given-away")))
	first.LeaveAlone = true // or a place that does it by itself takes back what is about to be given away
	s.settle(t, first)
	keep, old, given := s.object(t, "ConfigMap", "keep"), s.object(t, "ConfigMap", "old"), s.object(t, "ConfigMap", "given-away")
	never := keep
	never.Name = "never-there"
	d := target.Desired{Ref: s.Ref, Files: []blueberry.RenderedFile{Platform(t, s.Ref), File(t, s.Ref, 0, "back", config("keep"))}}
	d.Prune = []blueberry.ObjectRef{never, old, given}
	var got []blueberry.ObjectDiff
	eventually(t, "the comparison tells what goes, once no sync that was on its way takes back what is given away", func() string {
		s.Hand.Patch(t, given, `{"metadata": {"labels": {"blueberry.dev/project": "other", "blueberry.dev/environment": "other"}}}`)
		got = s.compare(t, d)
		return cmp.Diff([]string{"delete ConfigMap old"}, differences(got))
	})
	if x := of(t, got, "ConfigMap", "old"); !x.Checked || x.Refused || x.Component != "back" || len(x.Fields) != 1 || x.Fields[0].HasAfter || !x.Fields[0].HasBefore {
		t.Errorf("got %+v, want it checked, of component back and with what goes", x)
	}
	for i, o := range d.Prune {
		if x := got[len(got)-len(d.Prune)+i]; x.ObjectRef != o || (o != old) != (x.Note != "") {
			t.Errorf("got %+v at the place of %s", x, o)
		}
	}
	if _, there := s.Hand.Labels(t, old); !there {
		t.Error("comparing deleted it")
	}
	second := s.desired(d.Files...)
	second.LeaveAlone = true
	s.settle(t, second)
	s.Hand.Delete(t, given)
}

func testCompareForeign(t *testing.T, s *scene) {
	s.settle(t, s.desired(Platform(t, s.Ref)))
	nobodys := File(t, s.Ref, 0, "back", strings.Replace(configDoc, ", labels: $labels", "", 1))
	s.Hand.Create(t, string(nobodys.Content))
	d := target.Desired{Ref: s.Ref, Files: []blueberry.RenderedFile{Platform(t, s.Ref), File(t, s.Ref, 0, "back", configDoc, serviceDoc)}}
	got := s.compare(t, d)
	if x := of(t, got, "ConfigMap", "back"); !x.Refused || !x.Checked || !strings.Contains(x.Note, "belongs to nobody") {
		t.Errorf("got %+v, want it refused as another's", x)
	}
	if x := of(t, got, "Service", "back"); x.Refused || x.Action != blueberry.ObjectCreated {
		t.Errorf("got %+v, want it created", x)
	}
}

func testCompareDrift(t *testing.T, s *scene) {
	d := s.usual(t)
	d.LeaveAlone = true // or a place that does it by itself puts right what is about to be compared
	s.settle(t, d)
	s.settled(t, d)
	s.Driver = s.Reopen(t)
	s.settled(t, d)
	start := time.Now().Add(-time.Minute) // times of places have whole seconds, and clocks of their own
	s.Hand.Patch(t, s.object(t, "Service", "back"), `{"spec": {"ports": [{"name": "http", "port": 81, "targetPort": 8080}]}}`)
	s.Hand.Patch(t, s.object(t, "ConfigMap", "front"), `{"data": {"GREETING": "go away", "ADDED": "by another"}, "metadata": {"annotations": {"example.com/note": "mine"}}}`)
	s.Hand.Delete(t, s.object(t, "NetworkPolicy", "front"))
	want := []string{ // what others add is no drift: nobody asked for its absence
		"update Service back spec.ports[name=http].port: 81 → 80",
		"update ConfigMap front data.GREETING: go away → hello",
		"create NetworkPolicy front",
	}
	var got []blueberry.ObjectDiff
	eventually(t, "the drift is seen", func() string {
		got = s.compare(t, d)
		return cmp.Diff(want, differences(got))
	})
	o := s.observe(t)
	if service := s.object(t, "Service", "back"); !state(t, o, service).Drifted || state(t, o, s.object(t, "Service", "front")).Drifted {
		t.Errorf("what was compared and is altered since is not drifted, or more is: %+v", o.Objects)
	}
	for _, x := range []blueberry.ObjectDiff{of(t, got, "Service", "back"), of(t, got, "ConfigMap", "front")} {
		f := x.Fields[0]
		if f.Manager != "another-hand" || f.Since.Before(start) || f.Since.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s %s is by %q since %s, want another-hand since now", x.ObjectRef, f.Path, f.Manager, f.Since)
		}
	}
	d.LeaveAlone = false
	s.settle(t, d)
	s.settled(t, d)
}

// testCompareSecret: a plan and a drift report are read by people.
func testCompareSecret(t *testing.T, s *scene) {
	d := s.usual(t)
	d.LeaveAlone = true
	hidden := func(what string, diffs []blueberry.ObjectDiff) {
		t.Helper()
		x := of(t, diffs, "Secret", "back")
		text := fmt.Sprintf("%+v", x)
		for _, secret := range []string{"not-a-secret", "bm90LWEtc2VjcmV0", "c3dvcmRmaXNo"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows what is in it: %s", what, text)
			}
		}
		if len(x.Fields) == 0 {
			t.Errorf("%s shows no difference: %s", what, text)
		}
	}
	hidden("a new secret", s.compare(t, d))
	s.settle(t, d)
	s.settled(t, d)
	secret := s.object(t, "Secret", "back")
	s.Hand.Patch(t, secret, `{"stringData": {"KEY": "swordfish"}, "data": {"KEY": "c3dvcmRmaXNo"}}`)
	eventually(t, "the drift is seen", func() string {
		return blank(of(t, s.compare(t, d), "Secret", "back").Action == blueberry.ObjectUpdated, "not seen")
	})
	hidden("an altered secret", s.compare(t, d))
	pruned := target.Desired{Ref: s.Ref, Files: d.Files[:1], Prune: []blueberry.ObjectRef{secret}}
	hidden("a secret that goes", s.compare(t, pruned))
}

func testCapacity(t *testing.T, s *scene) {
	sizer, ok := s.Driver.(target.Sizer)
	if !ok {
		t.Fatal("the driver has no size")
	}
	got, err := sizer.Capacity(t.Context())
	if err != nil || got.CPU < 1000 || got.Memory < 1<<30 || got.Pods < 10 {
		t.Errorf("got %+v, %v, want a place that holds something", got, err)
	}
}
