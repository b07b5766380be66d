package argocd

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	conflicts "k8s.io/client-go/util/retry"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
)

// fieldManager is the name under which the API notes what we own of Argo CD's objects.
const fieldManager = "blueberry"

// readiness says whether what all Applications need was made by this process.
type readiness struct {
	mu   sync.Mutex
	done bool
}

// prepare makes what all Applications of the target need: the credential of the repository, the root Application and its project. What was made once is
// made again when the root Application is not there any more.
func (d *Driver) prepare(ctx context.Context) error {
	root, err := d.apps.get(ctx, d.config.rootName())
	if err != nil {
		return err
	}
	d.ready.mu.Lock()
	defer d.ready.mu.Unlock()
	if d.ready.done && root != nil {
		return nil
	}
	if d.config.Username != "" || d.config.Password != "" {
		if _, err := d.apply(ctx, schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, d.config.credential()); err != nil {
			return err
		}
	}
	if _, err := d.apply(ctx, projectKind(), d.config.rootProject()); err != nil {
		return err
	}
	live, err := d.apply(ctx, applicationKind(), d.config.rootApplication())
	if err != nil {
		return err
	}
	d.apps.put(live)
	d.ready.done = true
	return nil
}

// credential is the repository as Argo CD reads it. Two targets of one repository share it.
func (c Config) credential() *unstructured.Unstructured {
	sum := sha256.Sum256([]byte(c.Repository))
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret"}}
	u.SetNamespace(c.Namespace)
	u.SetName("blueberry-repository-" + hex.EncodeToString(sum[:5]))
	u.SetLabels(map[string]string{secretType: "repository"})
	data := map[string]any{}
	for key, value := range map[string]string{"type": "git", "url": c.Repository, "username": c.Username, "password": c.Password} {
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	u.Object["data"] = data
	return u
}

// rootProject lets the root Application make Applications where Argo CD is, and nothing else.
func (c Config) rootProject() *unstructured.Unstructured {
	u := c.object("AppProject", c.rootName())
	u.Object["spec"] = map[string]any{
		"description":                "The Applications of Blueberry's target " + c.Target,
		"sourceRepos":                []any{c.Repository},
		"destinations":               []any{map[string]any{"server": rootDestination, "namespace": c.Namespace}},
		"clusterResourceWhitelist":   []any{},
		"namespaceResourceWhitelist": []any{map[string]any{"group": "argoproj.io", "kind": "Application"}},
	}
	return u
}

// projects is what this process knows the AppProjects to allow: kinds without a namespace, by project.
type projects struct {
	mu sync.Mutex
	of map[string][]schema.GroupKind
}

// prepareProject lets the project's Applications make what the environment needs: anything in the project's namespaces, and the kinds of its manifests
// outside of any. What was allowed to another environment stays.
func (d *Driver) prepareProject(ctx context.Context, want target.Desired) error {
	kinds, err := d.ClusterKinds(ctx, want)
	if err != nil {
		return err
	}
	if ns := (schema.GroupKind{Kind: "Namespace"}); !slices.Contains(kinds, ns) {
		kinds = append(kinds, ns)
	}
	p := &d.projects
	p.mu.Lock()
	defer p.mu.Unlock()
	lacks := func(known []schema.GroupKind) bool {
		return slices.ContainsFunc(kinds, func(k schema.GroupKind) bool { return !slices.Contains(known, k) })
	}
	if !lacks(p.of[want.Project]) {
		return nil
	}
	// Another server may allow something at the same time: what it has written since we read is read again.
	err = conflicts.OnError(others, outrun, func() error {
		allowed, version, err := d.allowed(ctx, want.Project)
		if err != nil {
			return err
		}
		for _, k := range allowed {
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		slices.SortFunc(kinds, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
		return d.allow(ctx, d.config.appProject(want.Project, kinds), version)
	})
	if err != nil {
		return err
	}
	if p.of == nil {
		p.of = map[string][]schema.GroupKind{}
	}
	p.of[want.Project] = kinds
	return nil
}

// allowed reads which kinds the project's AppProject allows now, and at which version of it; version "" is none.
func (d *Driver) allowed(ctx context.Context, project string) (kinds []schema.GroupKind, version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	name := d.config.projectName(project)
	live, err := d.client.Resource(projectKind()).Namespace(d.config.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", argoFault(ctx, "read AppProject "+name, err)
	}
	for _, k := range list(live.Object, "spec", "clusterResourceWhitelist") {
		kinds = append(kinds, schema.GroupKind{Group: str(k, "group"), Kind: str(k, "kind")})
	}
	return kinds, live.GetResourceVersion(), nil
}

// allow writes the AppProject in place of the version that was read. Outrun errors tell that it is another by now.
func (d *Driver) allow(ctx context.Context, project *unstructured.Unstructured, version string) error {
	if version != "" {
		project.SetResourceVersion(version)
		_, err := d.apply(ctx, projectKind(), project)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := d.client.Resource(projectKind()).Namespace(d.config.Namespace).Create(ctx, project, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return argoFault(ctx, "make AppProject "+project.GetName(), err)
	}
	return nil
}

// others is how long servers that write at the same time get out of each other's way.
var others = wait.Backoff{Steps: 12, Duration: 10 * time.Millisecond, Factor: 1.5, Jitter: 1}

// outrun is whether another wrote first.
func outrun(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

func (c Config) appProject(project string, kinds []schema.GroupKind) *unstructured.Unstructured {
	u := c.object("AppProject", c.projectName(project))
	allowed := []any{}
	for _, k := range kinds {
		allowed = append(allowed, map[string]any{"group": k.Group, "kind": k.Kind})
	}
	u.Object["spec"] = map[string]any{
		"description":              "Blueberry's project " + project + " on target " + c.Target,
		"sourceRepos":              []any{c.Repository},
		"destinations":             []any{map[string]any{"server": c.Destination, "namespace": blueberry.Namespace(project, "*")}},
		"clusterResourceWhitelist": allowed,
	}
	return u
}

// forgetPrepared has everything made again at the next need, because Argo CD says that something is missing.
func (d *Driver) forgetPrepared(project string) {
	d.ready.mu.Lock()
	d.ready.done = false
	d.ready.mu.Unlock()
	d.projects.mu.Lock()
	delete(d.projects.of, project)
	d.projects.mu.Unlock()
	d.memory.forbid()
}

// apply is one server-side apply in Argo CD's namespace. What the names of the target stand for is ours.
func (d *Driver) apply(ctx context.Context, kind schema.GroupVersionResource, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	js, err := json.Marshal(u.Object)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := d.client.Resource(kind).Namespace(d.config.Namespace).Patch(ctx, u.GetName(), types.ApplyPatchType, js, metav1.PatchOptions{FieldManager: fieldManager, Force: new(true)})
	if err != nil {
		return nil, argoFault(ctx, "apply "+u.GetKind()+" "+u.GetName(), err)
	}
	return out, nil
}

// merge alters an Application by a merge patch, and notes the answer.
func (d *Driver) merge(ctx context.Context, name string, patch map[string]any) error {
	js, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := d.client.Resource(applicationKind()).Namespace(d.config.Namespace).Patch(ctx, name, types.MergePatchType, js, metav1.PatchOptions{FieldManager: fieldManager})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return nil // it changed meanwhile: the watch tells how
	case err != nil:
		return argoFault(ctx, "change Application "+name, err)
	}
	d.apps.put(out)
	return nil
}

// argoFault is kube.Fault for calls to Argo CD's cluster. Which right is missing is said.
func argoFault(ctx context.Context, doing string, err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return blueberry.Errorf(blueberry.Forbidden, "ARGOCD_RIGHTS", "%s: the credential of Argo CD's cluster lacks a right: %v", doing, err)
	case apierrors.IsNotFound(err):
		return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_MISSING", "%s: Argo CD, or its namespace, is not there", doing)
	}
	return argoAway(kube.Fault(ctx, doing, err))
}
