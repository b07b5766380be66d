package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/sdk"
)

// router registers operations. Each becomes a route and an entry of the document.
type router struct {
	api    huma.API
	logger *slog.Logger
}

// strictCasing: huma keeps this choice for the whole process. "NAME" is not the field "name".
var strictCasing = sync.OnceFunc(func() { huma.ValidateStrictCasing = true })

// config is huma without what we do ourselves: its pages, its links to schemas, its error model.
func config(version string) huma.Config {
	strictCasing()
	c := huma.DefaultConfig("Blueberry", version)
	c.Info.Description = "Environments on Kubernetes from a Git repository: plan, ask, watch, change, roll back, extend, destroy. " +
		"Every call but those that sign in needs a token as `Authorization: Bearer …`, or the session of a browser. What a call refuses comes as `application/problem+json` with every fault by field."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Servers = []*huma.Server{{URL: "/"}}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Transformers = []huma.Transformer{transformProblem}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {
			Type: "http", Scheme: "bearer",
			Description: "An API token, or an access token of OAuth 2.0. The server makes a first API token at its first start and says where it is.",
		},
		"session": {Type: "apiKey", In: "cookie", Name: access.SessionCookie, Description: "The session of a browser. A change by it must come from a page of this server."},
	}
	c.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	c.Tags = []*huma.Tag{
		{Name: tagEnvironments, Description: "Running instances of a blueprint, each with a lease."},
		{Name: tagPlans, Description: "What a change would do, before it is done: signed, applied at most once, and only while nothing that it leans on has moved."},
		{Name: tagRevisions, Description: "The accepted desired states of an environment, what they are made of, and the way back."},
		{Name: tagInsight, Description: "Why an environment is as it is: causes, what happened, logs, live objects, and commands in its containers."},
		{Name: tagArchives, Description: "What is left of environments that ended, for how long, and the way back."},
		{Name: tagDrift, Description: "What another hand altered on the target."},
		{Name: tagEvents, Description: "Facts that happened, in the order in which they were recorded."},
		{Name: tagConfigSets, Description: "Versioned named values that are merged into environments."},
		{Name: tagBlueprints, Description: "What an environment is made of."},
		{Name: tagPolicies, Description: "Rules in Cedar that judge plans."},
		{Name: tagRepositories, Description: "Repositories whose pull requests bring their own environments, and what their hosts send. Deliveries come in at `POST /hooks/{id}`, signed by the host."},
		{Name: tagCI, Description: "What pipelines say of commits: stages, images, tests, coverage, scans; and findings that are let pass for a time. A pipeline without a token reports at `POST /hooks/{id}/ci`, signed by a webhook secret of the repository."},
		{Name: tagSubscriptions, Description: "Who is told of events, by webhook, chat or mail, and what became of each notice."},
		{Name: tagProjects, Description: "Boundaries of ownership, quota and permission, with their members."},
		{Name: tagServiceAccounts, Description: "Programs of a project, which act by API tokens."},
		{Name: tagUsers, Description: "The accounts of people."},
		{Name: tagAccount, Description: "Who is asking: their own account, and how they prove who they are."},
		{Name: tagSignIn, Description: "Sessions of browsers, and the ways to get one. What opens a session needs no credential."},
		{Name: tagTokens, Description: "Secrets by which programs act, never above the one who made them."},
		{Name: tagOAuth, Description: "Programs that act for people by OAuth 2.0, and what was issued to them. The protocol itself is at /.well-known/oauth-authorization-server."},
		{Name: tagProviders, Description: "Places that vouch for people, and the roles that their groups give."},
		{Name: tagAudit, Description: "Who did what, who has what, and emergencies."},
		{Name: tagJobs, Description: "The server's durable work."},
		{Name: tagTargets, Description: "The places that can hold environments, and what was found there that is of none."},
		{Name: tagInstallation, Description: "The server."},
	}
	return c
}

// The tags of operations, in the order of the document.
const (
	tagEnvironments    = "Environments"
	tagPlans           = "Plans"
	tagRevisions       = "Revisions"
	tagInsight         = "Insight"
	tagArchives        = "Archives"
	tagDrift           = "Drift"
	tagEvents          = "Events"
	tagConfigSets      = "Config sets"
	tagBlueprints      = "Blueprints"
	tagPolicies        = "Policies"
	tagRepositories    = "Repositories"
	tagCI              = "CI"
	tagSubscriptions   = "Subscriptions"
	tagProjects        = "Projects"
	tagServiceAccounts = "Service accounts"
	tagUsers           = "Users"
	tagAccount         = "Account"
	tagSignIn          = "Sign-in"
	tagTokens          = "API tokens"
	tagOAuth           = "OAuth"
	tagProviders       = "Identity providers"
	tagAudit           = "Audit"
	tagJobs            = "Jobs"
	tagTargets         = "Targets"
	tagInstallation    = "Installation"
)

// metaRegistry is where an operation's metadata keeps the registry of schemas.
const metaRegistry = "registry"

// metaGathers marks an operation that takes the unknown fields of its body as faults, to tell them with those that it finds itself.
const metaGathers = "gathers"

// register adds one operation. What h returns as error becomes a problem here and nowhere else.
func register[I, O any](r *router, op huma.Operation, h func(ctx context.Context, in *I) (*O, error)) {
	registry := r.api.OpenAPI().Components.Schemas
	op.SkipValidateBody = true // body does it, so that the operation can tell its own faults with the rest
	op.BodyReadTimeout = -1    // the gateway has read the body
	op.MaxBodyBytes = max(maxBody+1, op.MaxBodyBytes)
	if op.Metadata == nil {
		op.Metadata = map[string]any{}
	}
	op.Metadata[metaRegistry] = registry
	op.Responses = map[string]*huma.Response{"default": {
		Description: "The call is refused, or failed",
		Content: map[string]*huma.MediaType{
			problemType: {Schema: registry.Schema(reflect.TypeFor[sdk.Problem](), true, "Problem")},
		},
	}}
	if publicRoutes()[op.Method+" "+op.Path] {
		op.Security = []map[string][]string{}
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	op.Responses[statusKey(op.DefaultStatus)] = &huma.Response{Description: http.StatusText(op.DefaultStatus)}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, refuse(ctx, r.logger, err)
		}
		return out, nil
	})
}

// example gives the body of an operation an example that makes sense as a whole; one made of the examples of all fields would set what excludes each other.
func (r *router) example(method, path string, body any) {
	item := r.api.OpenAPI().Paths[path]
	op := map[string]*huma.Operation{http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch}[method]
	op.RequestBody.Content["application/json"].Example = body
}

// unchanged documents that a POST which makes something answers 200 when it is so already.
func (r *router) unchanged(path string) {
	answers := r.api.OpenAPI().Paths[path].Post.Responses
	made := answers[statusKey(http.StatusCreated)]
	answers[statusKey(http.StatusOK)] = &huma.Response{Description: "It is so already: nothing was made", Headers: made.Headers, Content: made.Content}
}

// document finishes the OpenAPI document: huma adds its own error model to the schemas, which nothing here refers to.
func (r *router) document() *huma.OpenAPI {
	doc := r.api.OpenAPI()
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	return doc
}

// documentJSON gives the document indented, its keys sorted, so that a change of the API is read as a small diff.
func documentJSON(doc *huma.OpenAPI) ([]byte, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(tree); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// strict is embedded by inputs: a query parameter that the operation does not have is a fault, told with the others.
type strict struct{}

// Resolve finds unknown query parameters.
func (strict) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	if u.RawQuery == "" {
		return nil
	}
	known := map[string]bool{}
	for _, p := range ctx.Operation().Parameters {
		if p.In == "query" {
			known[p.Name] = true
		}
	}
	var faults []error
	for name := range u.Query() {
		if !known[name] {
			faults = append(faults, &huma.ErrorDetail{Location: "query." + name, Message: messageUnknownParameter})
		}
	}
	return faults
}
