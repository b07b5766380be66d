package docs_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	written "github.com/blueberry-idp/blueberry/docs"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/web/docs"
)

// newSite is the pages behind the gateway of a real API, with the documents given.
func newSite(t *testing.T, files fs.FS) *httptest.Server {
	t.Helper()
	deps := httpapitest.New().Deps()
	var api *httpapi.API
	site := docs.Site{
		Files: files, Address: "https://blueberry.example.com", Version: "v1.2.3", Logger: slog.New(slog.DiscardHandler),
		Document: func() ([]byte, error) { return api.Document() }, Order: func(schema string) []string { return api.FieldOrder(schema) },
	}
	for _, k := range httpapi.ProblemKinds() {
		site.Problems = append(site.Problems, docs.Problem{Anchor: k.Anchor, Kind: k.Kind, Code: k.Code, Description: k.Means, Status: k.Status})
	}
	deps.Routes = site.Routes()
	var err error
	if api, err = httpapi.New(deps); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	return srv
}

// get asks as a stranger does, and follows nothing.
func get(t *testing.T, srv *httptest.Server, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

var (
	linkTo = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	named  = regexp.MustCompile(`\bid="([^"]*)"`)
)

// TestEveryPageAnswersAndEveryLinkLeadsSomewhere begins at the first page and follows all links of ours: pages, places on them, pictures.
func TestEveryPageAnswersAndEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	srv := newSite(t, written.Files)
	ids := map[string]map[string]bool{}
	type link struct{ from, to string }
	var places []link
	todo := []link{{"", "/docs"}}
	for len(todo) > 0 {
		l := todo[0]
		todo = todo[1:]
		path, fragment, _ := strings.Cut(l.to, "#")
		if fragment != "" {
			places = append(places, l)
		}
		if _, seen := ids[path]; seen {
			continue
		}
		res, text := get(t, srv, path)
		ids[path] = map[string]bool{}
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s leads to %s, which is answered by %d", l.from, l.to, res.StatusCode)
			continue
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if ids[path][m[1]] {
				t.Errorf("%s has two of the id %s", path, m[1])
			}
			ids[path][m[1]] = true
		}
		for _, m := range linkTo.FindAllStringSubmatch(text, -1) {
			to := strings.ReplaceAll(m[1], "&amp;", "&")
			switch {
			case strings.HasPrefix(to, "#"):
				todo = append(todo, link{path, path + to})
			case strings.HasPrefix(to, "/docs"), strings.HasPrefix(to, "/openapi"):
				todo = append(todo, link{path, to})
			case to == "/", strings.HasPrefix(to, "/static/") && strings.Contains(to, "?v="), strings.HasPrefix(to, "https://"):
			default:
				t.Errorf("%s leads to %q", path, to)
			}
		}
		if strings.Contains(strings.ReplaceAll(text, `<p class="picture"><img`, ""), `<p class="picture">`) {
			t.Errorf("%s has a picture that is not there", path)
		}
		for _, hidden := range []string{"<script>", "onclick", "style=", "beyond:", "javascript:"} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s holds %s", path, hidden)
			}
		}
	}
	for _, l := range places {
		path, fragment, _ := strings.Cut(l.to, "#")
		name, err := url.PathUnescape(fragment)
		if err != nil || !ids[path][name] {
			t.Errorf("%s leads to %s, where nothing has that name", l.from, l.to)
		}
	}
	if err := fs.WalkDir(written.Files, ".", func(file string, d fs.DirEntry, err error) error { // no document is out of reach
		if name, ok := strings.CutSuffix(file, ".md"); ok {
			if ids["/docs/"+strings.TrimSuffix(name, "/README")] == nil {
				t.Errorf("no link leads to %s", file)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestReferenceHasEveryOperation: with its path and a place of its own; and each kind of problem is explained where the type of a problem leads.
func TestReferenceHasEveryOperation(t *testing.T) {
	t.Parallel()
	srv := newSite(t, written.Files)
	_, text := get(t, srv, "/openapi.json")
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Tags        []string
		}
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for path, item := range doc.Paths {
		for method, op := range item {
			at := "/docs/api/" + strings.ReplaceAll(strings.ToLower(op.Tags[0]), " ", "-")
			if pages[at] == "" {
				_, pages[at] = get(t, srv, at)
			}
			if !strings.Contains(pages[at], `id="`+op.OperationID+`"`) || !strings.Contains(pages[at], path) {
				t.Errorf("%s lacks %s %s", at, method, path)
			}
		}
	}
	_, home := get(t, srv, "/docs")
	for _, k := range httpapi.ProblemKinds() {
		if !strings.Contains(home, `id="`+k.Anchor+`"`) {
			t.Errorf("the first page lacks %s", k.Anchor)
		}
	}
	for want, at := range map[string]string{
		"https://blueberry.example.com/v1/environments": "/docs/api/environments", "needs no credential": "/docs/api/sign-in", "at most 40 characters": "/docs/api/environments", "Where it is used": "/docs/api/schemas/Plan",
	} {
		if _, text := get(t, srv, at); !strings.Contains(text, want) {
			t.Errorf("%s lacks %q", at, want)
		}
	}
}

func TestPagesAreStrictAndNobodysOwn(t *testing.T) {
	t.Parallel()
	srv := newSite(t, written.Files)
	for path, status := range map[string]int{
		"/docs": 200, "/docs/guide/plans": 200, "/docs/search?q=lease": 200, "/docs/api": 200, "/docs/nothing": 404, "/docs/guide/nothing": 404, "/docs/api/nothing": 404, "/docs/api/schemas/Nothing": 404,
		"/docs/guide/plans.md": 301, "/docs/guide/": 301, "/docs/guide/pictures/..%2f..%2fdocs.go": 404, "/docs/guide/pictures/nothing.png": 404, "/docs/cli/..%2f..%2fgo.mod": 404,
	} {
		res, text := get(t, srv, path)
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, status)
		}
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; script-src 'self'") {
			t.Errorf("%s has the policy %q", path, res.Header.Get("Content-Security-Policy"))
		}
		if res.Header.Get("Set-Cookie") != "" || strings.Contains(text, "package docs") {
			t.Errorf("%s gives more than a document", path)
		}
	}
	if res, _ := get(t, srv, "/docs/guide/plans.md"); res.Header.Get("Location") != "/docs/guide/plans" {
		t.Errorf("a file's name leads to %q", res.Header.Get("Location"))
	}
	if _, text := get(t, srv, "/docs", "Cookie", "blueberry_theme=dark"); !strings.Contains(text, `data-theme="dark"`) {
		t.Error("the colours that were chosen are not kept")
	}
	if _, text := get(t, srv, "/docs", "Cookie", `blueberry_theme="><script>`); strings.Contains(text, "<script>") || strings.Contains(text, "data-theme") {
		t.Error("a cookie that is no choice is taken")
	}
	if res, _ := get(t, srv, "/docs/api/environments", "Accept-Encoding", "gzip"); res.Header.Get("Content-Encoding") != "gzip" {
		t.Error("a page is not compressed to who takes that")
	}
}

// search asks as scripts do.
func search(t *testing.T, srv *httptest.Server, query string) (addresses []string) {
	t.Helper()
	res, text := get(t, srv, "/docs/search.json?q="+url.QueryEscape(query))
	var found struct {
		Items []struct{ Title, Page, Area, Address, Excerpt string }
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil || res.StatusCode != http.StatusOK || found.Items == nil {
		t.Fatalf("%q: %d %v %s", query, res.StatusCode, err, text)
	}
	for _, x := range found.Items {
		if x.Title == "" || x.Area == "" || len(x.Excerpt) > 400 {
			t.Errorf("%q finds %+v", query, x)
		}
		addresses = append(addresses, x.Address)
	}
	return addresses
}

func TestSearchFinds(t *testing.T) {
	t.Parallel()
	srv := newSite(t, written.Files)
	for query, want := range map[string]string{ // must be among the first three
		"extend lease":     "/docs/cli/blueberry_env_extend",
		"env create":       "/docs/cli/blueberry_env_create",
		"quiet hours":      "/docs/guide/notifications#quiet-hours",
		"QUIET HOURS":      "/docs/guide/notifications#quiet-hours",
		"rollback sticks":  "/docs/guide/plans#rollback-that-sticks",
		"helm chart":       "/docs/guide/blueprints#helm-charts",
		"oauth programs":   "/docs/guide/access#programs-that-act-for-people-oauth-20",
		"plan environment": "/docs/api/plans#plan-new-environment",
		"readyz":           "/docs/guide/configuration#health",
		"audit verify":     "/docs/cli/blueberry_audit_verify",
		"quotas":           "/docs/guide/plans#quotas",
	} {
		found := search(t, srv, query)
		if !slices.Contains(found[:min(3, len(found))], want) {
			t.Errorf("%q finds %v, want %s among the first", query, found, want)
		}
	}
	if _, text := get(t, srv, "/docs/search?q=quiet+hours"); !strings.Contains(text, "<mark>Quiet</mark>") && !strings.Contains(text, "<mark>quiet</mark>") {
		t.Error("the words are not marked")
	}
}

// TestSearchTakesAnything: whatever is asked is answered, within bounds, as text.
func TestSearchTakesAnything(t *testing.T) {
	t.Parallel()
	srv := newSite(t, written.Files)
	for _, query := range []string{"", " ", "zzzzqqqq", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "a", strings.Repeat("environment ", 400), strings.Repeat("é", 500), "\x00\xff\xfe", "%s%n", "' OR 1=1 --", "🫐", "../../etc/passwd"} {
		if found := search(t, srv, query); len(found) > 8 {
			t.Errorf("%q finds %d", query, len(found))
		}
		res, text := get(t, srv, "/docs/search?q="+url.QueryEscape(query))
		if res.StatusCode != http.StatusOK || strings.Contains(text, "<script>alert") || strings.Contains(text, "<img src=x") {
			t.Errorf("%q: %d %s", query, res.StatusCode, text)
		}
	}
	if _, text := get(t, srv, "/docs/search?q=zzzzqqqq"); !strings.Contains(text, "Nothing holds") {
		t.Error("it is not said that nothing was found")
	}
}

// TestHostileMarkdownIsText: what a document holds of HTML, of addresses that act, and of pictures from elsewhere becomes no markup.
func TestHostileMarkdownIsText(t *testing.T) {
	t.Parallel()
	const hostile = "# <script>alert('title')</script> & so\n\n" +
		"<script>alert(1)</script>\n\n" +
		"Text with <b onclick=\"alert(2)\">tags</b>, [one](javascript:alert(3)), [two](data:text/html,x), [three](//evil.example.com/x), [four](/account), <javascript:alert(4)>.\n\n" +
		"![far](https://evil.example.com/x.png) ![quote\" onerror=\"alert(5)](pictures/x.png)\n\n" +
		"<picture>\n<source media=\"(prefers-color-scheme: dark)\" srcset=\"https://evil.example.com/d.png\">\n<img alt=\"x\" src=\"pictures/x.png\" onerror=\"alert(6)\">\n</picture>\n\n" +
		"<!-- hidden --> <img src=x onerror=alert(7)>\n\n" +
		"## A \"quoted\" <i>place</i>\n\n" +
		"```\"><script>alert(8)</script>\n</code></pre><script>alert(9)</script>\n```\n\n" +
		"| a |\n|:-:|\n| <script>alert(10)</script> |\n"
	files := fstest.MapFS{
		"guide/README.md": {Data: []byte("# Guide\n\n## Begin\n\n- [Bad <b>one</b>](bad.md)\n")}, "guide/bad.md": {Data: []byte(hostile)}, "guide/pictures/x.png": {Data: []byte("no picture")},
		"design/0001-a.md": {Data: []byte("# A\n")}, "cli/blueberry.md": {Data: []byte("## blueberry\n")},
	}
	srv := newSite(t, files)
	for _, path := range []string{"/docs", "/docs/guide", "/docs/guide/bad", "/docs/search?q=alert"} {
		res, text := get(t, srv, path)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", path, res.StatusCode)
		}
		for _, bad := range []string{"<script>", "<b ", "<b>", "<i>", `href="javascript:`, `href="data:`, `href="//`, `href="/account"`, `src="https:`, `<img src=x`, `" onerror`, "<picture", `style=`} {
			if at := strings.Index(text, bad); at >= 0 {
				t.Errorf("%s holds %s: …%s…", path, bad, text[max(0, at-60):min(len(text), at+80)])
			}
		}
	}
	if _, text := get(t, srv, "/docs/guide/bad"); !strings.Contains(text, "&lt;script&gt;alert(1)") || !strings.Contains(text, `id="a-quoted-place"`) {
		t.Errorf("what was written is not shown as text: %s", text)
	}
}

// TestPicturesForBothColours: the one piece of HTML that is taken shows a picture for light and one for dark.
func TestPicturesForBothColours(t *testing.T) {
	t.Parallel()
	srv := newSite(t, written.Files)
	_, text := get(t, srv, "/docs/guide/tour")
	for _, want := range []string{`src="/docs/guide/pictures/home-light.png"`, `src="/docs/guide/pictures/home-dark.png"`, `class="for-light"`, `class="for-dark"`, `width="1280" height="800"`, `loading="lazy"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the tour lacks %s", want)
		}
	}
}
