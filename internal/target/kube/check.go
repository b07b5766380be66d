package kube

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CheckAll implements target.Checker: that the place answers, that it knows our credential, each right (by asking the API whether it would let us) and each
// definition that is not of Kubernetes itself. When the credential is not accepted, there is nothing more to ask.
func (d *Driver) CheckAll(ctx context.Context) ([]blueberry.TargetCheck, error) {
	reach := blueberry.TargetCheck{Name: "reach", OK: true}
	err := d.Check(ctx)
	own := new(blueberry.Error)
	switch {
	case errors.As(err, &own) && own.Code == blueberry.CodeTargetUnauthorized:
		return []blueberry.TargetCheck{reach, {Name: "credential", Message: d.unaccepted()}}, nil
	case err != nil:
		return nil, err
	}
	version, err := d.checkVersion(ctx)
	if err != nil {
		return nil, err
	}
	user, err := d.user(ctx)
	if err != nil {
		return nil, err
	}
	out := []blueberry.TargetCheck{reach, version, {Name: "credential", OK: true, Message: d.accepted(user)}}
	wanted := rights()
	served, broken, err := d.resources(ctx)
	if err != nil {
		return nil, err
	}
	groups := blueberry.TargetCheck{Name: "groups", OK: len(broken) == 0}
	if !groups.OK {
		groups.Message = "does not answer: " + strings.Join(broken, ", ") + "; no removal can be proven until it does (kubectl get apiservices shows why)"
	}
	out = append(out, groups)
	for _, def := range definitions() {
		c := blueberry.TargetCheck{Name: def.name(), OK: has(served, def), Optional: true}
		if c.OK {
			wanted = append(wanted, def.rights()...)
		} else {
			c.Message = "is not there: " + def.without
		}
		out = append(out, c)
	}
	checks, err := d.checkRights(ctx, wanted, user)
	return append(out, checks...), err
}

func has(served []resource, def definition) bool {
	for _, r := range served {
		if r.Group == def.group && r.Resource == def.resource {
			return true
		}
	}
	return false
}

// checkVersion tells which Kubernetes it is.
func (d *Driver) checkVersion(ctx context.Context) (blueberry.TargetCheck, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	js, err := d.discovery.RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return blueberry.TargetCheck{}, fault(ctx, "ask the target for its version", err)
	}
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(js, &v); err != nil || v.GitVersion == "" {
		return blueberry.TargetCheck{Name: "version", Message: "does not say which Kubernetes it is; is it an API server?"}, nil
	}
	return blueberry.TargetCheck{Name: "version", OK: true, Message: "Kubernetes " + v.GitVersion}, nil
}

// user asks the API whom it takes us for; empty when it does not tell.
func (d *Driver) user(ctx context.Context) (string, error) {
	answer, err := d.review(ctx, "authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", nil)
	if err != nil {
		if errors.Is(err, blueberry.Unavailable) {
			return "", err
		}
		return "", nil // before Kubernetes 1.28, or not allowed to ask
	}
	name, _, _ := unstructured.NestedString(answer.Object, "status", "userInfo", "username")
	return name, nil
}

// review has the API look at us.
func (d *Driver) review(ctx context.Context, group, resource, kind string, spec map[string]any) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": group + "/v1", "kind": kind}}
	if spec != nil {
		u.Object["spec"] = spec
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := d.dynamic.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource}).Create(ctx, u, metav1.CreateOptions{})
	return answer, fault(ctx, "ask the target what it lets us do", err)
}

// checkRights asks for each right, some at a time.
func (d *Driver) checkRights(ctx context.Context, wanted []right, user string) ([]blueberry.TargetCheck, error) {
	out := make([]blueberry.TargetCheck, len(wanted))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, r := range wanted {
		g.Go(func() error {
			var missing []string
			for _, verb := range r.verbs {
				ok, err := d.allowed(gctx, r, verb)
				if err != nil {
					return err
				}
				if !ok {
					missing = append(missing, verb)
				}
			}
			out[i] = blueberry.TargetCheck{Name: r.name(), OK: len(missing) == 0, Optional: r.optional}
			if len(missing) > 0 {
				out[i].Message = fmt.Sprintf("lacks the right to %s %s in all of the cluster: %s", strings.Join(missing, ", "), r.resource, r.without)
				out[i].Manifest = grant(r, user)
			}
			return nil
		})
	}
	return out, g.Wait()
}

func (d *Driver) allowed(ctx context.Context, r right, verb string) (bool, error) {
	resource, sub, _ := strings.Cut(r.resource, "/")
	answer, err := d.review(ctx, "authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", map[string]any{
		"resourceAttributes": map[string]any{"group": r.group, "resource": resource, "subresource": sub, "verb": verb},
	})
	if err != nil {
		return false, err
	}
	ok, _, _ := unstructured.NestedBool(answer.Object, "status", "allowed")
	return ok, nil
}

// accepted says who we are, and until when as far as that is known.
func (d *Driver) accepted(user string) string {
	said := "is accepted"
	if user != "" {
		said += " as " + user
	}
	if end := d.expiry(); !end.IsZero() {
		said += ", until " + end.Format(time.RFC3339)
	}
	return said
}

// unaccepted says why we are nobody.
func (d *Driver) unaccepted() string {
	const way = "give the target a new kubeconfig"
	if end := d.expiry(); !end.IsZero() && end.Before(time.Now()) {
		return fmt.Sprintf("has ended on %s: %s", end.Format(time.RFC3339), way)
	}
	return "is not accepted (401): it has ended, was taken back, or is of another cluster; " + way
}

// expiry is when our credential ends, as it says itself; zero when it does not.
func (d *Driver) expiry() time.Time {
	if block, _ := pem.Decode(d.config.CertData); block != nil {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			return cert.NotAfter.UTC()
		}
	}
	parts := strings.Split(d.config.BearerToken, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	js, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp int64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(js, &claims) != nil || claims.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(claims.Exp, 0).UTC()
}

// grant is the manifest that gives a right to a user, as the API names them.
func grant(r right, user string) string {
	subject := fmt.Sprintf("{kind: User, name: %s, apiGroup: rbac.authorization.k8s.io}", quoted(cmp.Or(user, "the-user-of-the-credential")))
	if rest, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		if namespace, name, ok := strings.Cut(rest, ":"); ok {
			subject = fmt.Sprintf("{kind: ServiceAccount, namespace: %s, name: %s}", quoted(namespace), quoted(name))
		}
	}
	return fmt.Sprintf(`apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: %[1]s}
rules: [{apiGroups: [%[2]s], resources: [%[3]s], verbs: [%[4]s]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %[5]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %[1]s}
subjects: [%[6]s]
`, quoted(r.slug()), quoted(r.group), quoted(r.resource), strings.Join(r.verbs, ", "), quoted(bindingName(r, user)), subject)
}

// bindingName differs by user, so that two Blueberries on one cluster do not take each other's rights.
func bindingName(r right, user string) string {
	name := strings.Map(func(c rune) rune { // what a name in a path may not have
		if c == '/' || c == '%' || c <= ' ' || c > '~' {
			return '-'
		}
		return c
	}, strings.TrimPrefix(user, "system:serviceaccount:"))
	return strings.TrimSuffix(r.slug()+":"+name, ":")
}

// quoted is a text as YAML takes it, whatever is in it.
func quoted(s string) string {
	js, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(js)
}
