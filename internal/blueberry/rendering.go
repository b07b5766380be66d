package blueberry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// PlatformComponent is the component that Blueberry itself adds: namespace and guard rails. Its wave comes before all others.
const PlatformComponent = "environment"

// Labels on every object of an environment. Together, project and environment find all of one.
const (
	LabelProject     = "blueberry.dev/project"
	LabelEnvironment = "blueberry.dev/environment"
	LabelComponent   = "blueberry.dev/component"
	LabelRevision    = "blueberry.dev/revision" // not on pods: a new revision alone restarts nothing
)

// AnnotationWave is on every rendered object: the wave that it belongs to, by the name under which Argo CD reads it, so that the same bytes serve every driver.
const AnnotationWave = "argocd.argoproj.io/sync-wave"

// ObjectRef names one Kubernetes object.
type ObjectRef struct {
	APIVersion string // "apps/v1"
	Kind       string
	Namespace  string // empty for a cluster-scoped object
	Name       string
}

// Group is the API group: "apps"; empty for the core group.
func (r ObjectRef) Group() string {
	if i := strings.IndexByte(r.APIVersion, '/'); i >= 0 {
		return r.APIVersion[:i]
	}
	return ""
}

// String gives "Deployment.apps namespace/name".
func (r ObjectRef) String() string {
	kind := r.Kind
	if g := r.Group(); g != "" {
		kind += "." + g
	}
	if r.Namespace == "" {
		return kind + " " + r.Name
	}
	return kind + " " + r.Namespace + "/" + r.Name
}

// RenderedFile is one file of a rendering: the manifests of one component.
type RenderedFile struct {
	Name      string // "02-backend.yaml": wave and component
	Wave      int    // the platform's own file has wave -1
	Component string
	Content   []byte      // YAML documents, as they stand in Git
	Objects   []ObjectRef // what Content holds, in its order
}

// FileName is the name of a component's file. The platform's own file sorts before all others.
func FileName(wave int, component string) string {
	if wave < 0 {
		return "00-" + component + ".yaml"
	}
	return fmt.Sprintf("%02d-%s.yaml", wave, component)
}

// Rendering is the exact manifests of one revision.
type Rendering struct {
	Digest string         // "sha256:…" over names and contents
	Files  []RenderedFile // ordered by wave, then name
}

// DigestOf is the digest of files in their order.
func DigestOf(files []RenderedFile) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %d\n", f.Name, len(f.Content))
		h.Write(f.Content)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Revision is one accepted desired state of an environment.
type Revision struct {
	ID            string
	EnvironmentID string
	Number        int // from 1
	Author        string
	Reason        string
	Inputs
	Settings     []Setting // effective values with their origins, by path
	Demand       Demand
	Plan         string // id of the plan that it came of; empty for revisions older than plans
	RestoredFrom int    // number of the revision that it brings back; 0 for none
	Rendering    Rendering
	Commit       string // of the GitOps repository; empty until committed
	CreatedAt    time.Time
}

// Inputs is what a revision was made of, resolved: the same inputs give the same rendering.
type Inputs struct {
	Source     Source
	Head       string `json:",omitempty"` // commit of the application that runs, where nothing else is taken from it; empty: that of the source
	Blueprint  Blueprint
	Catalogue  BlueprintRef   // of the catalogue's blueprint; zero when it came from a repository or with the request
	Config     []ConfigUse    // in the order of their layers
	Parameters map[string]any // that the request chose
	Overrides  map[string]any // keyed by component

	Branch  string            `json:",omitempty"` // whose name is looked for in the repositories of the blueprint; empty for none
	Sources []ComponentSource `json:",omitempty"` // the repositories of the blueprint that its components name, in its order
	Commits map[string]string `json:",omitempty"` // component → commit that it runs, where that is not the one of its repository
	Images  map[string]string `json:",omitempty"` // component → image by digest that CI built of the commit that it runs
}

// AppCommit is the commit of the application that runs; empty when none is known.
func (i Inputs) AppCommit() string {
	if i.Head != "" {
		return i.Head
	}
	return i.Source.Commit
}

// Layers gives the layers above the blueprint, lowest first: the config sets, then the overrides. version gives the version that a use names. The
// parameters are not among them: only the blueprint knows where they go.
func (i Inputs) Layers(version func(ConfigUse) ConfigVersion) []Layer {
	var out []Layer
	for _, u := range i.Config {
		v := version(u)
		ref := u.ConfigRef
		ref.Version = u.Number
		out = append(out, Layer{
			Origin: Origin{Layer: LayerConfigSet, Name: strings.TrimSuffix(ref.String(), fmt.Sprintf("@%d", u.Number)), Version: u.Number, Author: v.Author, Commit: v.Source.Commit},
			Field:  "config_sets." + ref.String(), Values: v.Values, Public: v.Public,
		})
	}
	if len(i.Overrides) > 0 {
		out = append(out, Layer{Origin: Origin{Layer: LayerEnvironment}, Field: "overrides", Values: i.Overrides})
	}
	return out
}

// BlueprintRef names a blueprint of the catalogue.
type BlueprintRef struct {
	EntryID string // of the catalogue, once resolved
	Global  bool   // else of the environment's project
	Name    string // empty: no blueprint of the catalogue
	Version int    // 0 asks for the latest; in Inputs it is the one that was used
	Follow  bool   // in Inputs: the latest was asked for
}

// LedgerEntry is one object that was or will be made for an environment. It is written before the object is asked for, and removed when the
// object is proven gone; the ledger of a terminated environment is its receipt.
type LedgerEntry struct {
	ObjectRef
	Component string
	Wave      int
	Revision  int       // that last wanted it
	MadeAt    time.Time // when it was first written down; zero for what is older than that
	GoneAt    time.Time // when it was proven gone; zero while it may exist
}

// Count is the number of objects.
func (r Rendering) Count() int {
	n := 0
	for _, f := range r.Files {
		n += len(f.Objects)
	}
	return n
}
