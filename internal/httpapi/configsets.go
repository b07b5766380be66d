package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/sdk"
)

// configSets are the routes of config sets.
type configSets struct {
	operations ConfigSets
}

const exampleValues = "backend:\n  env:\n    LOG_LEVEL: debug # until the release\n"

func (h configSets) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-config-set", Method: http.MethodPost, Path: "/v1/config-sets", Tags: []string{tagConfigSets},
		DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Create a config set", Description: "Makes it with its first version. The values are sent, or read from a file of a repository; a secret in clear is refused.",
	}, h.create)
	r.example(http.MethodPost, "/v1/config-sets", sdk.CreateConfigSetRequest{Name: "shop", Content: exampleValues, Message: "Log more"})
	register(r, huma.Operation{
		OperationID: "check-config-set", Method: http.MethodPost, Path: "/v1/config-sets/check", Tags: []string{tagConfigSets}, DefaultStatus: http.StatusNoContent, Metadata: gathers(),
		Summary: "Check a config set", Description: "Tells every fault of one that could be made, or of values that one could get: its name may be taken. Nothing is stored.",
	}, h.check)
	r.example(http.MethodPost, "/v1/config-sets/check", sdk.CreateConfigSetRequest{Name: "shop", Content: exampleValues})
	register(r, huma.Operation{
		OperationID: "list-config-sets", Method: http.MethodGet, Path: "/v1/config-sets", Tags: []string{tagConfigSets},
		Summary: "List config sets", Description: "Those of a project and the global ones, by name.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-config-set", Method: http.MethodGet, Path: "/v1/config-sets/{id}", Tags: []string{tagConfigSets},
		Summary: "Read a config set",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "delete-config-set", Method: http.MethodDelete, Path: "/v1/config-sets/{id}", Tags: []string{tagConfigSets}, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a config set", Description: "Removes it with all its versions. While environments use it, it is refused with 409 and `errors` names them.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "edit-config-set", Method: http.MethodPost, Path: "/v1/config-sets/{id}/versions", Tags: []string{tagConfigSets},
		DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Edit a config set",
		Description: "Makes a new version, which never changes. Environments that follow the set get a plan of it, or the change itself if their blueprint says so. " +
			"Content that is that of the latest version makes none: the answer is 200 then.",
	}, h.edit)
	r.unchanged("/v1/config-sets/{id}/versions")
	r.example(http.MethodPost, "/v1/config-sets/{id}/versions", sdk.EditConfigSetRequest{Content: exampleValues, Message: "Log more"})
	register(r, huma.Operation{
		OperationID: "restore-config-set", Method: http.MethodPost, Path: "/v1/config-sets/{id}/restore", Tags: []string{tagConfigSets}, DefaultStatus: http.StatusCreated,
		Summary: "Restore a version", Description: "Makes a new version with the content of an old one. It is an edit like any other.",
	}, h.restore)
	r.unchanged("/v1/config-sets/{id}/restore")
	r.example(http.MethodPost, "/v1/config-sets/{id}/restore", sdk.RestoreConfigSetRequest{Version: 1, Message: "Log less again"})
	register(r, huma.Operation{
		OperationID: "list-config-set-versions", Method: http.MethodGet, Path: "/v1/config-sets/{id}/versions", Tags: []string{tagConfigSets},
		Summary: "List versions of a config set", Description: "Newest first, without content and values.",
	}, h.versions)
	register(r, huma.Operation{
		OperationID: "get-config-set-version", Method: http.MethodGet, Path: "/v1/config-sets/{id}/versions/{number}", Tags: []string{tagConfigSets},
		Summary: "Read a version of a config set", Description: "With its content as it was written, comments and order included.",
	}, h.version)
	register(r, huma.Operation{
		OperationID: "diff-config-set-versions", Method: http.MethodGet, Path: "/v1/config-sets/{id}/diff", Tags: []string{tagConfigSets},
		Summary: "Compare two versions of a config set", Description: "Tells the values that differ. What `from` and `to` leave out means the latest version and the one before it.",
	}, h.diff)
	register(r, huma.Operation{
		OperationID: "list-config-set-users", Method: http.MethodGet, Path: "/v1/config-sets/{id}/users", Tags: []string{tagConfigSets},
		Summary: "List what uses a config set", Description: "Every living environment that it is merged into.",
	}, h.users)
	register(r, huma.Operation{
		OperationID: "get-config-set-impact", Method: http.MethodPost, Path: "/v1/config-sets/{id}/impact", Tags: []string{tagConfigSets},
		Summary: "Ask what a version would change",
		Description: "Tells which environments would change, and which of their values and rendered fields, if another version were merged into them: " +
			"one that exists, or content that does not yet. Nothing is stored.",
	}, h.impact)
	r.example(http.MethodPost, "/v1/config-sets/{id}/impact", sdk.ConfigImpactRequest{Content: exampleValues})
}

// ConfigSetByID names a config set.
type ConfigSetByID struct {
	strict
	ID string `path:"id" doc:"Id of the config set" example:"cfg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// CatalogueList is a list of what projects and the installation keep.
type CatalogueList struct {
	strict
	Project string `query:"project" doc:"Project to list; absent means the default project" example:"default"`
	Scope   string `query:"scope" enum:"project,global,all" doc:"Those of the project, the global ones, or both; absent means all" example:"all"`
	Search  string `query:"q" maxLength:"200" doc:"Only with this text in the name; case does not matter" example:"shop"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
	Cursor  string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before"`
}

func (in CatalogueList) query() (blueberry.CatalogueQuery, error) {
	q := blueberry.CatalogueQuery{Project: in.Project, Global: in.Scope != "project", Search: in.Search, Limit: pageSize(in.Limit), Cursor: in.Cursor}
	switch {
	case in.Scope == "global" && in.Project != "":
		return q, blueberry.Faults{{Field: "project", Code: "exclusive", Message: "what is global belongs to no project"}}.Err()
	case in.Scope != "global" && in.Project == "":
		q.Project = blueberry.DefaultProject
	}
	return q, nil
}

// edit reads what a request says of the content of a version.
func edit(content, message string, s *sdk.Source, public []string, found blueberry.Faults) catalog.Edit {
	e := catalog.Edit{Message: message, Public: public, Found: found}
	if content != "" {
		e.Content = []byte(content)
	}
	if s != nil {
		e.Repository, e.Ref, e.Path = s.Repository, s.Ref, s.Path
	}
	return e
}

type createConfigSetInput struct {
	strict
	OnceHeader
	Body body[sdk.CreateConfigSetRequest]
}

func (in *createConfigSetInput) request() catalog.NewConfig {
	b := in.Body.Value
	return catalog.NewConfig{Project: b.Project, Global: b.Global, Name: b.Name, Edit: edit(b.Content, b.Message, b.Source, b.Public, in.Body.unknown)}
}

func (h configSets) create(ctx context.Context, in *createConfigSetInput) (*made[sdk.EditedConfigSet], error) {
	return editedConfigSet(h.operations.CreateConfigSet(ctx, actorOf(ctx), in.request()))
}

func (h configSets) check(ctx context.Context, in *createConfigSetInput) (*nothing, error) {
	return &nothing{}, h.operations.CheckConfigSet(ctx, actorOf(ctx), in.request())
}

func editedConfigSet(e catalog.ConfigEdited, err error) (*made[sdk.EditedConfigSet], error) {
	if err != nil {
		return nil, err
	}
	return &made[sdk.EditedConfigSet]{Status: madeStatus(e.Unchanged), ETag: etag(e.Set.Version), Location: "/v1/config-sets/" + e.Set.ID, Body: wireConfigEdited(e)}, nil
}

func (h configSets) list(ctx context.Context, in *CatalogueList) (*answer[sdk.ConfigSetPage], error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	page, err := h.operations.ConfigSets(ctx, actorOf(ctx), q)
	return answered(page, err, func(p blueberry.ConfigSetPage) sdk.ConfigSetPage {
		return sdk.ConfigSetPage{Items: list(p.Items, wireConfigSet), NextCursor: p.Next}
	})
}

func (h configSets) get(ctx context.Context, in *ConfigSetByID) (*tagged[sdk.ConfigSet], error) {
	s, err := h.operations.ConfigSet(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.ConfigSet]{ETag: etag(s.Version), Location: "/v1/config-sets/" + s.ID, Body: wireConfigSet(s)}, nil
}

func (h configSets) match(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		s, err := h.operations.ConfigSet(ctx, actorOf(ctx), id)
		return s.Version, err
	})
}

type deleteConfigSetInput struct {
	ConfigSetByID
	MatchHeader
}

func (h configSets) remove(ctx context.Context, in *deleteConfigSetInput) (*nothing, error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.operations.DeleteConfigSet(ctx, actorOf(ctx), in.ID, version)
}

type editConfigSetInput struct {
	ConfigSetByID
	OnceHeader
	MatchHeader
	Body body[sdk.EditConfigSetRequest]
}

func (h configSets) edit(ctx context.Context, in *editConfigSetInput) (*made[sdk.EditedConfigSet], error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	r := edit(b.Content, b.Message, b.Source, b.Public, in.Body.unknown)
	r.IfVersion = version
	return editedConfigSet(h.operations.EditConfigSet(ctx, actorOf(ctx), in.ID, r))
}

type restoreConfigSetInput struct {
	ConfigSetByID
	OnceHeader
	MatchHeader
	Body body[sdk.RestoreConfigSetRequest]
}

func (h configSets) restore(ctx context.Context, in *restoreConfigSetInput) (*made[sdk.EditedConfigSet], error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	return editedConfigSet(h.operations.RestoreConfigSet(ctx, actorOf(ctx), in.ID, b.Version, b.Message, version))
}

type configVersionsInput struct {
	ConfigSetByID
	NumberWindow
}

func (h configSets) versions(ctx context.Context, in *configVersionsInput) (*answer[sdk.ConfigVersionList], error) {
	found, err := h.operations.ConfigVersions(ctx, actorOf(ctx), in.ID, in.Before, pageSize(in.Limit))
	return answered(found, err, func(found []blueberry.ConfigVersion) sdk.ConfigVersionList {
		out := sdk.ConfigVersionList{Items: list(found, wireConfigVersion)}
		if n := len(found); n > 0 {
			out.NextBefore = in.next(n, found[n-1].Number)
		}
		return out
	})
}

type configVersionInput struct {
	ConfigSetByID
	Number int `path:"number" minimum:"1" doc:"Number of the version" example:"3"`
}

func (h configSets) version(ctx context.Context, in *configVersionInput) (*answer[sdk.ConfigVersion], error) {
	v, err := h.operations.ConfigVersion(ctx, actorOf(ctx), in.ID, in.Number)
	return answered(v, err, wireConfigVersion)
}

type configDiffInput struct {
	ConfigSetByID
	Comparison
}

func (h configSets) diff(ctx context.Context, in *configDiffInput) (*answer[sdk.ConfigDiff], error) {
	d, err := h.operations.DiffConfig(ctx, actorOf(ctx), in.ID, in.From, in.To)
	return answered(d, err, wireConfigDiff)
}

func (h configSets) users(ctx context.Context, in *ConfigSetByID) (*answer[sdk.EnvironmentUseList], error) {
	u, err := h.operations.ConfigUsers(ctx, actorOf(ctx), in.ID)
	return answered(u, err, wireUses)
}

type impactInput struct {
	ConfigSetByID
	OnceHeader
	Body body[sdk.ConfigImpactRequest]
}

func (h configSets) impact(ctx context.Context, in *impactInput) (*answer[sdk.ConfigImpact], error) {
	b := in.Body.Value
	r := catalog.ImpactRequest{Number: b.Version, Public: b.Public, Search: b.Search, Limit: pageSize(b.Limit), Cursor: b.Cursor}
	if b.Content != "" {
		r.Content = []byte(b.Content)
	}
	i, err := h.operations.Impact(ctx, actorOf(ctx), in.ID, r)
	return answered(i, err, wireImpact)
}
