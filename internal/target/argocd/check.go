package argocd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// CheckAll implements target.Checker: what the kube driver needs of the destination cluster, and what we need of Argo CD.
func (d *Driver) CheckAll(ctx context.Context) ([]blueberry.TargetCheck, error) {
	out, err := d.Driver.CheckAll(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.argo.Check(ctx); err != nil {
		return nil, argoAway(err)
	}
	rights, lacks, err := d.checkRights(ctx)
	if err != nil {
		return nil, err
	}
	out = append(out, rights...)
	if lacks {
		return out, nil
	}
	trusted := blueberry.TargetCheck{Name: "argocd root application", OK: true}
	var e *blueberry.Error
	switch err := d.prepare(ctx); {
	case errors.As(err, &e):
		trusted.OK, trusted.Message = false, e.Detail
		return append(out, trusted), nil
	case err != nil:
		return nil, err
	}
	root, err := d.apps.get(ctx, d.config.rootName())
	if err != nil {
		return nil, err
	}
	out = append(out, trusted, d.checkRoot(root))
	health, err := d.checkHealth(ctx)
	return append(out, health...), err
}

// right is what we must be allowed to do in Argo CD's namespace.
type right struct{ group, resource, verb string }

func (d *Driver) rights() []right {
	var out []right
	for _, verb := range []string{"get", "list", "watch", "create", "patch", "delete"} {
		out = append(out, right{"argoproj.io", "applications", verb})
	}
	for _, verb := range []string{"get", "create", "patch", "delete"} {
		out = append(out, right{"argoproj.io", "appprojects", verb})
	}
	if d.config.Username != "" || d.config.Password != "" {
		out = append(out, right{"", "secrets", "create"}, right{"", "secrets", "patch"})
	}
	return out
}

// checkRights asks the API of Argo CD's cluster for each right.
func (d *Driver) checkRights(ctx context.Context) (out []blueberry.TargetCheck, lacks bool, err error) {
	for _, r := range d.rights() {
		review := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
			"spec": map[string]any{"resourceAttributes": map[string]any{"group": r.group, "resource": r.resource, "verb": r.verb, "namespace": d.config.Namespace}},
		}}
		cctx, cancel := context.WithTimeout(ctx, callTimeout)
		kind := schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectaccessreviews"}
		live, err := d.client.Resource(kind).Create(cctx, review, metav1.CreateOptions{})
		cancel()
		if err != nil {
			return nil, false, argoFault(ctx, "ask for a right", err)
		}
		allowed, _, _ := unstructured.NestedBool(live.Object, "status", "allowed")
		c := blueberry.TargetCheck{Name: fmt.Sprintf("argocd %s %s", r.verb, r.resource), OK: allowed}
		if !allowed {
			lacks = true
			c.Message = fmt.Sprintf("the credential of Argo CD's cluster may not %s %s in namespace %s: no environment can be made", r.verb, r.resource, d.config.Namespace)
			c.Manifest = d.grant()
		}
		out = append(out, c)
	}
	return out, lacks, nil
}

// grant is the Role that holds every right we need where Argo CD is.
func (d *Driver) grant() string {
	by := map[string][]any{}
	var order []string
	for _, r := range d.rights() {
		key := r.group + "/" + r.resource
		if by[key] == nil {
			order = append(order, key)
		}
		by[key] = append(by[key], r.verb)
	}
	var rules []any
	for _, key := range order {
		group, resource, _ := strings.Cut(key, "/")
		rules = append(rules, map[string]any{"apiGroups": []any{group}, "resources": []any{resource}, "verbs": by[key]})
	}
	out, err := yaml.Marshal(map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": map[string]any{"name": "blueberry", "namespace": d.config.Namespace}, "rules": rules,
	})
	if err != nil {
		return ""
	}
	return string(out)
}

// checkRoot tells whether Argo CD reads the repository, as far as the root Application shows.
func (d *Driver) checkRoot(root *application) blueberry.TargetCheck {
	c := blueberry.TargetCheck{Name: "argocd reads the repository", OK: true}
	if root == nil {
		return c // it was made a moment ago
	}
	if err := d.silent(view{application: root}); err != nil {
		c.OK, c.Message = false, detail(err)
		return c
	}
	for _, x := range root.conditions {
		if x.kind != "ComparisonError" && x.kind != "InvalidSpecError" || strings.Contains(x.message, "app path does not exist") {
			continue // there is no environment yet
		}
		if (strings.Contains(x.message, "nable to resolve") || strings.Contains(x.message, "repository is empty")) && d.apps.alone() {
			continue // not even a commit
		}
		if err := trouble(x.message); err != nil {
			c.OK, c.Message = false, detail(err)
		}
	}
	return c
}

func detail(err error) string {
	var e *blueberry.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

// gates are kinds that Argo CD does not find healthy where nothing serves them, so that the wave after them never comes. Argo CD can be told otherwise.
func gates() []struct{ name, key, why string } {
	return []struct{ name, key, why string }{
		{"argocd health of Ingress", "resource.customizations.health.networking.k8s.io_Ingress", "Argo CD waits for an address of each Ingress before it applies the next wave; where no ingress controller writes one, it waits for ever"},
		{"argocd health of HorizontalPodAutoscaler", "resource.customizations.health.autoscaling_HorizontalPodAutoscaler", "Argo CD fails a wave whose autoscaler has no metrics yet"},
	}
}

// checkHealth looks at how Argo CD judges the objects that waves would wait for.
func (d *Driver) checkHealth(ctx context.Context) ([]blueberry.TargetCheck, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(d.config.Namespace).Get(ctx, "argocd-cm", metav1.GetOptions{})
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil, nil // not ours to see
	}
	if err != nil {
		return nil, argoFault(ctx, "read the settings of Argo CD", err)
	}
	data, _, _ := unstructured.NestedStringMap(live.Object, "data")
	var out []blueberry.TargetCheck
	for _, g := range gates() {
		c := blueberry.TargetCheck{Name: g.name, OK: data[g.key] != "", Optional: true}
		if !c.OK {
			c.Message = g.why + "; add the rule to ConfigMap argocd-cm"
			c.Manifest = fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: %s}\ndata:\n  %s: |\n    return {status = \"Healthy\"}\n", d.config.Namespace, g.key)
		}
		out = append(out, c)
	}
	return out, nil
}

// Leftovers implements target.Holdup: an Application is looked at where Argo CD is.
func (d *Driver) Leftovers(ctx context.Context, ref target.Ref, left []blueberry.ObjectRef) ([]blueberry.Leftover, error) {
	var here, there []blueberry.ObjectRef
	for _, o := range left {
		if o == d.config.objectRef(d.config.applicationName(ref)) {
			there = append(there, o)
		} else {
			here = append(here, o)
		}
	}
	out, err := d.Driver.Leftovers(ctx, ref, here)
	if err != nil || len(there) == 0 {
		return out, err
	}
	more, err := d.argo.Leftovers(ctx, ref, there)
	return append(out, more...), err
}
