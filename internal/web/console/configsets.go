package console

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func configSetsArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantConfigRead) {
				return nil
			}
			return []menuItem{{To: "/config-sets", Name: "Config sets", Icon: "sliders", Group: groupCatalogue}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /config-sets": configSets, "GET /config-sets/new": newConfigSet, "GET /config-sets/{id}": configSetValues, "GET /config-sets/{id}/document": configSetDocument,
			"GET /config-sets/{id}/versions": configSetVersions, "GET /config-sets/{id}/users": configSetUsers, "GET /config-sets/{id}/edit": editConfigSetForm,
			"GET /config-sets/{id}/restore": restoreConfigSetForm, "GET /config-sets/{id}/delete": confirmConfigSetDelete,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /config-sets/new": createConfigSet, "POST /config-sets/{id}/edit": editConfigSet, "POST /config-sets/{id}/restore": restoreConfigSet,
			"POST /config-sets/{id}/delete": deleteConfigSet,
		},
		Other: map[string]func(*visit) error{"POST /config-sets/check": checkConfigSet},
		Done: map[string]string{
			"config-created": "The config set is made. Environments and blueprints can name it.", "config-unchanged": "That is the latest version already, so none was made.",
			"config-saved":    "The version is made. Environments that follow the set get a plan of it, or the change where their blueprint says so.",
			"config-restored": "The version is brought back, as a new one. Environments that follow the set get a plan of it, or the change where their blueprint says so.",
			"config-deleted":  "The config set is deleted, with all its versions.",
		},
	}
}

func configSetPath(id string, parts ...string) string {
	return "/config-sets/" + strings.Join(append([]string{url.PathEscape(id)}, parts...), "/")
}

// configSetLine is one config set of the list.
type configSetLine struct {
	sdk.ConfigSet
	Uses uses
}

// configSetsView is a list of config sets.
type configSetsView struct {
	Query     catalogueQuery
	Items     []configSetLine
	Next      string
	MayCreate bool
}

func configSets(v *visit) (page, error) {
	q, err := v.catalogueQuery("/config-sets", blueberry.GrantConfigRead)
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListConfigSets(v.ctx, q.Filter)
	if err != nil {
		return page{}, err
	}
	l := configSetsView{Query: q, Next: q.onward(list.NextCursor), MayCreate: v.may("", blueberry.GrantConfigWrite)}
	for _, s := range list.Items {
		users, err := v.api.ListConfigSetUsers(v.ctx, s.ID)
		if err != nil {
			return page{}, err
		}
		l.Items = append(l.Items, configSetLine{s, uses{users, s.Latest}})
	}
	return page{Title: "Config sets", Here: "/config-sets", Body: configSetsBody(l)}, nil
}

// configSetView is one config set, at one of its versions.
type configSetView struct {
	sdk.ConfigSet
	Here      string // path of the tab
	Shown     sdk.ConfigVersion
	Uses      uses
	MayWrite  bool
	MayDelete bool
}

func (c configSetView) path(parts ...string) string { return configSetPath(c.ID, parts...) }

// configSetView reads a config set and the version that the query asks for, else the latest.
func (v *visit) configSetView(tab string) (configSetView, error) {
	id := v.r.PathValue("id")
	n, err := versionAsked(v.r.URL.Query(), "version")
	if err != nil {
		return configSetView{}, err
	}
	s, err := v.api.GetConfigSet(v.ctx, id)
	if err != nil {
		return configSetView{}, err
	}
	c := configSetView{
		ConfigSet: s, Here: configSetPath(id), MayWrite: v.mayOn(s.Project, blueberry.GrantConfigWrite), MayDelete: v.mayOn(s.Project, blueberry.GrantConfigDelete),
	}
	if tab != "" {
		c.Here = configSetPath(id, tab)
	}
	if n == 0 {
		n = s.Latest
	}
	if c.Shown, err = v.api.GetConfigSetVersion(v.ctx, id, n); err != nil {
		return configSetView{}, err
	}
	users, err := v.api.ListConfigSetUsers(v.ctx, id)
	c.Uses = uses{users, s.Latest}
	return c, err
}

func (c configSetView) page(title string, p page) page {
	p.Title, p.Here = title+" · "+c.Name, "/config-sets"
	return p
}

// value is one leaf of a document of values. A secret stands there as a reference only.
type value struct {
	Path, Text, Secret string
	Public             bool // looks like a secret and is none
}

// valuesIn are the leaves of a tree, by path in order; only those that hold a text.
func valuesIn(tree map[string]any, search string) (out []value) {
	var walk func(path string, x any)
	walk = func(path string, x any) {
		m, ok := x.(map[string]any)
		if ok && len(m) > 0 && !blueberry.IsSecretRef(x) {
			for _, key := range slices.Sorted(maps.Keys(m)) {
				walk(blueberry.JoinPath(path, key), m[key])
			}
			return
		}
		leaf := value{Path: path, Text: valueText(x)}
		if ok && blueberry.IsSecretRef(x) {
			leaf.Secret, leaf.Text = valueText(m["secretRef"]), ""
		}
		if strings.Contains(strings.ToLower(path+" "+leaf.Text+leaf.Secret), strings.ToLower(search)) {
			out = append(out, leaf)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		walk(blueberry.JoinPath("", key), tree[key])
	}
	return out
}

func configSetValues(v *visit) (page, error) {
	c, err := v.configSetView("")
	if err != nil {
		return page{}, err
	}
	search := strings.TrimSpace(v.r.URL.Query().Get("q"))
	return page{Title: "Config set " + c.Name, Here: "/config-sets", Body: configSetBody(c, search, valuesIn(c.Shown.Values, search)), Watch: interest{Any: true}}, nil
}

func configSetDocument(v *visit) (page, error) {
	c, err := v.configSetView("document")
	if err != nil {
		return page{}, err
	}
	return c.page("Document", page{Body: configSetDocumentBody(c)}), nil
}

func configSetUsers(v *visit) (page, error) {
	c, err := v.configSetView("users")
	if err != nil {
		return page{}, err
	}
	return c.page("Environments", page{Body: configSetUsersBody(c), Watch: interest{Any: true}}), nil
}

func configSetVersions(v *visit) (page, error) {
	c, err := v.configSetView("versions")
	if err != nil {
		return page{}, err
	}
	view, err := v.compared(c.Latest)
	if err != nil {
		return page{}, err
	}
	before, err := versionAsked(v.r.URL.Query(), "before")
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListConfigSetVersions(v.ctx, c.ID, sdk.Window{Before: before})
	if err != nil {
		return page{}, err
	}
	for _, x := range list.Items {
		view.Items = append(view.Items, versionLine{Number: x.Number, Author: x.Author, Message: x.Message, Source: x.Source, RestoredFrom: x.RestoredFrom, CreatedAt: x.CreatedAt})
	}
	if list.NextBefore > 0 {
		view.Next = older(v.r.URL, strconv.Itoa(list.NextBefore))
	}
	if view.Compared {
		diff, err := v.api.DiffConfigSetVersions(v.ctx, c.ID, view.From, view.To)
		if err != nil {
			return page{}, err
		}
		from := ""
		if diff.From != nil {
			from = diff.From.Content
		}
		view.Lines, view.Settings = textDiff(from, diff.To.Content), diff.Changes
	}
	return c.page("Versions", page{Body: configSetVersionsBody(c, view)}), nil
}

// restoreView is what bringing a version back would do.
type restoreView struct {
	configSetView
	Impact impactView
	Ask    ask
}

func restoreConfigSetForm(v *visit) (page, error) {
	n, err := versionAsked(v.r.URL.Query(), "version")
	if err == nil && n == 0 {
		err = faulty([]sdk.FieldError{{Field: "version", Code: "required", Message: "must say which version is to be brought back"}})
	}
	if err != nil {
		return page{}, err
	}
	return v.restoreForm(n, url.Values{}, nil)
}

func (v *visit) restoreForm(n int, typed url.Values, problem *sdk.Problem) (page, error) {
	c, err := v.configSetView("restore")
	if err != nil {
		return page{}, err
	}
	if err := v.needs(c.Project, blueberry.GrantConfigWrite); err != nil {
		return page{}, err
	}
	latest, err := v.api.GetConfigSetVersion(v.ctx, c.ID, c.Latest)
	if err != nil {
		return page{}, err
	}
	back, err := v.api.GetConfigSetVersion(v.ctx, c.ID, n)
	if err != nil {
		return page{}, err
	}
	impact, err := v.api.GetConfigSetImpact(v.ctx, c.ID, sdk.ConfigImpactRequest{Version: n})
	if err != nil {
		return page{}, err
	}
	c.Shown = latest
	number := strconv.Itoa(n)
	message := typed.Get("message")
	r := sdk.RestoreConfigSetRequest{Version: n, Message: strings.TrimSpace(message)}
	command := "blueberry config restore " + refOf(c.Project, c.Name, 0) + " " + number + projectFlag(c.Project)
	if r.Message != "" {
		command += " --message " + shellQuoted(r.Message)
	}
	view := restoreView{
		configSetView: c,
		Impact: impactView{
			ConfigImpact: impact, Title: "What it would change", Number: c.Latest + 1, Latest: c.Latest, Lines: textDiff(latest.Content, back.Content), Same: latest.Content == back.Content && slices.Equal(latest.Public, back.Public),
		},
		Ask: ask{
			Title: "Bring version " + number + " back", Label: fmt.Sprintf("Make it version %d", c.Latest+1), Action: c.path("restore"), Back: c.path("versions"), Problem: problem,
			What:   "A new version with its content is made; the versions between stay in the history.",
			Hidden: map[string]string{"restore": number, "version": strconv.FormatInt(c.Version, 10)},
			Inputs: []input{{Name: "message", Label: "Why", Value: message, Hint: "Stands in the history. Empty: restored version " + number + "."}},
			CLI:    command, Call: "POST /v1/config-sets/" + c.ID + "/restore", Body: jsonOf(r),
		},
	}
	return c.page("Restore", page{Body: restoreBody(view)}), nil
}

func restoreConfigSet(v *visit) (string, error) {
	typed, id := v.r.PostForm, v.r.PathValue("id")
	n, err := versionAsked(typed, "restore")
	if err == nil && n == 0 {
		err = faulty([]sdk.FieldError{{Field: "restore", Code: "required", Message: "must say which version is to be brought back"}})
	}
	if err != nil {
		return "", err
	}
	made, err := v.api.RestoreConfigSet(v.ctx, id, sdk.RestoreConfigSetRequest{Version: n, Message: strings.TrimSpace(typed.Get("message"))}, ifVersion(typed)...)
	if err != nil {
		return "", v.formError(err, func(p *sdk.Problem) (page, error) { return v.restoreForm(n, typed, p) })
	}
	if made.Unchanged {
		return configSetPath(id) + "?done=config-unchanged", nil
	}
	return configSetPath(id) + "?done=config-restored", nil
}

func confirmConfigSetDelete(v *visit) (page, error) { return v.confirmConfigSetDelete(nil) }

func (v *visit) confirmConfigSetDelete(problem *sdk.Problem) (page, error) {
	c, err := v.configSetView("delete")
	if err != nil {
		return page{}, err
	}
	if err := v.needs(c.Project, blueberry.GrantConfigDelete); err != nil {
		return page{}, err
	}
	d := deletionView{
		Trail: []option{{"/config-sets", "Config sets"}, {c.path(), c.Name}, {"", "delete"}}, Uses: c.Uses, Noun: "config set",
		Ask: ask{
			Title: "Delete config set " + c.Name, Label: "Delete it", Danger: true, Action: c.path("delete"), Back: c.path(), Problem: problem,
			What: sentenceStart(counted(c.Latest, "version")) + " and their values go. A blueprint that names it cannot be used any more. This cannot be undone.",
			CLI:  "blueberry config delete " + refOf(c.Project, c.Name, 0) + projectFlag(c.Project), Call: "DELETE /v1/config-sets/" + c.ID,
		},
	}
	return c.page("Delete", page{Body: deletionBody(d)}), nil
}

func deleteConfigSet(v *visit) (string, error) {
	if err := v.api.DeleteConfigSet(v.ctx, v.r.PathValue("id")); err != nil {
		return "", v.formError(err, v.confirmConfigSetDelete)
	}
	return "/config-sets?done=config-deleted", nil
}

// public are the values that a version says are no secrets.
func (c configSetView) public() string { return strings.Join(c.Shown.Public, ", ") }
