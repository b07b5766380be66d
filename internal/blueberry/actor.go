package blueberry

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// ActorKind says what acts.
type ActorKind string

// What can act.
const (
	ActorUser   ActorKind = "user"
	ActorToken  ActorKind = "token"  // an API token, of a user or a service account
	ActorClient ActorKind = "client" // an OAuth client that acts for itself
	ActorJob    ActorKind = "job"
	ActorHost   ActorKind = "host" // a person whom the host of a repository names and vouches for
)

// Actor is who acts, and what they may do.
type Actor struct {
	Kind ActorKind
	ID   string
	Name string // shown as owner and in the audit: "ada@example.com", "admin"

	UserID     string    // of the user on whose account it acts; empty for none
	OnBehalfOf string    // name of that user, when a token or an OAuth client acts for them
	Credential string    // id of the session or token that proved it: "ses_…"
	Person     bool      // of an OAuth client: it is our own command line, allowed everything, and so stands for the user
	Emergency  string    // id of the break-glass that is open; empty for none
	Until      time.Time // when that session or token ends; zero for never

	Grants   []Grant            // on the installation: they hold in every project
	Projects map[string][]Grant // by name of the project
}

// Holder is whose keys and limits a call counts on: of a program that acts for many people, each of them apart.
func (a Actor) Holder() string {
	if a.Kind == ActorClient && a.UserID != "" {
		return a.UserID + " " + a.ID
	}
	return a.ID
}

// System is the actor of work that nobody asked for by hand: an expiry, a repair.
func System() Actor {
	return Actor{Kind: ActorJob, ID: "blueberry", Name: "blueberry", Grants: []Grant{GrantAll}}
}

// Can is nil when the actor holds the grant on the installation, and so in every project, else a Forbidden error that names it.
func (a Actor) Can(g Grant) error {
	if holds(a.Grants, g) {
		return nil
	}
	return lacks(a, g, "")
}

// CanIn is nil when the actor holds the grant in a project. Else it is a Forbidden error that names the grant, or, when the actor holds nothing at all in
// the project, the NotFound of a project that does not exist. An empty project means the installation.
func (a Actor) CanIn(project string, g Grant) error {
	switch {
	case holds(a.Grants, g) || project != "" && holds(a.Projects[project], g):
		return nil
	case project == "" || a.Sees(project):
		return lacks(a, g, project)
	}
	e := Errorf(NotFound, "PROJECT_NOT_FOUND", "there is no project %q", project)
	e.Denied, e.DeniedIn = g, project
	return e
}

// CanOn is CanIn for a thing of a project: what an actor may not even see is told as missing, the NotFound of the thing.
func (a Actor) CanOn(project string, g Grant, missing error) error {
	err := a.CanIn(project, g)
	if !errors.Is(err, NotFound) {
		return err
	}
	out := Hidden(missing, g)
	var hidden *Error
	if errors.As(out, &hidden) {
		hidden.DeniedIn = project
	}
	return out
}

// CanSomewhere is nil when the actor holds the grant on the installation or in any project.
func (a Actor) CanSomewhere(g Grant) error {
	if all, in := a.Where(g); all || len(in) > 0 {
		return nil
	}
	return lacks(a, g, "")
}

// Where tells the projects, by name in order, in which the actor holds the grant; all when it holds in every one.
func (a Actor) Where(g Grant) (all bool, projects []string) {
	if holds(a.Grants, g) {
		return true, nil
	}
	for _, name := range slices.Sorted(maps.Keys(a.Projects)) {
		if holds(a.Projects[name], g) {
			projects = append(projects, name)
		}
	}
	return false, projects
}

// Within tells to which projects a list that takes the grant is bounded for the actor: to the one that is named, or to those in which they hold the grant.
// In is nil when there is no bound beside the name. Who holds it nowhere is refused, and so is a name as by CanIn.
func (a Actor) Within(project string, g Grant) (in []string, err error) {
	if project != "" {
		return nil, a.CanIn(project, g)
	}
	all, in := a.Where(g)
	if !all && len(in) == 0 {
		return nil, lacks(a, g, "")
	}
	return in, nil
}

// Sees reports whether the actor may know that a project exists: they hold something in it, or on the installation a grant that holds in every project.
func (a Actor) Sees(project string) bool {
	return len(a.Projects[project]) > 0 || holds(a.Grants, GrantProjectsRead) ||
		slices.ContainsFunc(RoleAdmin.Grants(), func(g Grant) bool { return holds(a.Grants, g) })
}

// In is every grant that the actor holds in a project.
func (a Actor) In(project string) []Grant {
	out := slices.Concat(a.Grants, a.Projects[project])
	slices.Sort(out)
	return slices.Compact(out)
}

// Narrowed is the actor with no more than the grants given, and with none outside of the projects given unless there are none of these. It never holds what
// the actor does not.
func (a Actor) Narrowed(grants []Grant, projects []string) Actor {
	out := a
	out.Grants, out.Projects = nil, map[string][]Grant{}
	if len(projects) == 0 {
		out.Grants = meet(a.Grants, grants)
		for name, held := range a.Projects {
			if both := meet(held, grants); len(both) > 0 {
				out.Projects[name] = both
			}
		}
		return out
	}
	for _, name := range projects {
		if both := meet(a.In(name), grants); len(both) > 0 {
			out.Projects[name] = both
		}
	}
	return out
}

// Covers reports whether the actor holds everything that another one does.
func (a Actor) Covers(b Actor) bool {
	for _, g := range b.Grants {
		if !holds(a.Grants, g) {
			return false
		}
	}
	for project, grants := range b.Projects {
		for _, g := range grants {
			if !holds(a.Grants, g) && !holds(a.Projects[project], g) {
				return false
			}
		}
	}
	return true
}

// meet is what two lists of grants have in common.
func meet(a, b []Grant) []Grant {
	var out []Grant
	for _, g := range a {
		if holds(b, g) {
			out = append(out, g)
		}
	}
	for _, g := range b {
		if holds(a, g) && !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return out
}

func holds(grants []Grant, g Grant) bool {
	return slices.Contains(grants, GrantAll) || slices.Contains(grants, g)
}

func lacks(a Actor, g Grant, project string) error {
	e := Errorf(Forbidden, "GRANT_MISSING", "%s lacks the grant %s", a.Name, g)
	if project != "" {
		e = Errorf(Forbidden, "GRANT_MISSING", "%s lacks the grant %s in project %s", a.Name, g, project)
	}
	e.Denied, e.DeniedIn = g, project
	return e
}
