package kube

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// An object that cannot be tried in its own place, because its namespace is not there yet or the object it takes over from still is, is tried as another
// of its sort that stands in for it: under a name that nobody has.

// elsewhere is the namespace of stand-ins for objects whose own is not there. Every Kubernetes has it.
const elsewhere = "default"

// standIn has the API try to make an object in a namespace under a name of its own, and gives the answer as if it were the object's.
func standIn(ctx context.Context, client dynamic.ResourceInterface, m manifest, namespace string) (*unstructured.Unstructured, error) {
	body := m.object.DeepCopy()
	name := standInName(m.ref.Name)
	body.SetName(name)
	body.SetNamespace(namespace)
	answer, err := dryRun(ctx, client, body, false)
	if err != nil {
		return nil, asOf(err, name, m.ref.Name)
	}
	rename(answer.Object, name, m.ref.Name, string(answer.GetUID()))
	answer.SetNamespace(m.ref.Namespace)
	return answer, nil
}

// standInName makes a name that nobody has, and that is as good or as bad as the object's: its end and, where it may be too long, its length stay.
func standInName(name string) string {
	const digits = "abcdefghijklmnopqrstuvwxyz0123456789"
	free := make([]byte, 10)
	for i := range free {
		free[i] = digits[rand.IntN(len(digits))]
	}
	switch {
	case name == "":
		return ""
	case len(name) > 40: // the shortest limit of a kind is 52
		return name[:1] + string(free) + name[1+len(free):]
	}
	return name[:1] + string(free) + name[1:]
}

// rename puts the object's name where the API wrote the stand-in's, and takes out what holds the stand-in's identity (the labels of a Job's pods).
func rename(node any, from, to, uid string) any {
	switch node := node.(type) {
	case map[string]any:
		for k, v := range node {
			if v == uid {
				delete(node, k)
			} else {
				node[k] = rename(v, from, to, uid)
			}
		}
	case []any:
		for i, v := range node {
			node[i] = rename(v, from, to, uid)
		}
	case string:
		if node == from {
			return to
		}
	}
	return node
}

// asOf gives an error of the API with the object's name where the API wrote the stand-in's.
func asOf(err error, from, to string) error {
	was := new(apierrors.StatusError)
	if !errors.As(err, &was) {
		return err
	}
	is := &apierrors.StatusError{ErrStatus: *was.ErrStatus.DeepCopy()}
	is.ErrStatus.Message = strings.ReplaceAll(is.ErrStatus.Message, from, to)
	if d := is.ErrStatus.Details; d != nil {
		for i := range d.Causes {
			d.Causes[i].Message = strings.ReplaceAll(d.Causes[i].Message, from, to)
		}
	}
	return is
}

// compareUnmade tries an object whose namespace is not there yet. What is refused for good elsewhere would be at home.
func (d *Driver) compareUnmade(ctx context.Context, s subject, out *blueberry.ObjectDiff) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := standIn(ctx, d.dynamic.Resource(s.GroupVersionResource).Namespace(elsewhere), s.manifest, elsewhere)
	switch {
	case err == nil:
		out.Checked, out.Fields = true, target.Diff(nil, unallotted(answer, s.object))
		return nil
	case unreachable(err) != "":
		return fault(ctx, "try to make "+s.ref.String(), err)
	case (apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || refusedSchema(err)) && !noDryRun(err) && !byRule(err):
		out.Checked, out.Refused, out.Note = true, true, note(s.ref, refusal(s.ref, err))
		return nil
	}
	out.Note = "its namespace is not there yet, and it could not be tried in another: " + err.Error()
	return nil
}

// makesAnew reports whether Sync gets past a refused apply: it replaces a Job, and takes over what other hands wrote.
func (d *Driver) makesAnew(live *unstructured.Unstructured, err error) bool {
	switch {
	case !apierrors.IsInvalid(err):
		return false
	case strings.Contains(err.Error(), "immutable"):
		return isJob(live) && immutable(err)
	}
	return len(handsOn(live)) > 0
}

func isJob(u *unstructured.Unstructured) bool {
	gvk := u.GroupVersionKind()
	return gvk.Kind == "Job" && gvk.Group == "batch"
}

// compareAnew compares with the object as it would be if it were made now: of what differs only that counts which the manifest says or another hand wrote.
func (d *Driver) compareAnew(ctx context.Context, client dynamic.ResourceInterface, s subject, live *unstructured.Unstructured, refused error, out *blueberry.ObjectDiff) error {
	answer, err := standIn(ctx, client, s.manifest, s.ref.Namespace)
	if err != nil {
		return d.compareFailed(ctx, s.ref, err, out)
	}
	out.Checked = true
	if immutable(refused) {
		out.Note = "cannot be changed, so it is deleted and made anew"
	}
	s.left.overlook(answer, live)
	hands := handsOn(live)
	for _, f := range owners(live, target.Diff(live.Object, answer.Object)) {
		keys, _ := blueberry.SplitPath(f.Path)
		if _, said := target.Field(s.object.Object, keys); said || hands.Has(f.Manager) {
			out.Fields = append(out.Fields, f)
		}
	}
	return nil
}

// unallotted takes out of an object that is not there yet what the place allots to it: another try would get another.
func unallotted(answer, manifest *unstructured.Unstructured) map[string]any {
	spec, _ := answer.Object["spec"].(map[string]any)
	said, _ := manifest.Object["spec"].(map[string]any)
	if answer.GetKind() != "Service" || answer.GetAPIVersion() != "v1" || spec == nil {
		return answer.Object
	}
	if said["clusterIP"] == nil {
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
	}
	if said["healthCheckNodePort"] == nil {
		delete(spec, "healthCheckNodePort")
	}
	ports := objects(said["ports"])
	for i, p := range objects(spec["ports"]) {
		if i >= len(ports) || ports[i]["nodePort"] == nil {
			delete(p, "nodePort")
		}
	}
	return answer.Object
}

// byRule reports that an admission rule of the installation said no. Most look at the namespace.
func byRule(err error) bool {
	return strings.Contains(err.Error(), "denied request") || strings.Contains(err.Error(), "denied the request")
}

// noDryRun reports that an admission webhook cannot be tried.
func noDryRun(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}
