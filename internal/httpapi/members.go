package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// members are the routes that write projects, and those of their members.
type members struct {
	writes     ProjectWrites
	operations Members
	reads      Projects
}

func (h members) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-project", Method: http.MethodPost, Path: "/v1/projects", Tags: []string{tagProjects}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Create a project",
	}, h.create)
	r.example(http.MethodPost, "/v1/projects", sdk.CreateProjectRequest{Name: "shop", Description: "The shop and what belongs to it"})
	register(r, huma.Operation{
		OperationID: "update-project", Method: http.MethodPatch, Path: "/v1/projects/{name}", Tags: []string{tagProjects},
		Summary: "Update a project", Description: "Its name stays: it stands in Git and in namespaces.",
	}, h.update)
	r.example(http.MethodPatch, "/v1/projects/{name}", sdk.UpdateProjectRequest{Description: "The shop and what belongs to it"})
	register(r, huma.Operation{
		OperationID: "delete-project", Method: http.MethodDelete, Path: "/v1/projects/{name}", Tags: []string{tagProjects}, DefaultStatus: http.StatusNoContent,
		Summary:     "Delete a project",
		Description: "Removes it with its members, service accounts, config sets, blueprints and policies. While environments live in it, it is refused with 409 and `errors` names them.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "list-project-members", Method: http.MethodGet, Path: "/v1/projects/{name}/members", Tags: []string{tagProjects},
		Summary: "List members of a project", Description: "Those who were given a role there. Groups of identity providers give one too: `GET /v1/group-rules`.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "set-project-member", Method: http.MethodPut, Path: "/v1/projects/{name}/members/{user}", Tags: []string{tagProjects},
		Summary: "Set a member's role", Description: "Makes the user a member, or gives the member another role. Nobody gives more than they hold.",
	}, h.set)
	r.example(http.MethodPut, "/v1/projects/{name}/members/{user}", sdk.SetMemberRequest{Role: string(blueberry.RoleDeveloper)})
	register(r, huma.Operation{
		OperationID: "remove-project-member", Method: http.MethodDelete, Path: "/v1/projects/{name}/members/{user}", Tags: []string{tagProjects},
		DefaultStatus: http.StatusNoContent,
		Summary:       "Remove a member", Description: "Takes their role in the project, at once and on every server.",
	}, h.removeMember)
}

type createProjectInput struct {
	strict
	OnceHeader
	Body body[sdk.CreateProjectRequest]
}

func (h members) create(ctx context.Context, in *createProjectInput) (*tagged[sdk.Project], error) {
	p, err := h.writes.CreateProject(ctx, actorOf(ctx), access.NewProject{Name: in.Body.Value.Name, Description: in.Body.Value.Description, Found: in.Body.unknown})
	if err != nil {
		return nil, err
	}
	return projectAnswer(h.reads.ProjectState(ctx, actorOf(ctx), p.Name))
}

func (h members) match(ctx context.Context, name, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		p, err := h.reads.ProjectState(ctx, actorOf(ctx), name)
		return p.Version, err
	})
}

type updateProjectInput struct {
	ProjectByName
	OnceHeader
	MatchHeader
	Body body[sdk.UpdateProjectRequest]
}

func (h members) update(ctx context.Context, in *updateProjectInput) (*tagged[sdk.Project], error) {
	version, err := h.match(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if _, err := h.writes.UpdateProject(ctx, actorOf(ctx), in.Name, in.Body.Value.Description, version); err != nil {
		return nil, err
	}
	return projectAnswer(h.reads.ProjectState(ctx, actorOf(ctx), in.Name))
}

type deleteProjectInput struct {
	ProjectByName
	MatchHeader
}

func (h members) remove(ctx context.Context, in *deleteProjectInput) (*nothing, error) {
	version, err := h.match(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.writes.DeleteProject(ctx, actorOf(ctx), in.Name, version)
}

func wireMember(m blueberry.Membership) sdk.Member {
	return sdk.Member{
		UserID: m.UserID, Email: m.User.Email, Name: m.User.Name, Status: string(m.User.Status), Role: string(m.Role),
		CreatedAt: instant(m.CreatedAt), UpdatedAt: instant(m.UpdatedAt),
	}
}

func (h members) list(ctx context.Context, in *ProjectByName) (*answer[sdk.MemberList], error) {
	found, err := h.operations.Members(ctx, actorOf(ctx), in.Name)
	return answered(found, err, func(found []blueberry.Membership) sdk.MemberList {
		return sdk.MemberList{Items: list(found, wireMember)}
	})
}

// MemberOfProject names a member.
type MemberOfProject struct {
	ProjectByName
	User string `path:"user" maxLength:"254" doc:"Id or e-mail address of the user" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

type setMemberInput struct {
	MemberOfProject
	OnceHeader
	Body body[sdk.SetMemberRequest]
}

func (h members) set(ctx context.Context, in *setMemberInput) (*answer[sdk.Member], error) {
	m, err := h.operations.PutMember(ctx, actorOf(ctx), in.Name, in.User, blueberry.Role(in.Body.Value.Role))
	return answered(m, err, wireMember)
}

func (h members) removeMember(ctx context.Context, in *MemberOfProject) (*nothing, error) {
	return &nothing{}, h.operations.RemoveMember(ctx, actorOf(ctx), in.Name, in.User)
}
