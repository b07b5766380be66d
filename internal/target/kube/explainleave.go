package kube

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// remaining is one kind in what the namespace controller says: "configmaps. has 1 resource instances".
var remaining = regexp.MustCompile(`([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances`)

// namespace finds out what holds a namespace that is being deleted.
func (l *look) namespace(ctx context.Context, s suspect, u *unstructured.Unstructured) ([]blueberry.Cause, error) {
	if u.GetDeletionTimestamp() == nil {
		return nil, nil
	}
	var evidence []blueberry.Evidence
	var causes []blueberry.Cause
	for _, c := range conditions(u) {
		if c["status"] != "True" {
			continue
		}
		at, _ := time.Parse(time.RFC3339, text(c["lastTransitionTime"]))
		evidence = append(evidence, blueberry.NewEvidence(fmt.Sprintf("condition %v of namespace %s", c["type"], u.GetName()), text(c["message"]), at))
		if c["type"] != "NamespaceContentRemaining" {
			continue
		}
		for _, m := range remaining.FindAllStringSubmatch(text(c["message"]), 5) {
			found, err := l.holders(ctx, s, u.GetName(), m[1], m[2])
			if err != nil {
				return causes, err
			}
			causes = append(causes, found...)
		}
	}
	if own := u.GetFinalizers(); len(causes) == 0 && len(own) > 0 {
		out := s.cause(blueberry.CauseNamespaceGoing, blueberry.Waits, "namespace %s is being deleted, and finalizer %s of its own holds it", u.GetName(), strings.Join(own, ", "))
		out.Fix = unhold("namespace", u.GetName(), "")
		causes = append(causes, out)
	}
	if len(causes) == 0 {
		out := s.cause(blueberry.CauseNamespaceGoing, blueberry.Waits, "namespace %s is being deleted", u.GetName())
		out.Fix = "nothing, if it goes; it is made anew then"
		l.open = true
		causes = append(causes, out)
	}
	for i := range causes {
		causes[i].Evidence = append(causes[i].Evidence, evidence...)
	}
	return causes, nil
}

// holders lists the objects of a kind in a namespace that finalizers keep there, at most 10.
func (l *look) holders(ctx context.Context, s suspect, namespace, plural, group string) ([]blueberry.Cause, error) {
	r, ok := l.kinds.named(plural, group)
	if !ok {
		return nil, nil
	}
	list, err := l.metadata.Resource(r.GroupVersionResource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 100})
	if unseen(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fault(ctx, "list "+plural, err)
	}
	var out []blueberry.Cause
	for _, x := range list.Items {
		finalizers := ownFinalizers(&x)
		if len(finalizers) == 0 || len(out) == explainMost {
			continue
		}
		of := s
		of.component = either(x.Labels[blueberry.LabelComponent], s.component)
		object := blueberry.ObjectRef{APIVersion: r.kind.GroupVersion().String(), Kind: r.kind.Kind, Namespace: namespace, Name: x.Name}
		out = append(out, holding(of, object, finalizers))
	}
	return out, nil
}

// holding is an object that keeps its namespace from going.
func holding(s suspect, o blueberry.ObjectRef, finalizers []string) blueberry.Cause {
	c := s.cause(blueberry.CauseNamespaceGoing, blueberry.Waits, "namespace %s is being deleted, and finalizer %s of %s %s holds it", o.Namespace, strings.Join(finalizers, ", "), o.Kind, o.Name)
	c.Object = o
	c.Evidence = []blueberry.Evidence{blueberry.NewEvidence("metadata.finalizers of "+o.String(), strings.Join(finalizers, "\n"), time.Time{})}
	c.Fix = unhold(strings.ToLower(o.Kind), o.Name, o.Namespace)
	return c
}

func unhold(resource, name, namespace string) string {
	if namespace != "" {
		namespace = " -n " + namespace
	}
	return fmt.Sprintf(`let the controller of the finalizer do its work; if it is gone for good: kubectl patch %s %s%s --type merge -p '{"metadata":{"finalizers":null}}'`, resource, name, namespace)
}

// held is an object that is being deleted and kept by a finalizer while the environment wants it.
func (l *look) held(s suspect, u *unstructured.Unstructured) []blueberry.Cause {
	finalizers := ownFinalizers(u)
	if u.GetDeletionTimestamp() == nil && !l.leaving {
		return nil
	}
	if len(finalizers) == 0 {
		l.open = true
		return nil
	}
	if l.leaving { // the namespace's own conditions say it only after some seconds
		return []blueberry.Cause{holding(s, s.ref, finalizers)}
	}
	out := s.cause(blueberry.CauseObjectFailed, blueberry.Waits, "%s is being deleted, and finalizer %s holds it", s.short(), strings.Join(finalizers, ", "))
	out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("metadata.finalizers of "+s.ref.String(), strings.Join(finalizers, "\n"), u.GetDeletionTimestamp().UTC())}
	out.Fix = unhold(strings.ToLower(s.ref.Kind), s.ref.Name, s.ref.Namespace)
	return []blueberry.Cause{out}
}

// named finds a kind by the name of its resource among those that are known; the version that the place prefers.
func (k *kinds) named(plural, group string) (resource, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out resource
	for _, r := range k.byKind {
		if r.Resource == plural && r.Group == group && (out.Resource == "" || r.preferred) {
			out = r
		}
	}
	return out, out.Resource != ""
}

// ownFinalizers are those that Kubernetes itself does not take off.
func ownFinalizers(u metav1.Object) []string {
	return slices.DeleteFunc(slices.Clone(u.GetFinalizers()), func(f string) bool {
		return f == metav1.FinalizerDeleteDependents || f == metav1.FinalizerOrphanDependents || strings.HasPrefix(f, "kubernetes.io/") ||
			strings.HasPrefix(f, "batch.kubernetes.io/") || f == "service.kubernetes.io/load-balancer-cleanup"
	})
}
