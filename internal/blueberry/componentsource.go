package blueberry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MaxRepositories is how many repositories a blueprint may name beside its own.
const MaxRepositories = 10

// SideRepository is a repository of a blueprint beside the one that it stands in: components are made of its files and run its commit.
type SideRepository struct {
	Name  string          // unique in the blueprint: "web"
	URL   string          // that Git clones from
	Ref   string          `json:",omitempty"` // branch, tag or commit; empty means the default branch
	Match RepositoryMatch `json:",omitempty"` // empty means MatchBranch
}

// RepositoryMatch says which commit of another repository an environment is made of.
type RepositoryMatch string

// The ways to match.
const (
	MatchBranch RepositoryMatch = "branch" // that of the branch with the name of the environment's, where there is one; else that of its ref
	MatchFixed  RepositoryMatch = "fixed"  // that of its ref, always
)

// Matches reports whether a branch of the environment may choose the commit.
func (r SideRepository) Matches() bool { return r.Match != MatchFixed }

// RefName is the ref for people.
func (r SideRepository) RefName() string {
	if r.Ref == "" {
		return "default branch"
	}
	return strings.TrimPrefix(r.Ref, branchPrefix)
}

const branchPrefix = "refs/heads/"

// BranchRef is the full name of a branch, so that nothing else can be meant by it: neither a commit nor a tag.
func BranchRef(branch string) string { return branchPrefix + branch }

// ComponentSource is one repository of a blueprint as it was resolved for one revision.
type ComponentSource struct {
	Name       string // in the blueprint
	Repository string // URL
	Ref        string // of the blueprint, or the full name of the branch that matched; empty means the default branch
	Commit     string // what it was: 40 hexadecimal digits
	Matched    bool   // the branch of the environment chose it
}

// SourceFollowerQuery asks for the living environments that are made of a branch of a repository which their blueprint names, in the order of ids.
type SourceFollowerQuery struct {
	Project    string
	Repository string // address
	Branch     string
	After      string // id: only later ones
	Limit      int
}

// UsedRepositories are those that a component names, in their order, each with whether files of it are needed.
func (b Blueprint) UsedRepositories() (used []SideRepository, files map[string]bool) {
	files = map[string]bool{}
	for _, r := range b.Repositories {
		named := false
		for _, c := range b.Components {
			if c.Repository == r.Name {
				named = true
				files[r.Name] = files[r.Name] || c.Path() != ""
			}
		}
		if named {
			used = append(used, r)
		}
	}
	return used, files
}

// checkRepositories notes what is wrong with the repositories of a blueprint. Whether an address may be asked is for the one who asks.
func (b Blueprint) checkRepositories(f *Faults) {
	if n := len(b.Repositories); n > MaxRepositories {
		f.Add("repositories", "too_many", "has %d repositories, at most %d are allowed", n, MaxRepositories)
		return
	}
	names, urls := map[string]bool{}, map[string]bool{}
	for i, r := range b.Repositories {
		at := fmt.Sprintf("repositories[%d]", i)
		f.CheckName(at+".name", r.Name, MaxComponentName)
		if names[r.Name] {
			f.Add(at+".name", "duplicate", "%q is the name of another repository too", r.Name)
		}
		names[r.Name] = true
		url := BareRepository(r.URL)
		switch {
		case r.URL == "":
			f.Add(at+".url", "required", "must be set")
		case hasLogin(r.URL):
			f.Add(at+".url", "repository_url", "holds a user name, password or token, which would be shown to everybody: leave it out, and add the repository to the project with its credential")
		case urls[url]:
			f.Add(at+".url", "duplicate", "is the address of another repository too")
		}
		urls[url] = true
		switch r.Match {
		case "", MatchBranch, MatchFixed:
		default:
			f.Add(at+".match", "enum", "%q is not branch or fixed", r.Match)
		}
	}
	for i, c := range b.Components {
		if c.Repository != "" && !names[c.Repository] {
			f.Add(fmt.Sprintf("components[%d].repository", i), "unknown", "there is no repository %q in the blueprint", c.Repository)
		}
	}
}

// hasLogin reports whether an address says as whom to read it, or may: over SSH a user name is no secret, and a query is for nothing but tokens.
func hasLogin(address string) bool {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return false
	}
	if strings.ContainsAny(rest, "?#") {
		return true
	}
	authority, _, _ := strings.Cut(rest, "/")
	user, _, named := strings.Cut(authority, "@")
	return named && (scheme != "ssh" || strings.Contains(user, ":"))
}

// BareRepository is an address of a repository without what hosts do not tell apart.
func BareRepository(url string) string {
	return strings.TrimSuffix(strings.TrimSuffix(url, "/"), ".git")
}

// CommitOf is the commit that a component runs; empty when none is known.
func (i Inputs) CommitOf(c Component) string {
	if commit := i.Commits[c.Name]; commit != "" {
		return commit
	}
	for _, s := range i.Sources {
		if c.Repository != "" && s.Name == c.Repository {
			return s.Commit
		}
	}
	if c.Repository != "" {
		return ""
	}
	return i.AppCommit()
}

// ComponentCommits are the commits of those components that do not run the application's, by component.
func (i Inputs) ComponentCommits() map[string]string {
	var out map[string]string
	for _, c := range i.Blueprint.Components {
		if commit := i.CommitOf(c); c.Repository != "" || commit != i.AppCommit() {
			if out == nil {
				out = map[string]string{}
			}
			out[c.Name] = commit
		}
	}
	return out
}

// SameRun reports whether two inputs name the same commits and images for their components.
func (i Inputs) SameRun(commits, images map[string]string) bool {
	return maps.Equal(i.Commits, commits) && maps.Equal(i.Images, images)
}

// CheckBuilt notes what is wrong with commits and images that components of the blueprint shall run: of a component that is not there or takes none, or not
// told exactly.
func (b Blueprint) CheckBuilt(f *Faults, commits, images map[string]string) {
	if n := max(len(commits), len(images)); n > MaxComponents {
		f.Add("images", "too_many", "commits and images are named of %d components, a blueprint has %d at most", n, MaxComponents)
		return
	}
	of := func(field, name string) (Component, bool) {
		i := slices.IndexFunc(b.Components, func(c Component) bool { return c.Name == name })
		if i < 0 {
			f.Add(field, "unknown", "there is no component %q", name)
			return Component{}, false
		}
		return b.Components[i], true
	}
	for _, name := range slices.Sorted(maps.Keys(commits)) {
		field := JoinField("commits", name)
		if _, ok := of(field, name); ok {
			f.CheckCommit(field, commits[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		field := JoinField("images", name)
		c, ok := of(field, name)
		switch {
		case !ok:
		case c.Kind() == Kustomize:
			f.Add(field, "forbidden", "component %s is a kustomization, which takes no values: it says itself which images it runs", name)
		default:
			f.CheckDigest(field, images[name])
		}
	}
}

// CheckDigest notes what is no image reference with a SHA-256 digest.
func (f *Faults) CheckDigest(field, image string) {
	before := len(*f)
	f.CheckImage(field, image)
	if len(*f) == before && !imageDigest.MatchString(image) {
		f.Add(field, "image_unpinned", "%q has no digest: it must end in @sha256: and 64 hexadecimal digits", image)
	}
}

// ImageParts are the parts of an image reference: "host/path", "tag" and "sha256:…". What it does not have is empty.
func ImageParts(image string) (repository, tag, digest string) {
	repository, digest, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository, tag = repository[:i], repository[i+1:]
	}
	return repository, tag, digest
}
