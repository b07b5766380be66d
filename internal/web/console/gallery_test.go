package console_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/web/console"
	"github.com/blueberry-idp/blueberry/sdk"
)

var record = flag.Bool("record", false, "make gallery.json anew, from real rooms: go test ./internal/web/console -run TestGallery -record")

// TestGallery: every page of the console is in the gallery, and is made of kept answers alone.
func TestGallery(t *testing.T) {
	t.Parallel()
	if *record {
		keepGallery(t)
	}
	content, err := os.ReadFile("gallery.json") // not the one in the binary: it may be made just now
	if err != nil {
		t.Fatal(err)
	}
	var g console.Gallery
	if err := json.Unmarshal(content, &g); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range g.Routes(func(next http.HandlerFunc) http.Handler { return next }, slog.New(slog.DiscardHandler)) {
		mux.Handle(pattern, h)
	}
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		return w.Code, w.Body.String()
	}
	status, index := get("/_gallery")
	if status != http.StatusOK {
		t.Fatalf("the gallery answers %d", status)
	}
	known := patterns()
	missing := map[string]bool{}
	for _, p := range console.Patterns() {
		missing[p] = true
	}
	for i, p := range g.Pages {
		at := "/_gallery/pages/" + itoa(i)
		if !strings.Contains(index, at+`"`) {
			t.Errorf("the gallery does not lead to %s", p.Name)
		}
		if status, page := get(at); status >= http.StatusInternalServerError || p.Form == nil && status != http.StatusOK {
			t.Errorf("%s (%s): %d\n%.600s", p.Name, p.Path, status, textOf(page))
		}
		if p.Form == nil {
			delete(missing, patternOf(known, p.Path))
		}
	}
	for p := range missing {
		if slices.Contains(notKept, p) {
			continue
		}
		t.Errorf("no page of %q is in the gallery", p)
	}
}

// notKept are pages of one form about what only a browser or a program can make: a passkey, an identity at a provider, a program's token.
var notKept = []string{
	"GET /account/security/passkeys/{id}/remove", "GET /account/security/identities/{provider}/unlink", "GET /account/programs/{client}/remove", "GET /oauth-tokens/{id}/revoke",
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// textOf is what a page says.
func textOf(page string) string {
	if _, body, ok := strings.Cut(page, "<main"); ok {
		page = "<" + body
	}
	return html.UnescapeString(strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " "))
}

// patterns tells the pattern of a path.
func patterns() *http.ServeMux {
	mux := http.NewServeMux()
	for _, p := range console.Patterns() {
		mux.Handle(p, http.NotFoundHandler())
	}
	return mux
}

func patternOf(known *http.ServeMux, path string) string {
	r, err := http.NewRequest(http.MethodGet, path, http.NoBody) //nolint:noctx // it is never sent
	if err != nil {
		return ""
	}
	_, pattern := known.Handler(r)
	return pattern
}

// keepGallery fills rooms, goes through all of their pages, and keeps what they are made of.
func keepGallery(t *testing.T) {
	t.Helper()
	s := newSite(t)
	user, token := s.Person(t, "ada@example.com", true, nil)
	filled := s.fill(t, token)
	g := &console.Gallery{At: time.Now().UTC().Truncate(time.Second), Who: user.Email}
	if g.Who == "" {
		t.Fatal("the person has no name")
	}
	s.now, s.gallery = g.At, g
	known, seen, count := patterns(), map[string]bool{}, map[string]int{}
	link := regexp.MustCompile(`(?:href|action)="(/[^"#]*)`)
	for at := append([]string{"/"}, filled...); len(at) > 0; at = at[1:] {
		path := at[0]
		pattern := patternOf(known, path)
		if seen[path] || pattern == "" || count[pattern] >= atMost[pattern]+2 {
			continue
		}
		seen[path] = true
		status, _, page := s.ask(t, token, path, nil)
		if status != http.StatusOK {
			if !slices.Contains(filled, path) {
				continue // an action that is only posted to, or that does not fit
			}
			t.Fatalf("%s answers %d: %.500s", path, status, textOf(page))
		}
		count[pattern]++
		_, title, _ := strings.Cut(page, "<title>")
		title, _, _ = strings.Cut(title, " · Blueberry</title>")
		g.Pages = append(g.Pages, console.GalleryPage{Name: html.UnescapeString(title), Path: path})
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			at = append(at, html.UnescapeString(m[1]))
		}
	}
	for _, f := range forms(filled) {
		status, _, page := s.ask(t, token, f.Path, f.Form)
		if status != http.StatusOK && status != http.StatusUnprocessableEntity {
			t.Fatalf("%s: %d: %.300s", f.Name, status, textOf(page))
		}
		g.Pages = append(g.Pages, f)
	}
	slices.SortStableFunc(g.Pages, func(a, b console.GalleryPage) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(g); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("gallery.json", out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// atMost is how many pages of a pattern are kept beyond two.
var atMost = map[string]int{"GET /environments/{id}": 3, "GET /environments/{id}/{verb}": 8}

// forms are what forms are answered by: a plan, and what is wrong.
func forms(filled []string) []console.GalleryPage {
	return []console.GalleryPage{
		{Name: "New environment · planned", Path: "/environments/new", Form: url.Values{"repository": {repository}, "name": {"pr-9"}, "parameter.level": {"debug"}}},
		{Name: "New environment · with faults", Path: "/environments/new", Form: url.Values{"repository": {repository}, "name": {"Not A Name"}, "ttl_hours": {"many"}}},
		{Name: "Change · planned", Path: filled[0] + "/change", Form: url.Values{"parameter.level": {"debug"}, "reason": {"log more"}}},
		{Name: "Extend · with faults", Path: filled[0] + "/extend", Form: url.Values{"hours": {"many"}}},
	}
}

// fill makes something of everything that pages show, and gives paths to begin with; the first is that of an environment.
func (s *site) fill(t *testing.T, token string) (paths []string) {
	t.Helper()
	ctx, mine := t.Context(), &sdk.Client{BaseURL: s.url, HTTPClient: &http.Client{Transport: inBrowser{token}}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	create := func(name string) sdk.Environment {
		e, err := mine.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: name, Source: &sdk.Source{Repository: repository}})
		must(err)
		return e
	}
	until := func(id string, p sdk.Phase) sdk.Environment {
		for {
			e, err := mine.GetEnvironment(ctx, id)
			must(err)
			if e.Phase == p {
				return e
			}
		}
	}
	main := until(create("main").ID, sdk.Ready)
	_, err := mine.ChangeEnvironment(ctx, main.ID, sdk.ChangeEnvironmentRequest{Parameters: map[string]any{"level": "debug"}, Reason: "log more"})
	must(err)
	main = until(main.ID, sdk.Ready)
	paths = append(paths, "/environments/"+main.ID)
	asleep := until(create("load-test").ID, sdk.Ready)
	_, err = mine.SleepEnvironment(ctx, asleep.ID)
	must(err)
	until(asleep.ID, sdk.Sleeping)
	ill := until(create("checkout").ID, sdk.Ready)
	s.degrade(t, ill)
	gone := until(create("pr-40").ID, sdk.Ready)
	_, err = mine.DestroyEnvironment(ctx, gone.ID)
	must(err)
	until(gone.ID, sdk.Terminated)
	paths = append(paths, "/environments/"+asleep.ID, "/environments/"+ill.ID, "/environments/"+gone.ID, "/environments?phase=terminated")

	added, err := mine.AddRepository(ctx, sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: repository, Policy: sdk.PullPolicy{Forks: true}})
	must(err)
	body := opened("Checkout in two steps", strings.Repeat("ab", 20))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/hooks/"+added.Repository.ID, strings.NewReader(body))
	must(err)
	req.Header = roomstest.Sign(added.Secret, body)
	res, err := http.DefaultClient.Do(req)
	must(err)
	must(res.Body.Close())
	paths = append(paths, "/pulls", "/repositories/"+added.Repository.ID)

	_, err = mine.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Content: blueprint, Message: "The first"})
	must(err)
	_, err = mine.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Content: strings.Replace(blueprint, "default: info", "default: debug", 1), Message: "Log more"})
	must(err)
	set, err := mine.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "logging", Content: "all:\n  env:\n    LOG_LEVEL: info\n"})
	must(err)
	_, err = mine.EditConfigSet(ctx, set.ConfigSet.ID, sdk.EditConfigSetRequest{Content: "all:\n  env:\n    LOG_LEVEL: debug\n", Message: "Log more"})
	must(err)
	_, err = mine.CreatePolicy(ctx, sdk.CreatePolicyRequest{Name: "images", Text: "@message(\"the image has no digest\")\n@warn\nforbid (principal, action, resource is Image) unless { resource.by_digest };\n"})
	must(err)
	sub, err := mine.AddSubscription(ctx, sdk.AddSubscriptionRequest{Name: "release-room", Kind: "webhook", URL: "https://hooks.example.com/blueberry", Events: []string{"environment.*"}})
	must(err)
	_, err = mine.TestSubscription(ctx, sub.Subscription.ID)
	must(err)
	_, err = mine.CreateUser(ctx, sdk.CreateUserRequest{Email: "grace@example.com", Name: "Grace", Members: []sdk.ProjectRole{{Project: blueberry.DefaultProject, Role: "developer"}}})
	must(err)
	account, err := mine.CreateServiceAccount(ctx, blueberry.DefaultProject, sdk.CreateServiceAccountRequest{Name: "ci", Description: "Previews of pull requests", Role: "developer"})
	must(err)
	_, err = mine.CreateAPIToken(ctx, sdk.CreateAPITokenRequest{Name: "pipeline", Role: "developer", ServiceAccountID: account.ID})
	must(err)
	_, err = mine.CreateAPIToken(ctx, sdk.CreateAPITokenRequest{Name: "laptop", Role: "viewer"})
	must(err)
	_, err = mine.CreateOAuthClient(ctx, sdk.CreateOAuthClientRequest{Name: "Dashboards", RedirectURIs: []string{"https://dashboards.example.com/callback"}, Flows: []string{"authorization_code"}, Grants: []string{"environments:read"}})
	must(err)
	_, err = mine.CreateProject(ctx, sdk.CreateProjectRequest{Name: "lab"})
	must(err)
	_, err = mine.SetIdentityProvider(ctx, "google", sdk.SetIdentityProviderRequest{Kind: "oidc", Label: "Google", Issuer: "https://accounts.google.com", ClientID: "blueberry", AllowedDomains: []string{"example.com"}})
	must(err)
	_, err = mine.CreateGroupRule(ctx, sdk.CreateGroupRuleRequest{Provider: "google", Group: "platform", Project: "lab", Role: "developer"})
	must(err)
	_, err = mine.IssueCertificate(ctx, sdk.IssueCertificateRequest{Name: "prometheus"})
	must(err)
	_, err = mine.SaveView(ctx, "What failed", sdk.SaveViewRequest{Page: "environments", Query: "phase=failed&sort=name"})
	must(err)
	_, err = mine.SetPrices(ctx, sdk.SetPricesRequest{Target: "local", Currency: "EUR", CPUHour: "0.031", MemoryHour: "0.004", StorageMonth: "0.1"})
	must(err)
	guard, session := s.Person(t, "eve@example.com", false, nil)
	yes := true
	_, err = mine.UpdateUser(ctx, guard.ID, sdk.UpdateUserRequest{BreakGlass: &yes})
	must(err)
	eve := &sdk.Client{BaseURL: s.url, HTTPClient: &http.Client{Transport: inBrowser{session}}}
	_, err = eve.OpenEmergency(ctx, sdk.OpenEmergencyRequest{Reason: "The shop is down and its admin cannot be reached"})
	must(err)
	_, err = s.SignIn.Password(ctx, access.PasswordAttempt{Email: "ada@example.com", Password: roomstest.Password, From: access.From{Address: "192.0.2.8"}})
	must(err)
	s.Failing.Enqueue(t, main.ID)
	for dead := []sdk.Job(nil); len(dead) == 0; {
		list, err := mine.ListJobs(ctx, sdk.JobFilter{States: []string{"dead"}})
		must(err)
		dead = list.Items
	}
	const labels = "labels: {blueberry.dev/project: default, blueberry.dev/environment: gone}"
	for _, doc := range []string{
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: default-gone, " + labels + "}\n",
		"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default-gone, " + labels + "}\nspec: {ports: [{port: 80}]}\n",
	} {
		must(s.Place.Create([]byte(doc)))
	}
	for found := []sdk.Orphan(nil); len(found) == 0; { // what is seen once may be on its way
		must(mine.ScanTarget(ctx, "local"))
		list, err := mine.ListOrphans(ctx, sdk.OrphanFilter{})
		must(err)
		found = list.Items
	}
	return append(paths, "/environments/"+gone.ID+"/undo", "/bulk?verb=sleep&id="+main.ID+"&id="+asleep.ID, "/bulk?verb=destroy&id="+main.ID+"&id="+gone.ID, "/projects/lab/delete", "/account/security/recovery-codes",
		"/account/security/totp/remove", "/account/sessions/end", "/emergencies/open", "/views", "/jobs?state=dead", "/orphans", "/environments/"+main.ID+"/logs?view=lines")
}

// inBrowser calls as a page of the server does, with a session.
type inBrowser struct{ session string }

// RoundTrip implements http.RoundTripper.
func (b inBrowser) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: access.SessionCookie, Value: b.session}) //nolint:gosec // it is sent, not set
	return http.DefaultTransport.RoundTrip(r)
}
