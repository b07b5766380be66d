package kube

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// envKey names an environment by its labels.
type envKey struct{ project, environment string }

func keyOf(r target.Ref) envKey { return envKey{r.Project, r.Environment} }

// envOf reads the labels; the zero key means that none of ours are there.
func envOf(labels map[string]string) envKey {
	return envKey{labels[blueberry.LabelProject], labels[blueberry.LabelEnvironment]}
}

// record is all that is remembered of one live object.
type record struct {
	kind      *kind
	name      name
	env       envKey
	component string
	version   uint64  // of the API: a higher one is newer
	owned     uint64  // which fields we own: another hand that alters one takes it from us
	left      *exempt // fields that owned does not look at
	deleting  bool
	finalized bool // a finalizer of others keeps it when it is deleted
	health    blueberry.Health
	message   string
	warning   string // what should be known of it although it is current
	part      part
	sum       uint64 // of all above but version and left: two records of one sum are the same to us
}

func (r *record) ref() blueberry.ObjectRef {
	return blueberry.ObjectRef{APIVersion: r.kind.apiVersion, Kind: r.kind.gvk.Kind, Namespace: r.name.namespace, Name: r.name.name}
}

type name struct{ namespace, name string }

// part is what an object adds to the workload of its component.
type part struct {
	wanted    int32  // pods
	pod       bool   // it is a pod that counts
	scheduled bool   //
	started   bool   //
	ready     bool   // pod: passes its probes; slice: has an endpoint that does
	service   bool   // a Service that should have endpoints
	slice     string // EndpointSlice: its Service
	failure   blueberry.Failure
}

// summarize reads a live object. It is called for every change in the place, and its result is kept.
func summarize(seed maphash.Seed, k *kind, u *unstructured.Unstructured, left *exempt) *record {
	labels := u.GetLabels()
	r := &record{
		kind: k, name: name{u.GetNamespace(), u.GetName()}, env: envOf(labels), component: labels[blueberry.LabelComponent],
		version: versionOf(u), owned: owned(seed, u, left), left: left, deleting: u.GetDeletionTimestamp() != nil,
	}
	r.finalized = len(ownFinalizers(u)) > 0
	r.health, r.message = health(u)
	if r.health == blueberry.HealthCurrent {
		r.warning = warning(u)
	}
	r.part = partOf(u, r.deleting)
	r.sum = r.digest(seed)
	return r
}

// versionOf compares resource versions as numbers, which Kubernetes promises since 1.35 and etcd always gave.
func versionOf(u *unstructured.Unstructured) uint64 {
	v, _ := strconv.ParseUint(u.GetResourceVersion(), 10, 64)
	return v
}

func (r *record) digest(seed maphash.Seed) uint64 {
	return maphash.String(seed, fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%d\x00%t\x00%t\x00%s\x00%s\x00%s\x00%+v",
		r.kind.apiVersion, r.kind.gvk.Kind, r.name, r.component, r.owned, r.deleting, r.finalized, r.health, r.message, r.warning, r.part))
}

// content is a fingerprint of what an object says, without what the API and controllers note on it.
func content(seed maphash.Seed, u *unstructured.Unstructured) uint64 {
	c := make(map[string]any, len(u.Object))
	for k, v := range u.Object {
		if k != "status" {
			c[k] = v
		}
	}
	if m, ok := c["metadata"].(map[string]any); ok {
		meta := make(map[string]any, len(m))
		for k, v := range m {
			switch k {
			case "managedFields", "resourceVersion", "generation":
			default:
				meta[k] = v
			}
		}
		c["metadata"] = meta
	}
	js, err := json.Marshal(c)
	if err != nil {
		return 0
	}
	return maphash.Bytes(seed, js)
}

// health is kstatus, but for a Job that runs: for the waves after it, it is not there yet.
func health(u *unstructured.Unstructured) (blueberry.Health, string) {
	res, err := status.Compute(u)
	if err != nil {
		return blueberry.HealthUnknown, err.Error()
	}
	if isRollout(u) && res.Status == status.CurrentStatus {
		return rolloutHealth(u)
	}
	switch res.Status {
	case status.CurrentStatus:
		if u.GetKind() == "Job" && u.GroupVersionKind().Group == "batch" && !hasCondition(u, "Complete") && !suspended(u) {
			return blueberry.HealthInProgress, res.Message
		}
		return blueberry.HealthCurrent, ""
	case status.InProgressStatus:
		return blueberry.HealthInProgress, res.Message
	case status.TerminatingStatus:
		return blueberry.HealthInProgress, "is being deleted"
	case status.FailedStatus:
		return blueberry.HealthFailed, res.Message
	case status.NotFoundStatus:
		return blueberry.HealthMissing, res.Message
	}
	return blueberry.HealthUnknown, res.Message
}

func suspended(u *unstructured.Unstructured) bool {
	s, _, _ := unstructured.NestedBool(u.Object, "spec", "suspend")
	return s
}

// conditions gives the status conditions of an object.
func conditions(u *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "conditions")
	return objects(list)
}

func hasCondition(u *unstructured.Unstructured, kind string) bool {
	for _, c := range conditions(u) {
		if c["type"] == kind && c["status"] == "True" {
			return true
		}
	}
	return false
}

// objects gives the maps of a list.
func objects(list any) []map[string]any {
	entries, _ := list.([]any)
	out := make([]map[string]any, 0, len(entries))
	for _, x := range entries {
		if m, ok := x.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
