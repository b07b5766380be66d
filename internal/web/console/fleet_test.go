package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// tells reports every text that a page lacks.
func tells(t *testing.T, what, page string, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if !strings.Contains(page, x) {
			t.Errorf("%s does not say %q", what, x)
		}
	}
}

// hides reports every text that a page has.
func hides(t *testing.T, what, page string, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if strings.Contains(page, x) {
			t.Errorf("%s says %q", what, x)
		}
	}
}

func TestEnvironmentsAreNarrowed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	s.environment(t, "pr-2")
	if _, err := s.client.SetEnvironmentLabels(t.Context(), e.ID, map[string]string{"team": "shop", "demo": ""}); err != nil {
		t.Fatal(err)
	}
	_, _, overview := s.ask(t, httpapitest.Token, "/environments/"+e.ID, nil)
	tells(t, "the overview", overview, `href="/environments?label=team%3Dshop"`, "team=shop", `href="/environments?label=demo%3D"`)
	for query, want := range map[string][]string{
		"target=" + url.QueryEscape(e.Target): {"pr-1", "pr-2", "Take away target"}, "target=nowhere": {"Nothing is like that", "nowhere"},
		"restricted=no": {"pr-1", "not restricted"}, "restricted=yes": {"Nothing is like that"},
		"phase=ready,failed": {"pr-1", "ready,failed"}, "phase=ready&phase=failed": {"pr-1", "Take away phase"},
		"owner=nobody": {"Nothing is like that", `value="nobody"`}, "q=pr-2&sort=name": {"pr-2", "blueberry env list --search pr-2 --sort name", "/v1/environments?q=pr-2"},
		"chosen=all":         {"checked"},
		"label=team%3Dshop":  {"pr-1", "Take away label", `value="team=shop"`, "blueberry env list --label team=shop", "/v1/environments?label=team%3Dshop"},
		"label=team,demo%3D": {"pr-1", "--label team --label demo=", "?label=team&amp;label=demo%3D"},
		"label=team%3Dpay":   {"Nothing is like that"},
	} {
		status, _, page := s.ask(t, httpapitest.Token, "/environments?"+query, nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d", query, status)
		}
		tells(t, query, page, want...)
	}
	for query, want := range map[string]int{"restricted=maybe": 422, "phase=dreaming": 422, "label=-": 422} {
		if status, _, _ := s.ask(t, httpapitest.Token, "/environments?"+query, nil); status != want {
			t.Errorf("%s: %d", query, status)
		}
	}
	_, _, page := s.ask(t, httpapitest.Viewer, "/environments", nil)
	tells(t, "a reader's list", page, "pr-1")
	hides(t, "a reader's list", page, `id="bulk"`, `name="id"`)
}

func TestViewsAreSaved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, ada := s.Person(t, "ada@example.com", true, nil)
	_, ben := s.Person(t, "ben@example.com", true, nil)
	const list = "/environments?phase=failed&sort=name"
	_, _, page := s.ask(t, ada, list, nil)
	tells(t, "the list", page, "Save this view", "/views/save?page=environments&amp;query=phase%3Dfailed%26sort%3Dname")
	_, _, page = s.ask(t, ada, "/views/save?page=environments&query=phase%3Dfailed%26sort%3Dname", nil)
	tells(t, "the form", page, "blueberry view save NAME", "/v1/account/views/NAME")
	form := url.Values{"page": {"environments"}, "query": {"phase=failed&sort=name"}}
	for _, name := range []string{"", "a/b"} {
		form.Set("name", name)
		status, _, page := s.ask(t, ada, "/views/save", form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, "fault-name") {
			t.Errorf("%q: %d", name, status)
		}
	}
	for _, name := range []string{"What failed", `"><script>alert(1)`, "<b>bold"} {
		form.Set("name", name)
		if status, to, page := s.ask(t, ada, "/views/save", form); status != http.StatusSeeOther || to != "/environments?done=view-saved&phase=failed&sort=name" {
			t.Errorf("%q: %d to %s\n%s", name, status, to, page)
		}
	}
	_, _, page = s.ask(t, ada, list, nil)
	tells(t, "the list with views", page, "What failed", `aria-current="page"`)
	hides(t, "the list with views", page, "<script>alert", "<b>bold")
	_, _, page = s.ask(t, ada, "/views", nil)
	tells(t, "her views", page, "What failed", "Delete What failed")
	_, _, page = s.ask(t, ben, "/environments", nil)
	hides(t, "what another one sees", page, "What failed")
	if status, _, _ := s.ask(t, ben, "/views/delete", url.Values{"name": {"What failed"}}); status != http.StatusNotFound {
		t.Errorf("of another one: %d", status)
	}
	if status, to, _ := s.ask(t, ada, "/views/delete", url.Values{"name": {"What failed"}}); status != http.StatusSeeOther || to != "/views?done=view-deleted" {
		t.Errorf("deleted: %d to %s", status, to)
	}
	if status, _, _ := s.ask(t, httpapitest.Token, "/views", nil); status != http.StatusForbidden {
		t.Errorf("a program: %d", status)
	}
	_, _, page = s.ask(t, httpapitest.Token, list, nil)
	hides(t, "what a program sees", page, "Save this view")
}

func TestSeveralAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one, two, asleep := s.environment(t, "pr-1"), s.environment(t, "pr-2"), s.environment(t, "pr-3")
	if _, err := s.client.SleepEnvironment(t.Context(), asleep.ID); err != nil {
		t.Fatal(err)
	}
	s.phase(t, asleep.ID, sdk.Sleeping)
	ids := "&id=" + one.ID + "&id=" + two.ID + "&id=" + asleep.ID + "&id=env_none&id=" + one.ID
	_, _, page := s.ask(t, httpapitest.Token, "/bulk?verb=sleep"+ids, nil)
	tells(t, "the question", page, "2 of 4: this happens", "No pod runs any more", "Left as they are", "It is sleeping", "There is none with this id", "Sleep 2",
		"for id in "+one.ID+" "+two.ID+"; do blueberry env sleep", "/v1/environments/$id/sleep")
	_, _, page = s.ask(t, httpapitest.Token, "/bulk?verb=sleep", nil)
	tells(t, "of none", page, "None was chosen")
	for path, want := range map[string]int{"/bulk?verb=melt&id=" + one.ID: 422, "/bulk?id=" + one.ID: 422} {
		if status, _, _ := s.ask(t, httpapitest.Token, path, nil); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	status, _, page := s.ask(t, httpapitest.Token, "/bulk", url.Values{"verb": {"sleep"}, "id": {one.ID, "env_none", asleep.ID, two.ID}})
	if status != http.StatusOK {
		t.Fatalf("done: %d", status)
	}
	tells(t, "what came of it", page, "1 of 4", "4 of 4", "It falls asleep", "There is none with this id", "It is sleeping", "2 of 4 done", "Undo", `name="verb" value="wake"`, "</html>")
	hides(t, "what came of it", page, "<!--bulk-->")
	for _, e := range []sdk.Environment{one, two} {
		s.phase(t, e.ID, sdk.Sleeping)
	}

	_, _, page = s.ask(t, httpapitest.Token, "/bulk?verb=extend&id="+one.ID, nil)
	tells(t, "extend", page, "Hours", "--by 24h", `{&#34;hours&#34;: 24}`)
	if status, _, page := s.ask(t, httpapitest.Token, "/bulk", url.Values{"verb": {"extend"}, "id": {one.ID}, "hours": {"soon"}}); status != 422 || !strings.Contains(page, `value="soon"`) || !strings.Contains(page, "Must be a number of hours") {
		t.Errorf("hours that are none: %d", status)
	}
	_, _, page = s.ask(t, httpapitest.Token, "/bulk", url.Values{"verb": {"extend"}, "id": {one.ID}, "hours": {"9999"}})
	tells(t, "more hours than there may be", page, "failed", "0 of 1 done")

	_, _, page = s.ask(t, httpapitest.Token, "/bulk?verb=destroy&id="+one.ID+"&id="+two.ID, nil)
	tells(t, "destroy", page, "Type 2, the number", "objects and the data in them", "What is lost", "btn-error", "--yes")
	if status, _, page := s.ask(t, httpapitest.Token, "/bulk", url.Values{"verb": {"destroy"}, "id": {one.ID, two.ID}, "count": {"3"}}); status != 422 || !strings.Contains(page, "Must be 2") {
		t.Errorf("another number: %d", status)
	}
	if now, err := s.client.GetEnvironment(t.Context(), one.ID); err != nil || now.Phase == sdk.Terminating {
		t.Errorf("it is %s after a number that was wrong, %v", now.Phase, err)
	}
	_, _, page = s.ask(t, httpapitest.Token, "/bulk", url.Values{"verb": {"destroy"}, "id": {one.ID, two.ID}, "count": {"2"}})
	tells(t, "destroyed", page, "It is being removed", "2 of 2 done", "bring one back")

	_, _, page = s.ask(t, httpapitest.Viewer, "/bulk?verb=destroy&id="+asleep.ID, nil)
	tells(t, "a reader's question", page, "It can be done with none of them", "You may not do it in the project")
	_, _, page = s.ask(t, httpapitest.Viewer, "/bulk", url.Values{"verb": {"destroy"}, "id": {asleep.ID}, "count": {"1"}})
	tells(t, "a reader's try", page, "You may not do it in the project", "0 of 1 done")
	s.phase(t, asleep.ID, sdk.Sleeping)
}

// phase waits until an environment is in a phase.
func (s *site) phase(t *testing.T, id string, want sdk.Phase) {
	t.Helper()
	for {
		e, err := s.client.GetEnvironment(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if e.Phase == want {
			return
		}
	}
}

func TestWhatWasDoneIsUndone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	at := "/environments/" + e.ID
	_, _, page := s.ask(t, httpapitest.Token, at+"?done=sleep", nil)
	tells(t, "after sleep", page, `action="`+at+`/wake"`, "Undo", "It falls asleep")
	_, _, page = s.ask(t, httpapitest.Token, at+"?done=extend", nil)
	hides(t, "after extend", page, "Undo")
	_, _, page = s.ask(t, httpapitest.Viewer, at+"?done=sleep", nil)
	hides(t, "to a reader", page, "Undo")
	_, _, page = s.ask(t, httpapitest.Token, at+"/undo", nil)
	tells(t, "of one that lives", page, "nothing to bring back")
	if _, err := s.client.DestroyEnvironment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	_, _, page = s.ask(t, httpapitest.Token, at+"?done=destroy", nil)
	tells(t, "after destroy", page, `href="`+at+`/undo"`)
	s.phase(t, e.ID, sdk.Terminated)
	_, _, page = s.ask(t, httpapitest.Token, at+"/undo", nil)
	tells(t, "of one that is gone", page, "Bring it back", "blueberry env undo "+e.ID, "/v1/archives/"+e.ID+"/undo", "It can be made again until")
	for field, value := range map[string]string{"ttl_hours": "soon", "name": "Not A Name"} {
		form := url.Values{"name": {"pr-1"}, "target": {e.Target}}
		form.Set(field, value)
		if status, _, page := s.ask(t, httpapitest.Token, at+"/undo", form); status != 422 || !strings.Contains(page, `value="`+value+`"`) || !strings.Contains(page, "fault-"+field) {
			t.Errorf("%s of %s: %d", field, value, status)
		}
	}
	if status, _, _ := s.ask(t, httpapitest.Viewer, at+"/undo", nil); status != http.StatusForbidden {
		t.Errorf("to a reader: %d", status)
	}
	status, to, _ := s.ask(t, httpapitest.Token, at+"/undo", url.Values{"name": {"pr-1-again"}, "target": {e.Target}})
	if status != http.StatusSeeOther || !strings.HasSuffix(to, "?done=undo") {
		t.Fatalf("undone: %d to %s", status, to)
	}
	_, _, page = s.ask(t, httpapitest.Token, to, nil)
	tells(t, "what came back", page, "pr-1-again", "It is being made again")
}

func TestPaletteFinds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	_, ada := s.Person(t, "ada@example.com", false, map[string]blueberry.Role{blueberry.DefaultProject: blueberry.RoleDeveloper})
	if status, _, _ := s.ask(t, ada, "/views/save", url.Values{"name": {"my sleepers"}, "page": {"environments"}, "query": {"phase=sleeping"}}); status != http.StatusSeeOther {
		t.Fatalf("a view: %d", status)
	}
	find := func(token, text string) map[string]string {
		t.Helper()
		status, _, body := s.ask(t, token, "/palette?q="+url.QueryEscape(text), nil)
		var found struct {
			Items []struct{ Name, To, Kind string }
		}
		if err := json.Unmarshal([]byte(body), &found); status != http.StatusOK || err != nil {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		out := map[string]string{}
		for _, x := range found.Items {
			out[x.Name] = x.To
		}
		return out
	}
	at := "/environments/" + e.ID
	for text, want := range map[string]map[string]string{
		"":           {"Environments": "/environments", "Home": "/", "my sleepers": "/environments?phase=sleeping"},
		"sleep pr-1": {"Sleep pr-1": at + "/sleep"}, "dest pr": {"Destroy pr-1": at + "/destroy"}, "pr-1": {"pr-1": at, "Redeploy pr-1": at + "/redeploy"},
		"sleepers": {"my sleepers": "/environments?phase=sleeping"},
	} {
		got := find(ada, text)
		for name, to := range want {
			if got[name] != to {
				t.Errorf("%q: %s leads to %q, want %q", text, name, got[name], to)
			}
		}
	}
	if got := find(ada, "wake pr-1"); got["Wake pr-1"] != "" {
		t.Error("what does not sleep can be woken")
	}
	if got := find(httpapitest.Viewer, "sleep pr-1"); len(got) != 0 {
		t.Errorf("a reader finds %v", got)
	}
	if got := find(httpapitest.Poor, "pr-1"); len(got) != 0 {
		t.Errorf("who may see nothing finds %v", got)
	}
}

// TestKeysAreThoseOfTheMenu: each place of the menu has a letter of its own, and the help tells each of them.
func TestKeysAreThoseOfTheMenu(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, page := s.ask(t, httpapitest.Token, "/", nil)
	letters := map[string]bool{}
	for _, part := range strings.Split(page, `data-key="`)[1:] {
		letter, _, _ := strings.Cut(part, `"`)
		if len(letter) != 1 || letters[letter] {
			t.Errorf("the letter %q is none, or has two places", letter)
		}
		letters[letter] = true
		if n := strings.Count(page, `>`+letter+`</kbd>`); n == 0 {
			t.Errorf("the help does not tell %q", letter)
		}
	}
	if len(letters) < 5 || !letters["e"] || !letters["h"] {
		t.Errorf("the letters are %v", letters)
	}
}

func TestHomeTellsWhatWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pull := s.outsider(t, `<script>alert("x")</script>`)
	_, _, page := s.ask(t, httpapitest.Token, "/", nil)
	tells(t, "home", page, "Wait for you", "/pulls/"+pull, "Nobody has vouched")
	hides(t, "home", page, "<script>alert")
	_, _, page = s.ask(t, httpapitest.Viewer, "/", nil)
	hides(t, "a reader's home", page, "Wait for you")
}

// outsider has a host tell of a pull request of somebody whom nobody knows, and gives its id.
func (s *site) outsider(t *testing.T, title string) string {
	t.Helper()
	added, err := s.client.AddRepository(t.Context(), sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: repository, Policy: sdk.PullPolicy{Forks: true}})
	if err != nil {
		t.Fatal(err)
	}
	body := opened(title, strings.Repeat("ab", 20))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/hooks/"+added.Repository.ID, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = roomstest.Sign(added.Secret, body)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	list, err := s.client.ListPulls(t.Context(), sdk.PullFilter{})
	if err != nil || len(list.Items) != 1 || res.StatusCode != http.StatusAccepted {
		t.Fatalf("%d, and %d pull requests, %v", res.StatusCode, len(list.Items), err)
	}
	return list.Items[0].ID
}
