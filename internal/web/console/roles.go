package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func rolesArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			items := []menuItem{{To: "/roles", Name: "Roles", Icon: "key", Group: groupAccess}}
			if v.holds(blueberry.GrantProvidersRead) {
				items = append(items, menuItem{To: "/identity-providers", Name: "Identity providers", Icon: "badge", Group: groupAccess})
			}
			return items
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /roles": roles, "GET /access-review": accessReview, "GET /group-rules": groupRules, "GET /group-rules/new": newGroupRule, "GET /group-rules/{id}/delete": askDeleteGroupRule,
			"GET /identity-providers": identityProviders, "GET /identity-providers/new": newProvider, "GET /identity-providers/{name}": editProvider, "GET /identity-providers/{name}/delete": askDeleteProvider,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /group-rules": createGroupRule, "POST /group-rules/{id}/delete": deleteGroupRule,
			"POST /identity-providers": createProvider, "POST /identity-providers/{name}": setProvider, "POST /identity-providers/{name}/delete": deleteProvider,
		},
		Other: map[string]func(*visit) error{"GET /access-review.csv": accessReviewCSV},
		Done: map[string]string{
			"rule-made": "The rule holds now.", "rule-deleted": "The rule is gone, and what it gave with it.",
			"provider-set": "The identity provider is set.", "provider-deleted": "The identity provider is gone.",
		},
	}
}

// rolesTabs are the pages about who may do what, of which not everybody sees all.
func (v *visit) rolesTabs() []option {
	out := []option{{"/roles", "Roles"}}
	if v.holds(blueberry.GrantAccessReview) {
		out = append(out, option{"/access-review", "Who has what"})
	}
	if v.may("", blueberry.GrantMembersRead) || v.holds(blueberry.GrantProvidersRead) {
		out = append(out, option{"/group-rules", "Group rules"})
	}
	return out
}

// rolesView is a matrix of grants by roles.
type rolesView struct {
	Tabs   []option
	Roles  []sdk.Role
	Groups []grantGroup
}

// grantGroup is the grants on one kind of thing.
type grantGroup struct {
	Name  string
	Rows  []grantRow
	Apart bool // only an owner holds any of it
}

// grantRow is one grant, with who holds it in the order of the roles.
type grantRow struct {
	Grant, Verb string
	Held        []bool
}

func roles(v *visit) (page, error) {
	list, err := v.api.ListRoles(v.ctx)
	if err != nil {
		return page{}, err
	}
	x := rolesView{Tabs: v.rolesTabs(), Roles: list.Items}
	for _, g := range list.Grants {
		noun, verb, _ := strings.Cut(g, ":")
		row := grantRow{Grant: g, Verb: verb}
		for _, r := range list.Items {
			row.Held = append(row.Held, slices.Contains(r.Grants, g) || slices.Contains(r.Grants, string(blueberry.GrantAll)))
		}
		i := slices.IndexFunc(x.Groups, func(y grantGroup) bool { return y.Name == noun })
		if i < 0 {
			i, x.Groups = len(x.Groups), append(x.Groups, grantGroup{Name: noun, Apart: true})
		}
		x.Groups[i].Rows = append(x.Groups[i].Rows, row)
		for j, r := range list.Items {
			x.Groups[i].Apart = x.Groups[i].Apart && (!row.Held[j] || r.Of == "installation")
		}
	}
	slices.SortStableFunc(x.Groups, func(a, b grantGroup) int {
		switch {
		case a.Apart == b.Apart:
			return 0
		case b.Apart:
			return -1
		}
		return 1
	})
	return page{Title: "Roles", Here: "/roles", Body: rolesBody(x)}, nil
}

// grantText is a grant for people.
func grantText(g string) string {
	if g == string(blueberry.GrantAll) {
		return "everything"
	}
	return g
}

// nounText is what a grant is about, for people.
func nounText(noun string) string {
	switch noun {
	case "api-tokens":
		return "API tokens of others"
	case "oauth-clients":
		return "OAuth clients"
	case "ci":
		return "CI"
	case "sessions":
		return "Sessions of others"
	}
	text := strings.ReplaceAll(noun, "-", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// groupRulesView is what groups of identity providers give.
type groupRulesView struct {
	Tabs    []option
	Items   []sdk.GroupRule
	MayMake bool
	May     map[string]bool // by id: to delete it
}

func groupRules(v *visit) (page, error) {
	list, err := v.api.ListGroupRules(v.ctx)
	if err != nil {
		return page{}, err
	}
	x := groupRulesView{Tabs: v.rolesTabs(), Items: list.Items, MayMake: v.may("", blueberry.GrantMembersWrite), May: map[string]bool{}}
	for _, r := range list.Items {
		x.May[r.ID] = v.who.CanIn(r.Project, blueberry.GrantMembersWrite) == nil
	}
	return page{Title: "Group rules", Here: "/roles", Body: groupRulesBody(x), Watch: interest{Any: true}}, nil
}

var groupRulesTrail = []option{{"/roles", "Roles"}, {"/group-rules", "Group rules"}}

func newGroupRule(v *visit) (page, error) { return v.newGroupRule(nil) }

func (v *visit) wantedGroupRule() sdk.CreateGroupRuleRequest {
	r := sdk.CreateGroupRuleRequest{Provider: v.entered("provider", ""), Group: v.entered("group", ""), Project: v.entered("project", v.r.URL.Query().Get("project")), Role: v.entered("role", "developer")}
	if r.Role == string(blueberry.RoleOwner) {
		r.Project = ""
	}
	return r
}

func (v *visit) newGroupRule(problem *sdk.Problem) (page, error) {
	projects, err := v.projectsWith(blueberry.GrantMembersWrite)
	if err != nil {
		return page{}, err
	}
	if len(projects) == 0 {
		return page{}, v.needs("", blueberry.GrantMembersWrite)
	}
	r := v.wantedGroupRule()
	provider := input{Name: "provider", Label: "Identity provider", Value: r.Provider, Required: true, Code: true, Hint: "By its name, as an owner set it."}
	if v.holds(blueberry.GrantProvidersRead) {
		list, err := v.api.ListIdentityProviders(v.ctx)
		if err != nil {
			return page{}, err
		}
		provider.Kind, provider.Hint = "select", ""
		for _, p := range list.Items {
			provider.Options = append(provider.Options, option{p.Name, p.Label})
		}
		if len(provider.Options) == 0 {
			provider.Options, provider.Hint = []option{{"", "none is set"}}, "Set an identity provider first."
		}
	}
	roles := roleOptions()
	if v.holds(blueberry.GrantAll) {
		roles = append(roles, option{"owner", "owner: everything, in the whole installation"})
	}
	return asked("Group rules", "/roles", groupRulesTrail, ask{
		Title: "New group rule", What: "Everybody whom the identity provider names in this group has the role, as long as it does so.", Action: "/group-rules", Label: "Make it", Back: "/group-rules", Problem: problem,
		Inputs: []input{
			provider,
			{Name: "group", Label: "Group", Value: r.Group, Required: true, Code: true, Placeholder: "platform", Hint: "As the provider spells it."},
			{Name: "role", Label: "Role", Kind: "select", Value: r.Role, Options: roles},
			{Name: "project", Label: "In project", Kind: "select", Value: r.Project, Options: optionsOf(projects...), Hint: "Does not count for owner, which is of the installation."},
		},
		CLI: command("group-rule add", "provider", cmp.Or(r.Provider, "google"), "group", cmp.Or(r.Group, "platform"), "role", r.Role, "project", r.Project), Call: "POST /v1/group-rules", Body: jsonOf(r),
	}), nil
}

func createGroupRule(v *visit) (string, error) {
	if _, err := v.api.CreateGroupRule(v.ctx, v.wantedGroupRule()); err != nil {
		return "", v.formAgain(err, v.newGroupRule)
	}
	return "/group-rules?done=rule-made", nil
}

func (v *visit) groupRule() (sdk.GroupRule, error) {
	list, err := v.api.ListGroupRules(v.ctx)
	if err != nil {
		return sdk.GroupRule{}, err
	}
	i := slices.IndexFunc(list.Items, func(r sdk.GroupRule) bool { return r.ID == v.r.PathValue("id") })
	if i < 0 {
		return sdk.GroupRule{}, &sdk.Problem{Status: http.StatusNotFound, Code: "GROUP_RULE_NOT_FOUND", Detail: "there is no such group rule"}
	}
	r := list.Items[i]
	return r, v.needs(r.Project, blueberry.GrantMembersWrite)
}

func askDeleteGroupRule(v *visit) (page, error) {
	r, err := v.groupRule()
	if err != nil {
		return page{}, err
	}
	return asked("Group rules", "/roles", groupRulesTrail, ask{
		Title: "Delete the rule", Danger: true, Label: "Delete it", Action: accessPath("group-rules", r.ID, "delete"), Back: "/group-rules",
		What: "Everybody in the group " + r.Group + " of " + r.Provider + " loses the role " + r.Role + " in " + cmp.Or(r.Project, "the installation") + ", at once, unless they have it in another way.",
		CLI:  command("group-rule delete " + r.ID), Call: "DELETE /v1/group-rules/" + r.ID,
	}), nil
}

func deleteGroupRule(v *visit) (string, error) {
	if err := v.api.DeleteGroupRule(v.ctx, v.r.PathValue("id")); err != nil {
		return "", err
	}
	return "/group-rules?done=rule-deleted", nil
}
