package blueberry

import (
	"regexp"
	"strconv"
	"time"
)

// Limits of config sets and of values in any layer.
const (
	MaxConfigName    = 40
	MaxConfigMessage = 500     // characters of the message of a version
	MaxValuesSize    = 1 << 20 // bytes of one document of values, as written
	MaxConfigSets    = 20      // of one environment
)

// AllComponents is the key, at the top of a document of values, whose values go to every component that takes values. No component may have the name.
const AllComponents = "all"

// GlobalScope names, in a reference, the scope of the config sets and blueprints that belong to no project. No project may have the name.
const GlobalScope = "global"

// ConfigSet is versioned named values that are merged into renderings. Its versions never change.
type ConfigSet struct {
	ID        string
	Project   string // empty for a global one
	Name      string
	Latest    int // number of its newest version, from 1
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // of the row: counts up with each write, and is the ETag
}

// ConfigVersion is one edit of a config set.
type ConfigVersion struct {
	SetID        string
	Number       int // from 1
	Author       string
	Message      string
	Source       Source // that it was imported from; zero for none
	RestoredFrom int    // number of the version that it brings back; 0 for none
	Content      []byte // as written: YAML or JSON, with comments and order
	Digest       string // "sha256:…" of Content
	Values       map[string]any
	Public       []string // patterns of paths whose value looks like a secret and is none
	CreatedAt    time.Time
}

// ConfigRef asks for a config set: "shop", "shop@3", "global/shop@latest".
type ConfigRef struct {
	Global  bool // else of the environment's project
	Name    string
	Version int // 0 follows the latest
}

// ConfigUse is a ConfigRef as it was resolved for one revision.
type ConfigUse struct {
	ConfigRef
	SetID   string
	Number  int    // the version that is merged
	Author  string // of that version
	Digest  string // of that version
	Default bool   // named by the blueprint, not by the request
}

// Follows reports whether newer versions concern the environment.
func (r ConfigRef) Follows() bool { return r.Version == 0 }

// String gives the form that ParseConfigRef reads.
func (r ConfigRef) String() string {
	s := r.Name
	if r.Global {
		s = GlobalScope + "/" + s
	}
	if r.Version > 0 {
		s += "@" + strconv.Itoa(r.Version)
	}
	return s
}

// Project is where the set is looked for, for an environment of the project: empty means global.
func (r ConfigRef) Project(project string) string {
	if r.Global {
		return ""
	}
	return project
}

var configRef = regexp.MustCompile(`^(global/)?([a-z](?:[a-z0-9-]*[a-z0-9])?)(?:@(latest|[1-9][0-9]{0,8}))?$`)

// ParseConfigRef reads "name", "name@3", "name@latest", each with "global/" before it or not.
func ParseConfigRef(s string) (ConfigRef, bool) {
	m := configRef.FindStringSubmatch(s)
	if m == nil || len(m[2]) > MaxConfigName {
		return ConfigRef{}, false
	}
	r := ConfigRef{Global: m[1] != "", Name: m[2]}
	if m[3] != "" && m[3] != "latest" {
		r.Version, _ = strconv.Atoi(m[3])
	}
	return r, true
}

// CheckConfigRefs reads a list of references and notes each that is wrong or doubled, and a list that is too long.
func (f *Faults) CheckConfigRefs(field string, refs []string) []ConfigRef {
	if len(refs) > MaxConfigSets {
		f.Add(field, "too_many", "names %d config sets, at most %d are allowed", len(refs), MaxConfigSets)
		return nil
	}
	var out []ConfigRef
	seen := map[string]bool{}
	for i, s := range refs {
		at := field + "[" + strconv.Itoa(i) + "]"
		r, ok := ParseConfigRef(s)
		switch key := r.Project("-") + "/" + r.Name; {
		case !ok:
			f.Add(at, "pattern", "%q is not a reference to a config set: name, name@3 or global/name", s)
		case seen[key]:
			r.Version = 0
			f.Add(at, "duplicate", "%s is named twice", r)
		default:
			seen[key] = true
			out = append(out, r)
		}
	}
	return out
}

// LayerKind says what sort of layer a value comes from.
type LayerKind string

// The layers of an environment's values, lowest first (design section 5). Maps merge, lists and scalars replace, null deletes.
const (
	LayerChart       LayerKind = "chart"       // defaults of the chart
	LayerBlueprint   LayerKind = "blueprint"   // values of its components, and defaults of its parameters
	LayerConfigSet   LayerKind = "config_set"  // in the order given
	LayerBuild       LayerKind = "build"       // images that CI built of the commit; above the computed ones too, which stand for what is not known
	LayerEnvironment LayerKind = "environment" // parameters and overrides of the request
	LayerComputed    LayerKind = "computed"    // by the platform
)

// Origin says where a value was set.
type Origin struct {
	Layer   LayerKind
	Name    string // of the chart, config set ("global/shop") or parameter; empty for overrides and for what the platform computes
	Version int    // of the config set, or number of the catalogue's blueprint
	Author  string
	Commit  string // of the repository that a blueprint or chart stands in
}

// Layer is one layer of values, keyed by component, or by AllComponents.
type Layer struct {
	Origin
	Field  string // where its faults belong in the request: "overrides", "config_sets.shop@3"
	Values map[string]any
	Public []string // patterns of paths whose value looks like a secret and is none
}

// Setting is one leaf of the effective values with where it comes from. A leaf is a scalar, a list, an empty map, or a reference to a secret
// ({secretRef: name/key}).
type Setting struct {
	Path    string // "backend.env.LOG_LEVEL"; a key that is not a plain word is quoted in brackets
	Value   any    // of JSON; nil when Deleted
	Deleted bool   // a layer's null took it out
	Origin
	Shadows []Shadow // what it replaced, nearest layer first
}

// Shadow is a value that another layer's replaced.
type Shadow struct {
	Origin
	Value any
}

// SettingChange is what became of one setting between two stacks of layers.
type SettingChange struct {
	Path          string
	Before, After *Setting // nil where there is none
}

// Warning is something that a user should know about and that stops nothing.
type Warning struct {
	Code    string // stable word: "forbidden_field"
	Field   string // path in the request, may be empty
	Message string
}
