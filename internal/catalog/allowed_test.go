package catalog_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// The projects of these tests: people are members of own, and must not learn of other. What is common to all belongs to neither.
const (
	own    = "own"
	other  = "other"
	common = ""
)

// things are the ids of what a project has, or of what is common to all.
type things struct{ project, set, blueprint, policy string }

// stock puts a config set, a blueprint and a policy into both projects and into none.
func (h *house) stock(t *testing.T) map[string]things {
	t.Helper()
	ctx := t.Context()
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.PutProject(ctx, blueberry.Project{Name: own}), tx.PutProject(ctx, blueberry.Project{Name: other}))
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]things{}
	for _, project := range []string{own, other, common} {
		set, err := h.CreateConfigSet(ctx, admin, catalog.NewConfig{Project: project, Global: project == "", Name: "base", Edit: catalog.Edit{Content: []byte("web: {replicas: 2}\n")}})
		if err != nil {
			t.Fatal(err)
		}
		blueprint, err := h.PublishBlueprint(ctx, admin, catalog.NewBlueprint{
			Project: project, Global: project == "", Edit: catalog.Edit{Content: []byte("name: shop\ncomponents:\n- {name: web, image: \"acme/web:1\"}\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		policy, err := h.CreatePolicy(ctx, admin, catalog.NewPolicy{Project: project, Installation: project == "", Name: "rule", Text: rule})
		if err != nil {
			t.Fatal(err)
		}
		out[project] = things{project, set.Set.ID, blueprint.Entry.ID, policy.ID}
	}
	return out
}

const rule = `forbid(principal, action, resource is Environment) when { resource.lease_hours > 8 };`

// operation is one that takes a grant. A write among them is made so that it is refused for another reason when the grant is there.
type operation struct {
	grant  blueberry.Grant
	writes bool
	named  bool // it names a project, not a thing
	do     func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error
}

func operations() map[string]operation {
	type call = func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error
	configs := map[string]call{
		"config set": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.ConfigSet(ctx, a, x.set)
			return err
		},
		"config version": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.ConfigVersion(ctx, a, x.set, 0)
			return err
		},
		"config versions": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.ConfigVersions(ctx, a, x.set, 0, 0)
			return err
		},
		"config diff": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.DiffConfig(ctx, a, x.set, 0, 0)
			return err
		},
		"config users": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.ConfigUsers(ctx, a, x.set)
			return err
		},
		"impact": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.Impact(ctx, a, x.set, catalog.ImpactRequest{})
			return err
		},
		"impact with faults": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.Impact(ctx, a, x.set, catalog.ImpactRequest{Limit: -1})
			return err
		},
		"impact of content": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.Impact(ctx, a, x.set, catalog.ImpactRequest{Content: []byte("web: {}")})
			return err
		},
	}
	blueprints := map[string]call{
		"blueprint": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.BlueprintEntry(ctx, a, x.blueprint)
			return err
		},
		"blueprint version": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.BlueprintVersion(ctx, a, x.blueprint, 0)
			return err
		},
		"blueprint versions": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.BlueprintVersions(ctx, a, x.blueprint, 0, 0)
			return err
		},
		"blueprint users": func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.BlueprintUsers(ctx, a, x.blueprint)
			return err
		},
	}
	out := map[string]operation{
		"edit": {grant: blueberry.GrantConfigWrite, writes: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.EditConfigSet(ctx, a, x.set, catalog.Edit{IfVersion: 77})
			return err
		}},
		"restore": {grant: blueberry.GrantConfigWrite, writes: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.RestoreConfigSet(ctx, a, x.set, 9, "", 0)
			return err
		}},
		"delete config set": {grant: blueberry.GrantConfigDelete, writes: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			return c.DeleteConfigSet(ctx, a, x.set, 77)
		}},
		"create config set": {grant: blueberry.GrantConfigWrite, writes: true, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.CreateConfigSet(ctx, a, catalog.NewConfig{Project: x.project, Global: x.project == "", Name: "base", Edit: catalog.Edit{Content: []byte("web: {}")}})
			return err
		}},
		"check config set": {grant: blueberry.GrantConfigRead, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			return c.CheckConfigSet(ctx, a, catalog.NewConfig{Project: x.project, Global: x.project == "", Name: "base", Edit: catalog.Edit{Content: []byte("web: {}")}})
		}},
		"delete blueprint": {grant: blueberry.GrantBlueprintsWrite, writes: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			return c.DeleteBlueprint(ctx, a, x.blueprint, 77)
		}},
		"publish": {grant: blueberry.GrantBlueprintsWrite, writes: true, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.PublishBlueprint(ctx, a, catalog.NewBlueprint{Project: x.project, Global: x.project == "", Edit: catalog.Edit{Content: []byte("name: No")}})
			return err
		}},
		"policy": {grant: blueberry.GrantPoliciesRead, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.Policy(ctx, a, x.policy)
			return err
		}},
		"check policy": {grant: blueberry.GrantPoliciesRead, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			return c.CheckPolicy(ctx, a, catalog.NewPolicy{Project: x.project, Installation: x.project == "", Name: "new", Text: rule})
		}},
		"create policy": {grant: blueberry.GrantPoliciesWrite, writes: true, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.CreatePolicy(ctx, a, catalog.NewPolicy{Project: x.project, Installation: x.project == "", Name: "rule", Text: rule})
			return err
		}},
		"update policy": {grant: blueberry.GrantPoliciesWrite, writes: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.UpdatePolicy(ctx, a, x.policy, catalog.NewPolicy{IfVersion: 77})
			return err
		}},
		"delete policy": {grant: blueberry.GrantPoliciesWrite, writes: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			return c.DeletePolicy(ctx, a, x.policy, 77)
		}},
		"find config set": {grant: blueberry.GrantConfigRead, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.FindConfigSet(ctx, a, x.project, "base")
			return err
		}},
		"find blueprint": {grant: blueberry.GrantBlueprintsRead, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.FindBlueprint(ctx, a, x.project, "shop")
			return err
		}},
		"list config sets": {grant: blueberry.GrantConfigRead, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.ConfigSets(ctx, a, blueberry.CatalogueQuery{Project: x.project, Global: true})
			return err
		}},
		"list blueprints": {grant: blueberry.GrantBlueprintsRead, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.Blueprints(ctx, a, blueberry.CatalogueQuery{Project: x.project, Global: true})
			return err
		}},
		"list policies": {grant: blueberry.GrantPoliciesRead, named: true, do: func(ctx context.Context, c *catalog.Catalog, a blueberry.Actor, x things) error {
			_, err := c.Policies(ctx, a, x.project)
			return err
		}},
	}
	for name, do := range configs {
		out[name] = operation{grant: blueberry.GrantConfigRead, do: do}
	}
	for name, do := range blueprints {
		out[name] = operation{grant: blueberry.GrantBlueprintsRead, do: do}
	}
	return out
}

// told is all that an actor hears of an error. Denied is for the audit.
func told(err error) string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return "other: " + errorText(err)
	}
	return string(e.Kind) + " " + e.Code + " " + e.Error()
}

func errorText(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}

func member(grants ...blueberry.Grant) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "mia@example.com", Projects: map[string][]blueberry.Grant{own: grants}}
}

// TestEveryOperationOfEveryProject: who holds the grant where a thing belongs may; who is in the project without it hears what they lack; for all others it
// is not there, told in the very words that are true on a record where it never was.
func TestEveryOperationOfEveryProject(t *testing.T) {
	t.Parallel()
	h, empty := newHouse(t, storetest.SQLite(t)), newHouse(t, storetest.SQLite(t))
	all := h.stock(t)
	const may, refused, hidden = "may", "refused", "hidden"
	for name, op := range operations() {
		inCommon, without := refused, refused
		if !op.writes {
			inCommon = may
		}
		gone := hidden
		if op.named {
			gone = refused // what is common to all as such is no secret
		}
		for reason, tc := range map[string]struct {
			actor   blueberry.Actor
			project string
			want    string
		}{
			"member with it, own":          {member(op.grant), own, may},
			"member with it, other":        {member(op.grant), other, hidden},
			"member with it, common":       {member(op.grant), common, inCommon},
			"member without it, own":       {member(blueberry.GrantMembersRead), own, refused},
			"member without it, other":     {member(blueberry.GrantMembersRead), other, hidden},
			"member without it, common":    {member(blueberry.GrantMembersRead), common, without},
			"stranger, own":                {stranger, own, hidden},
			"stranger, other":              {stranger, other, hidden},
			"stranger, common":             {stranger, common, gone},
			"installation, own":            {holding(op.grant), own, may},
			"installation, other":          {holding(op.grant), other, may},
			"installation, common":         {holding(op.grant), common, may},
			"installation without, own":    {holding(blueberry.GrantTargetsRead), own, refused},
			"installation without, common": {holding(blueberry.GrantTargetsRead), common, refused},
		} {
			err := op.do(t.Context(), h.Catalog, tc.actor, all[tc.project])
			var e *blueberry.Error
			errors.As(err, &e)
			switch tc.want {
			case may:
				if errors.Is(err, blueberry.Forbidden) || errors.Is(err, blueberry.NotFound) {
					t.Errorf("%s, %s: %v", name, reason, err)
				}
			case refused:
				if !errors.Is(err, blueberry.Forbidden) || e.Denied != op.grant || !strings.Contains(err.Error(), string(op.grant)) || !strings.Contains(err.Error(), tc.project) {
					t.Errorf("%s, %s: %v, want a refusal that names %s", name, reason, err, op.grant)
				}
			case hidden:
				never := op.do(t.Context(), empty.Catalog, tc.actor, all[tc.project])
				if !errors.Is(err, blueberry.NotFound) || e.Denied != op.grant {
					t.Errorf("%s, %s: %v, want that it is not there, noted as a denial", name, reason, err)
				}
				if diff := cmp.Diff(told(never), told(err)); diff != "" {
					t.Errorf("%s, %s: it is told otherwise than what never was (-never +there):\n%s", name, reason, diff)
				}
			}
		}
	}
}

func holding(grants ...blueberry.Grant) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_2", Name: "ci", Grants: grants}
}

// TestListsHide: a list shows what is common to all and what is of the projects in which the actor holds the grant.
func TestListsHide(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		h.stock(t)
		ctx := t.Context()
		lists := map[blueberry.Grant]func(a blueberry.Actor, q blueberry.CatalogueQuery) ([]string, string, error){
			blueberry.GrantConfigRead: func(a blueberry.Actor, q blueberry.CatalogueQuery) (out []string, next string, err error) {
				page, err := h.ConfigSets(ctx, a, q)
				for _, x := range page.Items {
					out = append(out, x.Project)
				}
				return out, page.Next, err
			},
			blueberry.GrantBlueprintsRead: func(a blueberry.Actor, q blueberry.CatalogueQuery) (out []string, next string, err error) {
				page, err := h.Blueprints(ctx, a, q)
				for _, x := range page.Items {
					out = append(out, x.Project)
				}
				return out, page.Next, err
			},
			blueberry.GrantPoliciesRead: func(a blueberry.Actor, q blueberry.CatalogueQuery) (out []string, next string, err error) {
				if q.Global && q.Project == "" {
					return []string{common}, "", nil // there is no such list of policies
				}
				list, err := h.Policies(ctx, a, q.Project)
				for _, x := range list {
					if x.Project != common || q.Global || q.Project == "" {
						out = append(out, x.Project)
					}
				}
				return out, "", err
			},
		}
		for grant, list := range lists {
			for reason, tc := range map[string]struct {
				actor blueberry.Actor
				query blueberry.CatalogueQuery
				want  []string
				code  string
			}{
				"all of a member":              {member(grant), blueberry.CatalogueQuery{}, []string{common, own}, ""},
				"all of the installation":      {holding(grant), blueberry.CatalogueQuery{}, []string{common, own, other}, ""},
				"the member's project":         {member(grant), blueberry.CatalogueQuery{Project: own}, []string{own}, ""},
				"with what is common":          {member(grant), blueberry.CatalogueQuery{Project: own, Global: true}, []string{common, own}, ""},
				"only what is common":          {member(grant), blueberry.CatalogueQuery{Global: true}, []string{common}, ""},
				"another project":              {member(grant), blueberry.CatalogueQuery{Project: other}, nil, "PROJECT_NOT_FOUND"},
				"without the grant":            {member(blueberry.GrantMembersRead), blueberry.CatalogueQuery{}, nil, "GRANT_MISSING"},
				"own without the grant":        {member(blueberry.GrantMembersRead), blueberry.CatalogueQuery{Project: own}, nil, "GRANT_MISSING"},
				"a stranger":                   {stranger, blueberry.CatalogueQuery{}, nil, "GRANT_MISSING"},
				"what was set by who asks":     {member(grant), blueberry.CatalogueQuery{In: []string{other}}, []string{common, own}, ""},
				"set beside a project of ours": {member(grant), blueberry.CatalogueQuery{Project: own, In: []string{other}}, []string{own}, ""},
			} {
				got, _, err := list(tc.actor, tc.query)
				var e *blueberry.Error
				if errors.As(err, &e); err != nil && e.Code != tc.code || err == nil && tc.code != "" {
					t.Errorf("%s, %s: %v, want %q", grant, reason, err, tc.code)
				}
				if diff := cmp.Diff(sortedTexts(tc.want), sortedTexts(got)); diff != "" {
					t.Errorf("%s, %s: projects (-want +got):\n%s", grant, reason, diff)
				}
			}
			// The cursor of who sees more is none of who sees less.
			if _, next, err := list(holding(grant), blueberry.CatalogueQuery{Limit: 1}); err == nil && next != "" {
				if _, _, err := list(member(grant), blueberry.CatalogueQuery{Cursor: next}); !errors.Is(err, blueberry.Invalid) {
					t.Errorf("%s: the cursor of another's list: %v", grant, err)
				}
			}
		}
	})
}

// TestUsersOfOthersAreNotNamed: what is common to all is used in projects that a reader may not know of.
func TestUsersOfOthersAreNotNamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	all := h.stock(t)
	set, err := h.ConfigSet(ctx, admin, all[common].set)
	if err != nil {
		t.Fatal(err)
	}
	web := blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}}}
	for project, names := range map[string][]string{own: {"pr-1"}, other: {"secret-1", "secret-2"}} {
		for _, name := range names {
			in := blueberry.Inputs{
				Blueprint: web, Catalogue: blueberry.BlueprintRef{EntryID: all[common].blueprint, Global: true, Name: "shop", Version: 1, Follow: true},
				Config: []blueberry.ConfigUse{uses(set, 1, true)},
			}
			err := h.store.Update(ctx, func(tx *store.Tx) error { _, err := insertUser(ctx, tx, project, name, in, h.clock.now()); return err })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	mia := member(blueberry.GrantConfigRead, blueberry.GrantBlueprintsRead, blueberry.GrantEnvironmentsRead)
	blind := holding(blueberry.GrantConfigRead, blueberry.GrantConfigDelete, blueberry.GrantBlueprintsRead, blueberry.GrantBlueprintsWrite)
	for reason, tc := range map[string]struct {
		actor  blueberry.Actor
		names  []string
		hidden int
	}{
		"a member sees their own":                {mia, []string{"pr-1"}, 2},
		"an administrator sees all":              {admin, []string{"pr-1", "secret-1", "secret-2"}, 0},
		"without environments:read none":         {blind, nil, 3},
		"a member without environments:read too": {member(blueberry.GrantConfigRead, blueberry.GrantBlueprintsRead), nil, 3},
	} {
		for what, read := range map[string]func() (catalog.Users, error){
			"config set": func() (catalog.Users, error) { return h.ConfigUsers(ctx, tc.actor, set.ID) },
			"blueprint":  func() (catalog.Users, error) { return h.BlueprintUsers(ctx, tc.actor, all[common].blueprint) },
			"impact": func() (catalog.Users, error) {
				i, err := h.Impact(ctx, tc.actor, set.ID, catalog.ImpactRequest{Content: []byte("web: {replicas: 5}\n")})
				out := catalog.Users{Hidden: i.Hidden}
				n := 0
				for _, g := range i.Groups {
					n += g.Environments
				}
				for _, e := range i.Page {
					out.Items = append(out.Items, e.ConfigUser)
				}
				if n != len(tc.names) || i.Total != n || i.Change != n {
					t.Errorf("%s: groups of %d, total %d, change %d", reason, n, i.Total, i.Change)
				}
				return out, err
			},
		} {
			users, err := read()
			var names []string
			for _, u := range users.Items {
				names = append(names, u.Name)
			}
			if diff := cmp.Diff(tc.names, sortedTexts(names)); diff != "" || err != nil || users.Hidden != tc.hidden {
				t.Errorf("%s, %s: %d hidden, want %d (%v)\n%s", reason, what, users.Hidden, tc.hidden, err, diff)
			}
		}
	}
	for what, err := range map[string]error{"config set": h.DeleteConfigSet(ctx, blind, set.ID, 0), "blueprint": h.DeleteBlueprint(ctx, blind, all[common].blueprint, 0)} {
		if !errors.Is(err, blueberry.Conflict) || strings.Contains(err.Error(), "secret-") || !strings.Contains(err.Error(), "3 environments") {
			t.Errorf("refusal to delete a %s: %v", what, err)
		}
	}
}

// TestAuditOfTheCatalogue: each entry names its project and the fields that changed, and no value of a config set.
func TestAuditOfTheCatalogue(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	all := h.stock(t)
	ctx := t.Context()
	_, edit := h.EditConfigSet(ctx, admin, all[own].set, catalog.Edit{Content: []byte("web: {env: {PRIVATE: do-not-tell}}\n")})
	_, describe := h.PublishBlueprint(ctx, admin, catalog.NewBlueprint{
		Project: own, Description: "a shop", Edit: catalog.Edit{Content: []byte("name: shop\ncomponents:\n- {name: web, image: \"acme/web:1\"}\n")},
	})
	_, change := h.UpdatePolicy(ctx, admin, all[own].policy, catalog.NewPolicy{Text: strings.Replace(rule, "8", "9", 1)})
	if err := errors.Join(edit, describe, change, h.DeleteConfigSet(ctx, admin, all[own].set, 0), h.DeleteBlueprint(ctx, admin, all[own].blueprint, 0),
		h.DeletePolicy(ctx, admin, all[own].policy, 0)); err != nil {
		t.Fatal(err)
	}
	var got []string
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.audit {
		if text := string(a.Before) + string(a.After) + a.Detail; strings.Contains(text, "replicas") || strings.Contains(text, "do-not-tell") {
			t.Errorf("an entry has values of a config set: %s", text)
		}
		if a.Project != own {
			continue
		}
		at := map[string]string{all[own].set: "set", all[own].blueprint: "blueprint", all[own].policy: "policy"}[a.Resource]
		before, _, _ := strings.Cut(string(a.Before), `"sha256:`)
		after, _, _ := strings.Cut(string(a.After), `"sha256:`)
		got = append(got, a.Action+" "+at+" "+before+" > "+after)
	}
	want := []string{
		`config:write set  > {"version":1}`, `blueprints:write blueprint  > {"version":1}`, `policies:write policy  > {"digest":`,
		`config:write set {"version":1} > {"version":2}`, `blueprints:write blueprint {"description":""} > {"description":"a shop"}`,
		`policies:write policy {"digest": > {"digest":`, `config:delete set {"version":2} > `, `blueprints:write blueprint {"version":1} > `, `policies:write policy {"digest": > `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func sortedTexts(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}
