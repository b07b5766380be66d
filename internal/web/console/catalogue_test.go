package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	published = `name: shop
configSets: [shop]
parameters: [{name: level, enum: [info, debug], default: info, help: How much it writes, sets: [web.env.LEVEL]}]
components: [{name: web, image: 'acme/web:1'}]
`
	valuesText = "web:\n  env:\n    REGION: eu-west-1 # for now\n    DB_URL: {secretRef: db/url}\n"
)

// catalogue fills a site with a config set, a blueprint that names it, and an environment of that.
func (s *site) catalogue(t *testing.T) (blueprint, set string, e sdk.Environment) {
	t.Helper()
	made, err := s.client.CreateConfigSet(t.Context(), sdk.CreateConfigSetRequest{Name: "shop", Content: valuesText, Message: "the first"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.client.PublishBlueprint(t.Context(), sdk.PublishBlueprintRequest{Content: published, Description: "A shop", Message: "begun"})
	if err != nil {
		t.Fatal(err)
	}
	if e, err = s.client.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: "pr-1", BlueprintRef: "shop"}); err != nil {
		t.Fatal(err)
	}
	return b.Blueprint.ID, made.ConfigSet.ID, e
}

// shows asks for pages, and holds that each says what it is to say.
func (s *site) shows(t *testing.T, token string, pages map[string][]string) {
	t.Helper()
	for path, want := range pages {
		status, _, page := s.ask(t, token, path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		for _, x := range want {
			if !strings.Contains(page, x) {
				t.Errorf("%s does not say %q", path, x)
			}
		}
		if !strings.Contains(page, "<title>") || strings.Contains(page, "<style") || strings.Contains(page, " style=") {
			t.Errorf("%s is no whole page, or holds what the policy forbids", path)
		}
	}
}

// TestPagesOfTheCatalogue: every page of blueprints and config sets answers with what it is about.
func TestPagesOfTheCatalogue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.shows(t, httpapitest.Token, map[string][]string{
		"/blueprints": {"The catalogue is empty", "blueberry blueprint publish"}, "/config-sets": {"There are no config sets yet"},
		"/blueprints?q=nothing": {"None is like that"}, "/config-sets?scope=global": {"None is like that"},
	})
	b, set, e := s.catalogue(t)
	for _, text := range []string{strings.Replace(published, "acme/web:1", "acme/web:2", 1), strings.Replace(published, "acme/web:1", "acme/web:3", 1)} {
		if _, err := s.client.PublishBlueprint(t.Context(), sdk.PublishBlueprintRequest{Content: text}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.client.EditConfigSet(t.Context(), set, sdk.EditConfigSetRequest{Content: strings.Replace(valuesText, "west", "north", 1)}); err != nil {
		t.Fatal(err)
	}
	at, cfg := "/blueprints/"+b, "/config-sets/"+set
	s.shows(t, httpapitest.Token, map[string][]string{
		"/blueprints": {"shop", "version 3", "1 environment", "A shop"}, "/blueprints?scope=project&q=sho": {at},
		at:                              {"How much it writes", "info, debug", "acme/web:3", "shop@3", e.ID, "2 behind", "Make an environment of it", "blueprint_ref=shop%403"},
		at + "?version=1":               {"This is version 1.", "acme/web:1", "begun"},
		at + "/document":                {"acme/web:3", "as it was written", "blueberry blueprint get shop@3"},
		at + "/versions":                {"begun", "Compare"},
		at + "/versions?from=1&to=3":    {"From version 1 to 3", "diff-gone", "diff-added", "acme/web:1", "acme/web:3"},
		at + "/versions?from=2&to=2":    {"The documents are the same"},
		at + "/users":                   {"pr-1", "2 versions behind"},
		at + "/publish":                 {"Publish version 4 of shop", "acme/web:3", `data-editor="blueprint"`, "editor.js"},
		at + "/publish?from=repository": {"Path of the blueprint"}, "/blueprints/new": {"Publish a blueprint", "Belongs to", "every project"},
		at + "/delete": {"1 environment uses it, so it cannot be deleted"},
		"/config-sets": {"shop", "version 2", "1 environment"},
		cfg:            {"web.env.REGION", "eu-north-1", "web.env.DB_URL", "secret", "db/url", "1 behind"}, cfg + "?q=region": {"web.env.REGION"}, cfg + "?q=none": {"None is like that"},
		cfg + "?version=1": {"This is version 1.", "eu-west-1"}, cfg + "/document": {"# for now"}, cfg + "/versions": {"the first", "restore"},
		cfg + "/versions?from=1&to=2": {"From version 1 to 2", "web.env.REGION", "eu-west-1", "eu-north-1", "blueberry config diff shop 1 2"},
		cfg + "/users":                {"pr-1", "reaches it"}, cfg + "/edit": {"Edit shop", `data-editor="values"`, `data-parts="web"`, "blueberry config edit shop"},
		cfg + "/restore?version=1": {"Bring version 1 back", "blueberry config restore shop 1"}, cfg + "/delete": {"so it cannot be deleted"}, "/config-sets/new": {"New config set"},
	})
	if _, _, page := s.ask(t, httpapitest.Token, cfg+"?q=region", nil); strings.Contains(page, "web.env.DB_URL") {
		t.Error("values are shown that were not asked for")
	}
	for path, want := range map[string]int{
		"/blueprints/bpt_nothing": http.StatusNotFound, "/config-sets/cfg_nothing": http.StatusNotFound, at + "?version=9": http.StatusNotFound, at + "?version=x": http.StatusUnprocessableEntity,
		cfg + "/restore": http.StatusUnprocessableEntity, at + "/versions?from=1&to=9": http.StatusNotFound, cfg + "/versions?before=x": http.StatusUnprocessableEntity,
	} {
		if status, _, _ := s.ask(t, httpapitest.Token, path, nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// hidden is the value of a hidden field of the form that has a button.
func hidden(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="`+name+`" value="`)
	value, _, ended := strings.Cut(rest, `"`)
	if !ok || !ended {
		t.Fatalf("the page has no field %s", name)
	}
	return value
}

// TestPublishABlueprint: it is checked and rendered before it is published; faults stand at their lines, and what was typed stays.
func TestPublishABlueprint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	typed := url.Values{"project": {"default"}, "content": {"name: Not A Name\r\ncomponents:\r\n- name: web\r\n  imagee: acme/web\r\n"}, "message": {"for the shop"}}
	status, _, page := s.ask(t, httpapitest.Token, "/blueprints/new", typed)
	for _, x := range []string{`data-line="1"`, `data-line="4"`, "imagee", "Not A Name", `value="for the shop"`, `&#34;line&#34;:4`} {
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, x) {
			t.Errorf("%d: a document with faults: the page does not say %q", status, x)
		}
	}
	for name, content := range map[string]string{"nothing": " ", "what only looks like it": "{", "what is none": "just words"} {
		if status, _, page := s.ask(t, httpapitest.Token, "/blueprints/new", url.Values{"project": {"default"}, "content": {content}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "field-fault") {
			t.Errorf("%s: %d", name, status)
		}
	}
	typed.Set("content", strings.ReplaceAll(blueprint, "\n", "\r\n"))
	if status, _, page = s.ask(t, httpapitest.Token, "/blueprints/new", typed); status != http.StatusOK || !strings.Contains(page, "is valid") || !strings.Contains(page, "kind: Deployment") {
		t.Fatalf("%d: it is not shown what it would be", status)
	}
	if list, err := s.client.ListBlueprints(t.Context(), sdk.CatalogueFilter{}); err != nil || len(list.Items) != 0 {
		t.Fatalf("looking has published %d, %v", len(list.Items), err)
	}
	typed.Set("publish", "yes")
	status, to, _ := s.ask(t, httpapitest.Token, "/blueprints/new", typed)
	if status != http.StatusSeeOther || !strings.HasSuffix(to, "done=blueprint-published") {
		t.Fatalf("published: %d to %q", status, to)
	}
	at := strings.SplitN(to, "?", 2)[0]
	if v, err := s.client.GetBlueprintVersion(t.Context(), strings.TrimPrefix(at, "/blueprints/"), 1); err != nil || v.Content != blueprint || v.Message != "for the shop" {
		t.Errorf("what was published is %q: %v", v.Content, err)
	}

	// A second look at the same name says that it is the next version of it.
	typed.Del("publish")
	typed.Set("content", strings.Replace(blueprint, "web:1", "web:2", 1))
	if _, _, page = s.ask(t, httpapitest.Token, "/blueprints/new", typed); !strings.Contains(page, "its version 2") || !strings.Contains(page, "diff-added") {
		t.Error("a name that is taken is not told")
	}

	// What an environment would still need does not stop it.
	needy := url.Values{"content": {strings.Replace(blueprint, "default: info", "required: true", 1)}, "version": {"1"}}
	if status, _, page = s.ask(t, httpapitest.Token, at+"/publish", needy); status != http.StatusOK || !strings.Contains(page, "can be published") {
		t.Fatalf("%d: what needs a parameter cannot be published", status)
	}
	if _, err := s.client.PublishBlueprint(t.Context(), sdk.PublishBlueprintRequest{Content: blueprint + "lease: {max: 5}\n"}); err != nil {
		t.Fatal(err)
	}
	needy.Set("publish", "yes")
	if status, _, page = s.ask(t, httpapitest.Token, at+"/publish", needy); status != http.StatusPreconditionFailed || !strings.Contains(page, "required: true") {
		t.Errorf("%d: somebody else's version was passed over", status)
	}

	// From a repository.
	from := url.Values{"project": {"default"}, "from": {"repository"}, "source.repository": {"https://nowhere.example/x.git"}}
	if status, _, page = s.ask(t, httpapitest.Token, "/blueprints/new", from); status != http.StatusUnprocessableEntity || !strings.Contains(page, "https://nowhere.example/x.git") {
		t.Errorf("a repository that is not there: %d", status)
	}
	from.Set("source.repository", repository)
	if status, _, page = s.ask(t, httpapitest.Token, "/blueprints/new", from); status != http.StatusOK || !strings.Contains(page, "What it renders to") {
		t.Errorf("a repository: %d", status)
	}
	from.Set("publish", "yes")
	if status, to, _ = s.ask(t, httpapitest.Token, "/blueprints/new", from); status != http.StatusSeeOther {
		t.Errorf("published from a repository: %d to %s", status, to)
	}
	if status, to, _ = s.ask(t, httpapitest.Token, at+"/delete", url.Values{}); status != http.StatusSeeOther || to != "/blueprints?done=blueprint-deleted" {
		t.Errorf("deleted: %d to %s", status, to)
	}
}

// TestEditorAsksWhatIsWrong: a script is told the faults of a document with the lines where they stand.
func TestEditorAsksWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	type question struct{ path, content, public string }
	for q, want := range map[question]int{
		{"/blueprints/check", blueprint, ""}: 0, {"/blueprints/check", "name: shop\ncomponents:\n- name: web\n  image: acme/web\n", ""}: 4,
		{"/config-sets/check", valuesText, ""}: 0, {"/config-sets/check", "web:\n  env:\n    PASSWORD: hunter2hunter2\n", ""}: 3, {"/config-sets/check", "web:\n  env:\n    PASSWORD: hunter2hunter2\n", "*.env.PASSWORD"}: 0,
	} {
		status, _, text := s.ask(t, httpapitest.Token, q.path, url.Values{"content": {q.content}, "public": {q.public}, "project": {"default"}})
		var answer struct {
			Faults []struct{ Line int }
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK || answer.Faults == nil {
			t.Fatalf("%d: %s, %v", status, text, err)
		}
		if want == 0 && len(answer.Faults) != 0 || want != 0 && (len(answer.Faults) != 1 || answer.Faults[0].Line != want) {
			t.Errorf("%s: of %q it is told %s", q.path, q.content, text)
		}
	}
	for _, path := range []string{"/blueprints/check", "/config-sets/check"} {
		if status, _, _ := s.ask(t, httpapitest.Poor, path, url.Values{"content": {blueprint}}); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("who may see nothing is told: %d", status)
		}
	}
}

// TestEditAConfigSet: what an edit would change is shown before it is made, and nothing is made meanwhile.
func TestEditAConfigSet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	typed := url.Values{"project": {"default"}, "name": {"Not A Name"}, "content": {"web:\r\n  env:\r\n    PASSWORD: hunter2hunter2\r\n"}}
	status, _, page := s.ask(t, httpapitest.Token, "/config-sets/new", typed)
	for _, x := range []string{`value="Not A Name"`, `id="fault-name"`, `data-line="3"`, "web.env.PASSWORD"} {
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, x) {
			t.Errorf("%d: a set with faults: the page does not say %q", status, x)
		}
	}
	typed.Set("name", "common")
	typed.Set("project", "every project")
	typed.Set("content", "all: {env: {A: b}}")
	status, to, _ := s.ask(t, httpapitest.Token, "/config-sets/new", typed)
	if status != http.StatusSeeOther || !strings.HasSuffix(to, "done=config-created") {
		t.Fatalf("made: %d to %s", status, to)
	}
	if status, to, _ = s.ask(t, httpapitest.Token, strings.SplitN(to, "?", 2)[0]+"/delete", url.Values{}); status != http.StatusSeeOther {
		t.Errorf("deleted: %d to %s", status, to)
	}

	_, set, _ := s.catalogue(t)
	at := "/config-sets/" + set
	edit := url.Values{"content": {strings.ReplaceAll(strings.Replace(valuesText, "west", "south", 1), "\n", "\r\n")}, "message": {"go south"}, "public": {""}}
	_, _, page = s.ask(t, httpapitest.Token, at+"/edit", nil)
	edit.Set("version", hidden(t, page, "version"))
	status, _, page = s.ask(t, httpapitest.Token, at+"/edit", edit)
	for _, x := range []string{"Of 1 environment that use the set, 1 would have other values", "web.env.REGION", "eu-south-1", "diff-added", "Make version 2", "pr-1", `value="go south"`} {
		if status != http.StatusOK || !strings.Contains(page, x) {
			t.Errorf("%d: the impact does not say %q", status, x)
		}
	}
	if c, err := s.client.GetConfigSet(t.Context(), set); err != nil || c.Latest != 1 {
		t.Fatalf("looking has made version %d, %v", c.Latest, err)
	}
	edit.Set("save", "yes")
	if status, to, _ = s.ask(t, httpapitest.Token, at+"/edit", edit); status != http.StatusSeeOther || !strings.HasSuffix(to, "done=config-saved") {
		t.Fatalf("saved: %d to %s", status, to)
	}
	if v, err := s.client.GetConfigSetVersion(t.Context(), set, 2); err != nil || v.Content != strings.Replace(valuesText, "west", "south", 1) || v.Message != "go south" {
		t.Errorf("what was made is %q: %v", v.Content, err)
	}
	edit.Set("content", "web: {env: {REGION: elsewhere}}")
	if status, _, page = s.ask(t, httpapitest.Token, at+"/edit", edit); status != http.StatusPreconditionFailed || !strings.Contains(page, "REGION: elsewhere") {
		t.Errorf("%d: somebody else's version was passed over, or what was typed is lost", status)
	}
	edit.Del("save")
	for name, content := range map[string]string{"nothing": "", "a list": "- a", "a tab": "web:\n\tenv: 1"} {
		edit.Set("content", content)
		if status, _, page = s.ask(t, httpapitest.Token, at+"/edit", edit); status != http.StatusUnprocessableEntity || !strings.Contains(page, "field-fault") {
			t.Errorf("%s: %d", name, status)
		}
	}
	_, _, page = s.ask(t, httpapitest.Token, at+"/restore?version=1", nil)
	back := url.Values{"restore": {"1"}, "version": {hidden(t, page, "version")}, "message": {strings.Repeat("long ", 200)}}
	if status, _, page = s.ask(t, httpapitest.Token, at+"/restore", back); status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="fault-message"`) {
		t.Errorf("a message that is too long: %d", status)
	}
	back.Set("message", "")
	if status, to, _ = s.ask(t, httpapitest.Token, at+"/restore", back); status != http.StatusSeeOther || !strings.HasSuffix(to, "done=config-restored") {
		t.Errorf("restored: %d to %s", status, to)
	}
	if v, err := s.client.GetConfigSetVersion(t.Context(), set, 3); err != nil || v.RestoredFrom != 1 {
		t.Errorf("what was brought back is %d: %v", v.RestoredFrom, err)
	}
	if status, _, _ = s.ask(t, httpapitest.Token, at+"/delete", url.Values{}); status != http.StatusConflict {
		t.Errorf("a set that is used: %d", status)
	}
}

// TestCatalogueOffersWhatOneMay: who may only read is offered nothing to write, and refused it all the same.
func TestCatalogueOffersWhatOneMay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, set, _ := s.catalogue(t)
	at, cfg := "/blueprints/"+b, "/config-sets/"+set
	for _, path := range []string{"/blueprints", at, at + "/versions", "/config-sets", cfg, cfg + "/versions"} {
		status, _, page := s.ask(t, httpapitest.Viewer, path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		for _, x := range []string{"/new\"", "/publish\"", "/edit\"", "/delete\"", "/restore?"} {
			if strings.Contains(page, x) {
				t.Errorf("%s offers a reader %s", path, x)
			}
		}
	}
	for _, path := range []string{"/blueprints/new", at + "/publish", at + "/delete", "/config-sets/new", cfg + "/edit", cfg + "/restore?version=1", cfg + "/delete"} {
		if status, _, page := s.ask(t, httpapitest.Viewer, path, nil); status != http.StatusForbidden || !strings.Contains(page, "lacks the grant") {
			t.Errorf("the form %s for a reader: %d", path, status)
		}
	}
	for path, form := range map[string]url.Values{
		"/blueprints/new": {"content": {blueprint}, "publish": {"yes"}, "project": {"default"}}, at + "/publish": {"content": {blueprint}, "publish": {"yes"}}, at + "/delete": {},
		"/config-sets/new": {"content": {valuesText}, "name": {"x"}, "project": {"default"}}, cfg + "/edit": {"content": {valuesText}, "save": {"yes"}}, cfg + "/restore": {"restore": {"1"}}, cfg + "/delete": {},
	} {
		if status, _, _ := s.ask(t, httpapitest.Viewer, path, form); status != http.StatusForbidden {
			t.Errorf("%s by a reader: %d", path, status)
		}
	}
	for _, path := range []string{"/blueprints", at, "/config-sets", cfg} {
		if status, _, _ := s.ask(t, httpapitest.Poor, path, nil); status == http.StatusOK {
			t.Errorf("who may see nothing sees %s", path)
		}
	}
}

// TestCatalogueHoldsHostileWords: nothing that somebody wrote into a document becomes a part of a page.
func TestCatalogueHoldsHostileWords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const hostile = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"
	set, err := s.client.CreateConfigSet(t.Context(), sdk.CreateConfigSetRequest{Name: "words", Content: "web: {env: {WORDS: '" + hostile + "'}}\n", Message: hostile})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.client.PublishBlueprint(t.Context(), sdk.PublishBlueprintRequest{
		Content: "name: words\nparameters: [{name: x, help: '" + hostile + "', sets: [web.env.X]}]\ncomponents: [{name: web, image: 'acme/web:1'}]\n", Description: hostile, Message: hostile,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.EditConfigSet(t.Context(), set.ConfigSet.ID, sdk.EditConfigSetRequest{Content: "web: {env: {WORDS: '" + hostile + hostile + "'}}\n"}); err != nil {
		t.Fatal(err)
	}
	at, cfg := "/blueprints/"+b.Blueprint.ID, "/config-sets/"+set.ConfigSet.ID
	hold := func(path string, form url.Values) {
		_, _, page := s.ask(t, httpapitest.Token, path, form)
		for _, x := range []string{"<script>alert", "<img src=x"} {
			if strings.Contains(page, x) {
				t.Errorf("%s holds %s", path, x)
			}
		}
	}
	for _, path := range []string{"/blueprints?q=" + url.QueryEscape(hostile), at, at + "/document", at + "/publish", at + "/versions", cfg, cfg + "/document", cfg + "/edit", cfg + "/versions?from=1&to=2", cfg + "/restore?version=1"} {
		hold(path, nil)
	}
	hold("/blueprints/new", url.Values{"content": {hostile}, "message": {hostile}, "project": {hostile}})
	hold(cfg+"/edit", url.Values{"content": {"'" + hostile + "': {}"}, "public": {hostile}})
}

// TestSchemasOfTheEditor: the schemas that the editor completes from are those of the product.
func TestSchemasOfTheEditor(t *testing.T) {
	t.Parallel()
	for served, source := range map[string]string{"blueprint.schema.json": "../../../docs/blueprint.schema.json", "web-service.schema.json": "../../../charts/web-service/values.schema.json"} {
		got, err := os.ReadFile("../static/" + served)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not %s: run make generate", served, source)
		}
	}
}
