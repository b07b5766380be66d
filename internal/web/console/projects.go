package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func projectsArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantProjectsRead) {
				return nil
			}
			return []menuItem{{To: "/projects", Name: "Projects", Icon: "folder", Group: groupAccess}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /projects": projectList, "GET /projects/new": newProject, "GET /projects/{name}": projectOverview, "GET /projects/{name}/edit": editProject, "GET /projects/{name}/delete": askDeleteProject,
			"GET /projects/{name}/members": projectMembers, "GET /projects/{name}/members/{user}/remove": askRemoveMember,
			"GET /projects/{name}/quota": projectQuota, "GET /projects/{name}/life": projectLife,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /projects": createProject, "POST /projects/{name}/edit": changeProject, "POST /projects/{name}/delete": deleteProject,
			"POST /projects/{name}/members": setProjectMember, "POST /projects/{name}/members/{user}/remove": removeProjectMember,
			"POST /projects/{name}/quota": setProjectQuota, "POST /projects/{name}/life": setProjectLife,
		},
		Done: map[string]string{
			"project-made": "The project is made. Give people roles in it.", "project-changed": "The project is changed.", "project-deleted": "The project is gone.", "member-set": "The role holds now.",
			"member-removed": "The role is taken.", "quota-set": "The limits hold now.", "life-set": "Its environments live by this now.",
		},
	}
}

var projectsTrail = option{"/projects", "Projects"}

// projectListView is the projects that one may see.
type projectListView struct {
	Items     []sdk.Project
	Search    string
	MayCreate bool
}

func projectList(v *visit) (page, error) {
	list, err := v.api.ListProjects(v.ctx)
	if err != nil {
		return page{}, err
	}
	l := projectListView{Items: list.Items, Search: strings.TrimSpace(v.r.URL.Query().Get("q")), MayCreate: v.holds(blueberry.GrantProjectsCreate)}
	if text := strings.ToLower(l.Search); text != "" {
		l.Items = slices.DeleteFunc(l.Items, func(p sdk.Project) bool { return !strings.Contains(strings.ToLower(p.Name+" "+p.Description), text) })
	}
	return page{Title: "Projects", Here: "/projects", Body: projectListBody(l), Watch: interest{Any: true}}, nil
}

func newProject(v *visit) (page, error) {
	if err := v.needs("", blueberry.GrantProjectsCreate); err != nil {
		return page{}, err
	}
	return v.newProject(nil)
}

func (v *visit) newProject(problem *sdk.Problem) (page, error) {
	r := sdk.CreateProjectRequest{Name: v.entered("name", ""), Description: v.entered("description", "")}
	a := ask{
		Title: "New project", What: "A project is a boundary of ownership: its members see what is in it, and its limits hold for all of its environments together.", Action: "/projects", Label: "Make it", Back: "/projects", Problem: problem,
		Inputs: []input{
			{Name: "name", Label: "Name", Value: r.Name, Required: true, Code: true, Placeholder: "shop", Hint: "Lower-case letters, digits and dashes. It stays."},
			{Name: "description", Label: "Description", Value: r.Description, Hint: "For people."},
		},
		Call: "POST /v1/projects",
	}
	r.Name = cmp.Or(r.Name, "shop")
	a.CLI, a.Body = command("project create "+shellWord(r.Name), "description", r.Description), jsonOf(r)
	return asked("Projects", "/projects", []option{projectsTrail}, a), nil
}

func createProject(v *visit) (string, error) {
	p, err := v.api.CreateProject(v.ctx, sdk.CreateProjectRequest{Name: v.entered("name", ""), Description: v.entered("description", "")})
	if err != nil {
		return "", v.formAgain(err, v.newProject)
	}
	return accessPath("projects", p.Name, "members") + "?done=project-made", nil
}

// projectView is one project, and what one may do with it.
type projectView struct {
	sdk.Project
	Here                                                       string // address of the page of it that is shown
	MayUpdate, MayQuota, MayDelete, SeesMembers, SeesServices  bool
	SeesAudit, SeesRepositories, SeesPolicies, SeesBlueprints  bool
	SeesEnvironments, SeesConfig, MaySetMembers, MaySeePersons bool
}

func (v *visit) project(part string) (projectView, error) {
	p, err := v.api.GetProject(v.ctx, v.r.PathValue("name"))
	if err != nil {
		return projectView{}, err
	}
	name := p.Name
	return projectView{
		Project: p, Here: accessPath("projects", name) + part,
		MayUpdate: v.may(name, blueberry.GrantProjectsUpdate), MayQuota: v.holds(blueberry.GrantProjectsQuota), MayDelete: v.may(name, blueberry.GrantProjectsDelete) && name != blueberry.DefaultProject,
		SeesMembers: v.may(name, blueberry.GrantMembersRead), SeesServices: v.may(name, blueberry.GrantServiceAccountsRead), SeesAudit: v.may(name, blueberry.GrantAuditRead),
		SeesRepositories: v.may(name, blueberry.GrantRepositoriesRead), SeesPolicies: v.may(name, blueberry.GrantPoliciesRead), SeesBlueprints: v.may(name, blueberry.GrantBlueprintsRead),
		SeesEnvironments: v.may(name, blueberry.GrantEnvironmentsRead), SeesConfig: v.may(name, blueberry.GrantConfigRead), MaySetMembers: v.may(name, blueberry.GrantMembersWrite), MaySeePersons: v.holds(blueberry.GrantUsersRead),
	}, nil
}

// tabs are the pages of the project that one may see.
func (p projectView) tabs() []option {
	at := accessPath("projects", p.Name)
	out := []option{{at, "Overview"}}
	if p.SeesMembers {
		out = append(out, option{at + "/members", "Members"})
	}
	if p.SeesServices {
		out = append(out, option{at + "/service-accounts", "Service accounts"})
	}
	if p.MayQuota {
		out = append(out, option{at + "/quota", "Limits"})
	}
	if p.MayUpdate || p.MayQuota {
		out = append(out, option{at + "/life", "Life"})
	}
	return out
}

func projectOverview(v *visit) (page, error) {
	p, err := v.project("")
	if err != nil {
		return page{}, err
	}
	return page{Title: p.Name, Here: "/projects", Body: projectBody(p), Watch: interest{Any: true}}, nil
}

// projectFor is one project for a form of it, for who holds the grant.
func (v *visit) projectFor(g blueberry.Grant) (sdk.Project, []option, error) {
	name := v.r.PathValue("name")
	if err := v.needs(name, g); err != nil {
		return sdk.Project{}, nil, err
	}
	p, err := v.api.GetProject(v.ctx, name)
	return p, []option{projectsTrail, {accessPath("projects", name), name}}, err
}

func editProject(v *visit) (page, error) { return v.editProject(nil) }

func (v *visit) editProject(problem *sdk.Problem) (page, error) {
	p, trail, err := v.projectFor(blueberry.GrantProjectsUpdate)
	if err != nil {
		return page{}, err
	}
	text, at := v.entered("description", p.Description), accessPath("projects", p.Name)
	return asked(p.Name, "/projects", trail, ask{
		Title: "Describe the project", Action: at + "/edit", Label: "Keep it", Back: at, Problem: problem, Inputs: []input{{Name: "description", Label: "Description", Kind: "area", Value: text, Hint: "For people, at most 500 characters."}},
		CLI: "blueberry project update " + shellWord(p.Name) + " --description " + shellWord(text), Call: "PATCH /v1/projects/" + p.Name, Body: jsonOf(sdk.UpdateProjectRequest{Description: text}),
	}), nil
}

func changeProject(v *visit) (string, error) {
	name := v.r.PathValue("name")
	if _, err := v.api.UpdateProject(v.ctx, name, sdk.UpdateProjectRequest{Description: v.entered("description", "")}); err != nil {
		return "", v.formAgain(err, v.editProject)
	}
	return accessPath("projects", name) + "?done=project-changed", nil
}

func askDeleteProject(v *visit) (page, error) { return v.askDeleteProject(nil) }

func (v *visit) askDeleteProject(problem *sdk.Problem) (page, error) {
	p, trail, err := v.projectFor(blueberry.GrantProjectsDelete)
	if err != nil {
		return page{}, err
	}
	at := accessPath("projects", p.Name)
	a := ask{
		Title: "Delete the project", Danger: true, Action: at + "/delete", Label: "Delete " + p.Name, Back: at, Problem: problem,
		What: "Its members lose their roles in it. Its service accounts are gone and their tokens end, and so do API tokens and OAuth clients that may act in it alone. Its group rules, config sets, blueprints, policies, subscriptions and repositories go with it. The audit stays. This cannot be undone.",
		CLI:  command("project delete " + shellWord(p.Name)), Call: "DELETE /v1/projects/" + p.Name,
		Inputs: []input{{Name: "name", Label: "Name of the project", Value: v.entered("name", ""), Hint: "Type " + p.Name + " to say that you mean it.", Required: true, Code: true}},
	}
	if n := p.Used.Environments; n > 0 {
		a.What = "It still has " + strconv.FormatInt(n, 10) + " living environments. Destroy them first: a project is deleted only when nothing lives in it. " + a.What
	}
	return asked(p.Name, "/projects", trail, a), nil
}

func deleteProject(v *visit) (string, error) {
	p, _, err := v.projectFor(blueberry.GrantProjectsDelete)
	if err != nil {
		return "", err
	}
	if v.entered("name", "") != p.Name {
		return "", again{faulty([]sdk.FieldError{{Field: "name", Code: "confirm", Message: "is not the name of the project"}}), v.askDeleteProject}
	}
	var options []sdk.CallOption
	if p.Version > 0 {
		options = append(options, sdk.IfMatch(p.Version))
	}
	if err := v.api.DeleteProject(v.ctx, p.Name, options...); err != nil {
		return "", v.formAgain(err, v.askDeleteProject)
	}
	return "/projects?done=project-deleted", nil
}

// membersView is the members of a project.
type membersView struct {
	projectView
	Members []sdk.Member
	Rules   []sdk.GroupRule
	User    string // typed
	Role    string
	Problem *sdk.Problem
}

func projectMembers(v *visit) (page, error) { return v.members(nil) }

func (v *visit) members(problem *sdk.Problem) (page, error) {
	p, err := v.project("/members")
	if err != nil {
		return page{}, err
	}
	m := membersView{projectView: p, Problem: problem, User: v.entered("user", ""), Role: v.entered("role", "developer")}
	list, err := v.api.ListProjectMembers(v.ctx, p.Name)
	if err != nil {
		return page{}, err
	}
	rules, err := v.api.ListGroupRules(v.ctx)
	if err != nil {
		return page{}, err
	}
	m.Members, m.Rules = list.Items, slices.DeleteFunc(rules.Items, func(r sdk.GroupRule) bool { return r.Project != p.Name })
	shown := page{Title: p.Name + ": members", Here: "/projects", Body: membersBody(m)}
	if problem == nil {
		shown.Watch = interest{Any: true}
	}
	return shown, nil
}

func setProjectMember(v *visit) (string, error) {
	name, user := v.r.PathValue("name"), v.entered("user", "")
	if user == "" {
		return "", again{faulty([]sdk.FieldError{{Field: "user", Code: "required", Message: "is needed"}}), v.members}
	}
	_, err := v.api.SetProjectMember(v.ctx, name, user, sdk.SetMemberRequest{Role: v.entered("role", "")})
	if isCode(err, "USER_NOT_FOUND") {
		return "", again{faulty([]sdk.FieldError{{Field: "user", Code: "unknown", Message: "nobody has this address here; an owner invites people"}}), v.members}
	}
	if err != nil {
		return "", v.formAgain(err, v.members)
	}
	return accessPath("projects", name, "members") + "?done=member-set", nil
}

func askRemoveMember(v *visit) (page, error) {
	p, trail, err := v.projectFor(blueberry.GrantMembersWrite)
	if err != nil {
		return page{}, err
	}
	m, err := v.member(p.Name)
	if err != nil {
		return page{}, err
	}
	at := accessPath("projects", p.Name, "members")
	return asked(p.Name, "/projects", append(trail, option{at, "Members"}), ask{
		Title: "Take the role of " + m.Email, Danger: true, Action: at + accessPath(m.UserID, "remove"), Label: "Take it", Back: at,
		What: "They are " + m.Role + " in this project. Without the role they see nothing of it, at once, and their API tokens neither. What they made stays, and stays theirs. A role that a group of their identity provider gives is not taken by this.",
		CLI:  command("project remove-member " + shellWord(p.Name) + " " + shellWord(m.Email)), Call: "DELETE /v1/projects/" + p.Name + "/members/" + m.UserID,
	}), nil
}

func (v *visit) member(project string) (sdk.Member, error) {
	list, err := v.api.ListProjectMembers(v.ctx, project)
	if err != nil {
		return sdk.Member{}, err
	}
	i := slices.IndexFunc(list.Items, func(m sdk.Member) bool { return m.UserID == v.r.PathValue("user") })
	if i < 0 {
		return sdk.Member{}, &sdk.Problem{Status: http.StatusNotFound, Code: "MEMBER_NOT_FOUND", Detail: "this person has no role in the project"}
	}
	return list.Items[i], nil
}

func removeProjectMember(v *visit) (string, error) {
	name := v.r.PathValue("name")
	if err := v.api.RemoveProjectMember(v.ctx, name, v.r.PathValue("user")); err != nil {
		return "", err
	}
	return accessPath("projects", name, "members") + "?done=member-removed", nil
}

func memberStatus(status string) string {
	if status == userPending {
		return "invited"
	}
	return status
}
