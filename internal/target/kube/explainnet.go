package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// service finds out why a Service has no endpoint although the pods of its component are ready.
func (l *look) service(ctx context.Context, s suspect, u *unstructured.Unstructured) ([]blueberry.Cause, error) {
	selector, _, _ := unstructured.NestedStringMap(u.Object, "spec", "selector")
	if len(selector) == 0 {
		return nil, nil
	}
	selects := labels.SelectorFromSet(selector).String()
	pods, err := l.list(ctx, schema.GroupVersionResource{Version: "v1", Resource: "pods"}, s.ref.Namespace, metav1.ListOptions{LabelSelector: selects, Limit: 20})
	if err != nil {
		return nil, err
	}
	out := s.cause(blueberry.CauseNoEndpoints, blueberry.Fails, "Service %s has no endpoint: it selects %s, and no pod of the namespace has these labels", s.ref.Name, selects)
	out.Fix = fmt.Sprintf("make the selector of Service %s in component %s match the labels of its pods", s.ref.Name, s.component)
	out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("spec.selector of "+s.ref.String(), selects, time.Time{})}
	if len(pods) == 0 {
		return []blueberry.Cause{out}, nil
	}
	ready := slices.DeleteFunc(slices.Clone(pods), func(p unstructured.Unstructured) bool { return !hasCondition(&p, "Ready") })
	if len(ready) == 0 {
		out.Severity = blueberry.Waits
		out.Message = fmt.Sprintf("Service %s has no endpoint: none of the %d pods that it selects is ready", s.ref.Name, len(pods))
		out.Fix = "find why these pods are not ready: blueberry env why NAME"
		l.open = true
		return []blueberry.Cause{out}, nil
	}
	if port := unnamedPort(u, ready); port != "" {
		out.Message = fmt.Sprintf("Service %s has no endpoint: it leads to a port named %s, and no container of its pods has one", s.ref.Name, port)
		out.Fix = fmt.Sprintf("name the container's port %s in component %s, or let targetPort be its number", port, s.component)
		out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("spec.ports of "+s.ref.String(), "targetPort: "+port, time.Time{})}
		return []blueberry.Cause{out}, nil
	}
	l.open = true // the endpoints follow in a moment
	return nil, nil
}

// unnamedPort is a port that a Service leads to by a name which no container of the pods has.
func unnamedPort(service *unstructured.Unstructured, pods []unstructured.Unstructured) string {
	named := map[string]bool{}
	for _, p := range pods {
		list, _, _ := unstructured.NestedFieldNoCopy(p.Object, "spec", "containers")
		for _, c := range objects(list) {
			for _, port := range objects(c["ports"]) {
				named[text(port["name"])] = true
			}
		}
	}
	list, _, _ := unstructured.NestedFieldNoCopy(service.Object, "spec", "ports")
	for _, port := range objects(list) {
		if name := text(port["targetPort"]); name != "" && !named[name] {
			return name
		}
	}
	return ""
}

// warned finds out more of an object that has a warning.
func (l *look) warned(ctx context.Context, s suspect, u *unstructured.Unstructured) ([]blueberry.Cause, error) {
	out := s.cause(blueberry.CauseIngressAddress, blueberry.Warns, "%s: %s", s.short(), clip(s.warning))
	out.Evidence = []blueberry.Evidence{blueberry.NewEvidence("status of "+s.ref.String(), s.warning, time.Time{})}
	switch s.ref.Kind {
	case "Service":
		out.Fix = "nothing, if it passes; else the target needs a load balancer controller, or the Service another type"
		return []blueberry.Cause{out}, nil
	case "Ingress":
		return l.ingress(ctx, s, u, out)
	}
	out.Fix = fmt.Sprintf("see that the Gateway which %s names is there and accepts routes of namespace %s", s.short(), s.ref.Namespace)
	if strings.HasPrefix(s.warning, "no gateway") {
		out.Code = blueberry.CauseIngressClass
	}
	return []blueberry.Cause{out}, nil
}

// ingress finds out whether the class of an Ingress is at fault.
func (l *look) ingress(ctx context.Context, s suspect, u *unstructured.Unstructured, out blueberry.Cause) ([]blueberry.Cause, error) {
	classes, err := l.list(ctx, schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingressclasses"}, "", metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range classes {
		names = append(names, c.GetName())
	}
	slices.Sort(names)
	have := "the target has none"
	if len(names) > 0 {
		have = "the target has " + strings.Join(names, ", ")
	}
	class := ingressClass(u)
	out.Evidence = append(out.Evidence, blueberry.NewEvidence("ingress classes", have, time.Time{}))
	switch {
	case class == "":
		out.Code = blueberry.CauseIngressClass
		out.Message = fmt.Sprintf("Ingress %s names no ingress class and the target has no default one, so no controller serves it; %s", s.ref.Name, have)
		out.Fix = fmt.Sprintf("set ingress.className of component %s, or make a class of the target the default", s.component)
	case !slices.Contains(names, class):
		out.Code = blueberry.CauseIngressClass
		out.Message = fmt.Sprintf("Ingress %s names ingress class %s, which is not there: %s", s.ref.Name, class, have)
		out.Fix = fmt.Sprintf("correct ingress.className of component %s, or install the controller of class %s", s.component, class)
	default:
		out.Message = fmt.Sprintf("Ingress %s of class %s has no address: its controller has not given it one", s.ref.Name, class)
		out.Fix = fmt.Sprintf("see that the controller of ingress class %s runs and has an address itself; some never write one, and then nothing is wrong", class)
	}
	out.Step = out.Code.Step()
	return []blueberry.Cause{out}, nil
}

// kindsKept is how long it holds that the place has no cert-manager.
const kindsKept = 10 * time.Minute

// followCertificates watches the certificates of cert-manager where it is there: they are made for Ingresses, and no rendering names them.
func (d *Driver) followCertificates(ctx context.Context) {
	gvk := schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}
	d.seen.mu.Lock()
	asked := time.Since(d.seen.kindsAsked) < kindsKept
	if !asked {
		d.seen.kindsAsked = time.Now()
	}
	d.seen.mu.Unlock()
	if asked {
		return
	}
	if r, ok, err := d.resource(ctx, gvk); err == nil && ok {
		d.follow(r, false)
	}
}

// certificate finds out what a Certificate waits for, down to the challenge of its order.
func (l *look) certificate(ctx context.Context, s suspect, u *unstructured.Unstructured) ([]blueberry.Cause, error) {
	hosts, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "dnsNames")
	out := s.cause(blueberry.CauseCertificate, blueberry.Waits, "")
	reason := ""
	for _, c := range conditions(u) {
		if c["type"] == "Ready" || c["type"] == "Issuing" && c["status"] == "False" {
			at, _ := time.Parse(time.RFC3339, text(c["lastTransitionTime"]))
			out.Evidence = append(out.Evidence, blueberry.NewEvidence(fmt.Sprintf("condition %v of %s", c["type"], s.ref), text(c["reason"])+": "+text(c["message"]), at))
			if c["type"] == "Issuing" {
				out.Severity = blueberry.Fails // cert-manager tries again in an hour
			}
			reason = either(reason, text(c["message"]))
		}
	}
	owners := map[string]bool{string(u.GetUID()): true}
	for _, step := range []schema.GroupVersionResource{
		{Group: "cert-manager.io", Version: "v1", Resource: "certificaterequests"},
		{Group: "acme.cert-manager.io", Version: "v1", Resource: "orders"},
		{Group: "acme.cert-manager.io", Version: "v1", Resource: "challenges"},
	} {
		list, err := l.list(ctx, step, s.ref.Namespace, metav1.ListOptions{Limit: 200})
		if err != nil {
			return nil, err
		}
		below := map[string]bool{}
		for _, x := range list {
			if !slices.ContainsFunc(x.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return owners[string(o.UID)] }) {
				continue
			}
			below[string(x.GetUID())] = true
			if said := certificateStep(&x); said != "" {
				reason = said
				out.Evidence = append(out.Evidence, blueberry.NewEvidence("status of "+x.GetKind()+" "+x.GetName(), said, time.Time{}))
			}
		}
		if owners = below; len(below) == 0 {
			break
		}
	}
	out.Message = fmt.Sprintf("the certificate %s for %s is not issued: %s", s.ref.Name, strings.Join(hosts, ", "), clip(reason))
	out.Fix = "mend what the reason names: the issuer, its account, or the DNS record that the challenge is asked by"
	return []blueberry.Cause{out}, nil
}

// certificateStep is why a request, an order or a challenge of cert-manager is not done; empty when it is, or does not say.
func certificateStep(u *unstructured.Unstructured) string {
	status, _ := u.Object["status"].(map[string]any)
	if state := text(status["state"]); state != "" {
		if state == "valid" || state == "ready" {
			return ""
		}
		return strings.TrimSuffix(state+": "+text(status["reason"]), ": ")
	}
	for _, c := range conditions(u) {
		if c["type"] == "Ready" && c["status"] != "True" {
			return text(c["message"])
		}
	}
	return ""
}
