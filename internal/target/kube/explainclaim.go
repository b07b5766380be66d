package kube

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// claimsOf finds out which claims keep a pod from a node.
func (l *look) claimsOf(ctx context.Context, s suspect, pod *unstructured.Unstructured, message string, evidence blueberry.Evidence) ([]blueberry.Cause, error) {
	if m := noClaim.FindStringSubmatch(message); m != nil {
		out := s.cause(blueberry.CauseVolumePending, blueberry.Fails, "pod %s needs claim %s, which is not there", s.ref.Name, m[1])
		out.Fix = fmt.Sprintf("add PersistentVolumeClaim %s to component %s, or correct its name there", m[1], s.component)
		out.Evidence = []blueberry.Evidence{evidence}
		return []blueberry.Cause{out}, nil
	}
	var causes []blueberry.Cause
	volumes, _, _ := unstructured.NestedFieldNoCopy(pod.Object, "spec", "volumes")
	for _, v := range objects(volumes) {
		source, _ := v["persistentVolumeClaim"].(map[string]any)
		name := text(source["claimName"])
		if v["ephemeral"] != nil {
			name = s.ref.Name + "-" + text(v["name"])
		}
		if name == "" {
			continue
		}
		claim, err := l.get(ctx, schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}, s.ref.Namespace, name)
		if err != nil {
			return causes, err
		}
		if claim == nil {
			continue
		}
		of := s
		of.ref = blueberry.ObjectRef{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: s.ref.Namespace, Name: name}
		found, err := l.claim(ctx, of, claim)
		if err != nil {
			return causes, err
		}
		causes = append(causes, found...)
	}
	if len(causes) == 0 {
		out := s.cause(blueberry.CauseVolumePending, blueberry.Waits, "the volumes of pod %s cannot be bound: %s", s.ref.Name, clip(message))
		out.Fix = fmt.Sprintf("see that the storage class of component %s offers volumes where the pod may run", s.component)
		causes = append(causes, out)
	}
	for i := range causes {
		causes[i].Evidence = append(causes[i].Evidence, evidence)
	}
	return causes, nil
}

// claim finds out why a PersistentVolumeClaim has no volume.
func (l *look) claim(ctx context.Context, s suspect, claim *unstructured.Unstructured) ([]blueberry.Cause, error) {
	phase, _, _ := unstructured.NestedString(claim.Object, "status", "phase")
	if phase == "Bound" {
		return nil, nil
	}
	class, _, _ := unstructured.NestedString(claim.Object, "spec", "storageClassName")
	size, _, _ := unstructured.NestedString(claim.Object, "spec", "resources", "requests", "storage")
	list, err := l.notes(ctx, "PersistentVolumeClaim", s.ref.Namespace, s.ref.Name, string(claim.GetUID()))
	if err != nil {
		return nil, err
	}
	out := s.cause(blueberry.CauseVolumePending, blueberry.Fails, "")
	failed, isFailed := newest(list, "", "", "ProvisioningFailed", "FailedBinding", "VolumeMismatch")
	if isFailed {
		out.Evidence = []blueberry.Evidence{failed.evidence()}
	}
	of := fmt.Sprintf("claim %s (%s)", s.ref.Name, size)
	switch {
	case phase == "Lost":
		out.Message = of + " has lost its volume"
		out.Fix = "restore the volume from a backup and make the claim anew"
		return []blueberry.Cause{out}, nil
	case class == "":
		out.Message = of + " names no storage class, the target has no default one, and no volume fits it"
		out.Fix = fmt.Sprintf("name a storage class in component %s, or make one of the target's the default", s.component)
		if out.Evidence == nil {
			out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("spec of "+s.ref.String(), "no storageClassName", time.Time{})}
		}
		return []blueberry.Cause{out}, nil
	}
	sc, err := l.get(ctx, schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "storageclasses"}, "", class)
	switch {
	case err != nil:
		return nil, err
	case sc == nil:
		out.Message = fmt.Sprintf("%s names storage class %s, which the target does not have", of, class)
		out.Fix = fmt.Sprintf("name a storage class of the target in component %s: kubectl get storageclass", s.component)
		if out.Evidence == nil {
			out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("spec of "+s.ref.String(), "storageClassName "+class, time.Time{})}
			l.open = true
		}
	case isFailed:
		out.Message = fmt.Sprintf("no volume of storage class %s can be made for %s: %s", class, of, clip(failed.message))
		out.Fix = fmt.Sprintf("mend storage class %s (provisioner %s) or its quota", class, text(sc.Object["provisioner"]))
	case sc.Object["volumeBindingMode"] == "WaitForFirstConsumer" && claim.GetAnnotations()["volume.kubernetes.io/selected-node"] == "":
		out.Severity = blueberry.Waits
		out.Message = of + " waits for the first pod that uses it"
		out.Fix = "nothing, if a pod uses it soon; else take the claim out of the component"
		out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("StorageClass "+class, "volumeBindingMode WaitForFirstConsumer", time.Time{})}
	default:
		out.Severity = blueberry.Waits
		out.Message = fmt.Sprintf("%s waits for provisioner %s of storage class %s", of, text(sc.Object["provisioner"]), class)
		out.Fix = "nothing, if it passes; else see that the provisioner runs"
		if n, ok := newest(list, "", "", "ExternalProvisioning", "Provisioning"); ok {
			out.Evidence = []blueberry.Evidence{n.evidence()}
		}
		l.open = true
	}
	return []blueberry.Cause{out}, nil
}
