package blueberry

import (
	"regexp"
	"strconv"
	"time"
)

// CatalogueEntry is a blueprint of the catalogue. Its versions never change.
type CatalogueEntry struct {
	ID          string
	Project     string // empty for a global one
	Name        string
	Latest      int
	Description string
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Version     int64 // of the row: counts up with each write, and is the ETag
}

// CatalogueVersion is one version of a blueprint of the catalogue.
type CatalogueVersion struct {
	EntryID   string
	Number    int // from 1
	Author    string
	Message   string
	Source    Source // that it was imported from, and that holds the files its components need; zero for none
	Content   []byte // as written
	Digest    string // "sha256:…" of Content
	Blueprint Blueprint
	CreatedAt time.Time
}

var blueprintRef = regexp.MustCompile(`^(global/)?([a-z](?:[a-z0-9-]*[a-z0-9])?)(?:@(latest|[1-9][0-9]{0,8}))?$`)

// ParseBlueprintRef reads "shop", "shop@3", "global/shop@latest".
func ParseBlueprintRef(s string) (BlueprintRef, bool) {
	m := blueprintRef.FindStringSubmatch(s)
	if m == nil || len(m[2]) > MaxEnvironmentName {
		return BlueprintRef{}, false
	}
	r := BlueprintRef{Global: m[1] != "", Name: m[2]}
	if m[3] != "" && m[3] != "latest" {
		r.Version, _ = strconv.Atoi(m[3])
	}
	return r, true
}

// String gives the form that ParseBlueprintRef reads; empty for the zero reference.
func (r BlueprintRef) String() string {
	if r.Name == "" {
		return ""
	}
	s := r.Name
	if r.Global {
		s = GlobalScope + "/" + s
	}
	if r.Version > 0 {
		s += "@" + strconv.Itoa(r.Version)
	}
	return s
}

// Project is where the blueprint is looked for, for an environment of the project: empty means global.
func (r BlueprintRef) Project(project string) string {
	if r.Global {
		return ""
	}
	return project
}

// CatalogueQuery asks for one page of config sets or of blueprints, by name and then id.
type CatalogueQuery struct {
	Project string   // of this project
	Global  bool     // of no project; with Project both
	In      []string // without Project and Global: only of these projects, and of none; nil for all. It is set by the operation, for actors who see some projects only
	Search  string   // part of a name; case does not matter
	Limit   int
	Cursor  string // as the page before gave it; bound to the other fields
}

// ConfigSetPage is one page of a list.
type ConfigSetPage struct {
	Items []ConfigSet
	Next  string
}

// CataloguePage is one page of a list.
type CataloguePage struct {
	Items []CatalogueEntry
	Next  string
}

// ConfigUser is an environment that a config set is merged into.
type ConfigUser struct {
	EnvironmentID string
	Project       string
	Name          string
	Phase         Phase
	Revision      int // desired
	Number        int // version of the set that is merged
	Follow        bool
	Stack         string // digest of the environment's inputs: two environments of one stack are affected alike
}

// RevisionQuery asks for the revisions of an environment, newest first.
type RevisionQuery struct {
	EnvironmentID string
	Before        int // number to start before; 0 for the newest
	Limit         int
}

// PlanQuery asks for the plans of an environment, newest first.
type PlanQuery struct {
	EnvironmentID string
	Before        string // id to start before
	Limit         int
}
