package argocd

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// applier is the name under which the API notes the fields that Argo CD applies; it is fixed in Argo CD.
const applier = "argocd-controller"

// What we and Argo CD write on objects.
const (
	labelTarget      = "blueberry.dev/target"                       // on all Argo CD objects of a target
	noteProject      = blueberry.LabelProject                       // as annotations: an Application is none of the environment's own objects
	noteEnvironment  = blueberry.LabelEnvironment                   //
	noteTaken        = "blueberry.dev/taken-over"                   // nothing of an earlier driver is on the objects any more
	noteAsked        = "blueberry.dev/asked"                        // when we last asked Argo CD for anything
	noteRefresh      = "argocd.argoproj.io/refresh"                 // taken off by Argo CD when it has looked
	notePaths        = "argocd.argoproj.io/manifest-generate-paths" // a commit that touches nothing else costs nothing
	noteTracking     = "argocd.argoproj.io/tracking-id"             // on each object: which Application it is of
	noteInstallation = "argocd.argoproj.io/installation-id"         //
	apiVersion       = "argoproj.io/v1alpha1"                       //
	rootDestination  = defaultDestination                           // Applications live where Argo CD does
	secretType       = "argocd.argoproj.io/secret-type"             //
)

func applicationKind() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}
}

func projectKind() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "appprojects"}
}

// The names of Argo CD's objects. A namespace is an environment's alone on a target.
func (c Config) rootName() string { return "blueberry-" + c.Target }

func (c Config) applicationName(ref target.Ref) string { return c.rootName() + "-" + ref.Namespace }
func (c Config) projectName(project string) string     { return c.rootName() + "-" + project }
func (c Config) directory(ref target.Ref) string {
	return "targets/" + c.Target + "/" + ref.Project + "/" + ref.Environment
}
func (c Config) applicationsDirectory() string { return "targets/" + c.Target + "/apps" }
func (c Config) applicationFile(ref target.Ref) string {
	return "apps/" + ref.Project + "-" + ref.Environment + ".yaml"
}

func (c Config) objectRef(name string) blueberry.ObjectRef {
	return blueberry.ObjectRef{APIVersion: apiVersion, Kind: "Application", Namespace: c.Namespace, Name: name}
}

// marked reports whether an object bears the trace of an Application of this target.
func (d *Driver) marked(live metav1.Object) bool {
	return strings.HasPrefix(live.GetAnnotations()[noteTracking], d.config.rootName()+"-")
}

// syncOptions are those of environments. Without validation of kinds that are not there yet the rest of a wave is applied all the same. Validate is about
// what Argo CD does before it asks the API, which refuses unknown fields of a server-side apply itself: it reads the schemas of the whole API group anew for
// each object, twice, which took half of its time.
func syncOptions() []any {
	return []any{
		"ServerSideApply=true", "Validate=false", "RespectIgnoreDifferences=true", "CreateNamespace=false", "PruneLast=true",
		"SkipDryRunOnMissingResource=true",
		"PrunePropagationPolicy=background", "ApplyOutOfSyncOnly=true",
	}
}

func retry() map[string]any {
	return map[string]any{"limit": int64(2), "backoff": map[string]any{"duration": "2s", "factor": int64(2), "maxDuration": "10s"}}
}

// application is the Application of an environment. There is no finalizer: what it applied is removed by us, with proof. What Argo CD holds for a default
// (a directory without those below it) is left out: it takes that out of the object, and the root Application would put it back.
func (c Config) application(ref target.Ref, ignore []blueberry.DriftIgnore, leaveAlone bool) *unstructured.Unstructured {
	automated := map[string]any{"prune": true, "selfHeal": true}
	if leaveAlone {
		automated = map[string]any{"enabled": false, "prune": true, "selfHeal": false} // each commit is synced because we ask for it
	}
	u := c.object("Application", c.applicationName(ref))
	u.SetAnnotations(map[string]string{noteProject: ref.Project, noteEnvironment: ref.Environment, notePaths: "/" + c.directory(ref)})
	u.Object["spec"] = map[string]any{
		"project": c.projectName(ref.Project),
		"source": map[string]any{
			"repoURL": c.Repository, "targetRevision": c.Branch, "path": c.directory(ref),
		},
		"destination":          map[string]any{"server": c.Destination, "namespace": ref.Namespace},
		"syncPolicy":           map[string]any{"automated": automated, "syncOptions": syncOptions(), "retry": retry()},
		"ignoreDifferences":    ignored(ignore),
		"revisionHistoryLimit": int64(1),
	}
	return u
}

// rootApplication makes an Application of each file beside the manifests. What of an Application is set from moment to moment it leaves to us.
func (c Config) rootApplication() *unstructured.Unstructured {
	u := c.object("Application", c.rootName())
	u.SetAnnotations(map[string]string{notePaths: "/" + c.applicationsDirectory()})
	u.Object["spec"] = map[string]any{
		"project": c.rootName(),
		"source": map[string]any{
			"repoURL": c.Repository, "targetRevision": c.Branch, "path": c.applicationsDirectory(),
		},
		"destination": map[string]any{"server": rootDestination, "namespace": c.Namespace},
		"syncPolicy": map[string]any{
			"automated":   map[string]any{"prune": true, "selfHeal": true, "allowEmpty": true},
			"syncOptions": []any{"ServerSideApply=true", "RespectIgnoreDifferences=true", "ApplyOutOfSyncOnly=true"},
			"retry":       retry(),
		},
		"ignoreDifferences": []any{map[string]any{
			"group": "argoproj.io", "kind": "Application", "jsonPointers": []any{"/spec/ignoreDifferences", "/spec/syncPolicy/automated", "/operation", "/status"},
		}},
		"revisionHistoryLimit": int64(1),
	}
	return u
}

func (c Config) object(kind, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
	u.SetNamespace(c.Namespace)
	u.SetName(name)
	u.SetLabels(map[string]string{labelTarget: c.Target})
	return u
}

// operation asks for a sync to a commit, or with an empty one to what the Application follows. One that is called automated is followed by a comparison with
// the head that was seen last, and not by another look at the repository: enough where the sync itself has just looked.
func operation(commit string, automated bool) map[string]any {
	sync := map[string]any{"prune": true, "syncOptions": syncOptions()}
	by := map[string]any{"automated": true}
	if commit != "" {
		sync["revision"] = commit
	}
	if !automated {
		by = map[string]any{"username": "blueberry"}
	}
	return map[string]any{"sync": sync, "initiatedBy": by, "retry": retry()}
}

// specOf is a spec as text; the same specs have the same.
func specOf(u *unstructured.Unstructured) string {
	js, err := json.Marshal(u.Object["spec"])
	if err != nil {
		return ""
	}
	return string(js)
}

// file is an object as it stands in Git.
func file(u *unstructured.Unstructured) []byte {
	out, err := yaml.Marshal(u.Object)
	if err != nil {
		return nil // maps, lists and texts can be written
	}
	return out
}

// ignored says in Argo CD's words which fields are left to others: those of the rules, and what controllers took over that share objects with us. What a
// rule says by a pattern of names takes a jq expression, so all do.
func ignored(rules []blueberry.DriftIgnore) []any {
	out := []any{map[string]any{
		"group": "*", "kind": "*", "managedFieldsManagers": []any{"kube-controller-manager", "rollouts-controller"},
	}}
	for _, r := range rules {
		keys, ok := blueberry.SplitPath(r.Path)
		if !ok {
			continue
		}
		kind, group, grouped := strings.Cut(r.Kind, ".")
		if !grouped {
			group = "*"
		}
		expression := jq(keys)
		if r.Name != "*" {
			name, ok := pattern(r.Name)
			if !ok {
				continue
			}
			expression = "select(.metadata.name | test(" + quote(name) + ")) | " + expression
		}
		out = append(out, map[string]any{"group": group, "kind": kind, "jqPathExpressions": []any{expression}})
	}
	return out
}

// jq is a path of a field as a jq expression, a stage for each key. Where a key is not there the expression names nothing.
func jq(keys []string) string {
	stages := make([]string, 0, len(keys))
	for i, k := range keys {
		switch name, named := strings.CutPrefix(k, "name="); {
		case named:
			stages = append(stages, ".[]? | select(.name? == "+quote(name)+")")
		case i > 0 && number(k): // an item of a list, or a key that is a number: whichever it is
			stages = append(stages, `if type == "array" then .[`+k+`] else .[`+quote(k)+`]? end`)
		default:
			stages = append(stages, ".["+quote(k)+"]?")
		}
	}
	return strings.Join(stages, " | ")
}

func number(s string) bool {
	return s != "" && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < '0' || c > '9' })
}

func quote(s string) string {
	js, _ := json.Marshal(s) // a text can be written
	return string(js)
}

// pattern is a pattern of path.Match as a regular expression.
func pattern(p string) (string, bool) {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(p); i++ {
		switch c := p[i]; c {
		case '*':
			b.WriteString("[^/]*")
		case '?':
			b.WriteString("[^/]")
		case '[':
			end := strings.IndexByte(p[i:], ']')
			if end < 0 {
				return "", false
			}
			b.WriteString(p[i : i+end+1])
			i += end
		case '\\':
			if i++; i == len(p) {
				return "", false
			}
			b.WriteString(literal(p[i]))
		default:
			b.WriteString(literal(c))
		}
	}
	return b.String() + "$", true
}

func literal(c byte) string {
	if strings.IndexByte(`\.+*?()|[]{}^$`, c) >= 0 {
		return `\` + string(c)
	}
	return string(c)
}
