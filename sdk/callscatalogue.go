package sdk

import (
	"context"
	"iter"
	"net/http"
	"strconv"
)

// ValidateBlueprint tells every fault of a blueprint as a *Problem, or what it would become.
func (c *Client) ValidateBlueprint(ctx context.Context, r BlueprintRequest, options ...CallOption) (BlueprintCheck, error) {
	return fetch[BlueprintCheck](ctx, c, post(r, "blueprints", "validate"), options...)
}

// RenderBlueprint gives the manifests that a blueprint renders to. Nothing is stored.
func (c *Client) RenderBlueprint(ctx context.Context, r BlueprintRequest, options ...CallOption) (BlueprintRendering, error) {
	return fetch[BlueprintRendering](ctx, c, post(r, "blueprints", "render"), options...)
}

// PublishBlueprint makes a version of a blueprint of the catalogue, and the blueprint if it is the first.
func (c *Client) PublishBlueprint(ctx context.Context, r PublishBlueprintRequest, options ...CallOption) (PublishedBlueprint, error) {
	return fetch[PublishedBlueprint](ctx, c, post(r, "blueprints"), options...)
}

// ListBlueprints reads one page of the catalogue.
func (c *Client) ListBlueprints(ctx context.Context, f CatalogueFilter) (CataloguePage, error) {
	return fetch[CataloguePage](ctx, c, f.call("blueprints"))
}

// AllBlueprints reads page after page. It ends after the first error.
func (c *Client) AllBlueprints(ctx context.Context, f CatalogueFilter) iter.Seq2[CatalogueEntry, error] {
	return pages(f.Cursor, func(cursor string) ([]CatalogueEntry, string, error) {
		f.Cursor = cursor
		page, err := c.ListBlueprints(ctx, f)
		return page.Items, page.NextCursor, err
	})
}

// GetBlueprint reads one blueprint of the catalogue by id.
func (c *Client) GetBlueprint(ctx context.Context, id string) (CatalogueEntry, error) {
	return fetch[CatalogueEntry](ctx, c, newCall(http.MethodGet, "blueprints", id))
}

// DeleteBlueprint removes a blueprint of the catalogue that no environment uses.
func (c *Client) DeleteBlueprint(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "blueprints", id), options...)
}

// ListBlueprintVersions reads versions of a blueprint of the catalogue, newest first.
func (c *Client) ListBlueprintVersions(ctx context.Context, id string, w Window) (CatalogueVersionList, error) {
	return fetch[CatalogueVersionList](ctx, c, w.call("blueprints", id, "versions"))
}

// AllBlueprintVersions reads run after run, newest first. It ends after the first error.
func (c *Client) AllBlueprintVersions(ctx context.Context, id string, w Window) iter.Seq2[CatalogueVersion, error] {
	return runs(w, func(w Window) ([]CatalogueVersion, int, error) {
		run, err := c.ListBlueprintVersions(ctx, id, w)
		return run.Items, run.NextBefore, err
	})
}

// GetBlueprintVersion reads one version with its content.
func (c *Client) GetBlueprintVersion(ctx context.Context, id string, number int) (CatalogueVersion, error) {
	return fetch[CatalogueVersion](ctx, c, newCall(http.MethodGet, "blueprints", id, "versions", strconv.Itoa(number)))
}

// ListBlueprintUsers reads the living environments that are made of a blueprint of the catalogue.
func (c *Client) ListBlueprintUsers(ctx context.Context, id string) (EnvironmentUseList, error) {
	return fetch[EnvironmentUseList](ctx, c, newCall(http.MethodGet, "blueprints", id, "users"))
}

// CreatePolicy makes a policy. It judges every plan from now on.
func (c *Client) CreatePolicy(ctx context.Context, r CreatePolicyRequest, options ...CallOption) (Policy, error) {
	return fetch[Policy](ctx, c, post(r, "policies"), options...)
}

// CheckPolicy tells every fault of a policy as a *Problem. Nothing is stored.
func (c *Client) CheckPolicy(ctx context.Context, r CreatePolicyRequest) error {
	return c.do(ctx, post(r, "policies", "check"))
}

// ListPolicies reads the policies of the installation and of a project; empty means of every project.
func (c *Client) ListPolicies(ctx context.Context, project string) (PolicyList, error) {
	k := newCall(http.MethodGet, "policies")
	k.set("project", project)
	return fetch[PolicyList](ctx, c, k)
}

// GetPolicy reads one policy by id.
func (c *Client) GetPolicy(ctx context.Context, id string) (Policy, error) {
	return fetch[Policy](ctx, c, newCall(http.MethodGet, "policies", id))
}

// UpdatePolicy gives a policy another text.
func (c *Client) UpdatePolicy(ctx context.Context, id string, r UpdatePolicyRequest, options ...CallOption) (Policy, error) {
	return fetch[Policy](ctx, c, put(r, "policies", id), options...)
}

// DeletePolicy removes a policy.
func (c *Client) DeletePolicy(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "policies", id), options...)
}

// ListProjects reads every project with its quota and what is used of it.
func (c *Client) ListProjects(ctx context.Context) (ProjectList, error) {
	return fetch[ProjectList](ctx, c, newCall(http.MethodGet, "projects"))
}

// GetProject reads one project by name.
func (c *Client) GetProject(ctx context.Context, name string) (Project, error) {
	return fetch[Project](ctx, c, newCall(http.MethodGet, "projects", name))
}

// SetProjectQuota sets all limits of a project. What runs already stays, also above a limit.
func (c *Client) SetProjectQuota(ctx context.Context, name string, q Quota, options ...CallOption) (Project, error) {
	return fetch[Project](ctx, c, put(q, "projects", name, "quota"), options...)
}

func put(body any, path ...string) *call {
	k := newCall(http.MethodPut, path...)
	k.body = body
	return k
}
