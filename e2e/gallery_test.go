package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/internal/web"
	"github.com/blueberry-idp/blueberry/internal/web/console"
	"github.com/blueberry-idp/blueberry/internal/web/static"
)

const webauditDir = "testdata/webaudit"

// webaudit gives the directory of the npm packages that judge pages; they are installed if need be. Empty when this machine is to do without Node.
func webaudit(t *testing.T) string {
	t.Helper()
	const without = "BLUEBERRY_TEST_WITHOUT_NODE"
	if os.Getenv(without) != "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is set in CI: a test that was left out is a test that did not hold", without)
		}
		t.Logf("%s is set: pages are not judged", without)
		return ""
	}
	webauditOnce.Lock()
	defer webauditOnce.Unlock()
	modules := filepath.Join(webauditDir, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, ".package-lock.json")); err != nil { // npm writes it last
		install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = webauditDir
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v; set %s=1 to leave it out\n%s", err, without, out)
		}
	}
	return modules
}

// gallery serves that of this version, as `blueberry dev` does.
func gallery(t *testing.T) (home string) {
	t.Helper()
	g, err := console.OpenGallery()
	if err != nil {
		t.Fatal(err)
	}
	g.Doors = web.Gallery()
	mux := http.NewServeMux()
	for pattern, h := range g.Routes((&web.Pages{}).Page, slog.New(slog.DiscardHandler)) {
		mux.Handle(pattern, h)
	}
	mux.Handle("GET /static/", http.StripPrefix("/static/", static.Handler()))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return srv.URL
}

// violation is what axe found, as far as it tells.
type violation struct {
	ID, Help string
	Nodes    []struct {
		HTML           string
		FailureSummary string
	}
}

// TestGalleryIsAccessible: axe finds nothing against WCAG 2.2 AA on any page of the gallery, light or dark, and none is wider than a phone.
func TestGalleryIsAccessible(t *testing.T) {
	t.Parallel()
	modules := webaudit(t)
	if modules == "" {
		return
	}
	axe, err := os.ReadFile(filepath.Join(modules, "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	home := gallery(t)
	ctx := browser(t)
	heard := listen(ctx, home)
	pages := []string{"/_gallery"}
	for n := range strings.Count(get(t, home+"/_gallery"), `href="/_gallery/pages/`) {
		pages = append(pages, fmt.Sprintf("/_gallery/pages/%d", n))
	}
	if len(pages) < 40+len(web.Gallery()) {
		t.Fatalf("the gallery has %d pages", len(pages))
	}
	judge := func(theme, rules string) []violation {
		t.Helper()
		var found []violation
		answer, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => {
			document.documentElement.dataset.theme = "`+theme+`";
			for (const a of document.getAnimations()) if (a instanceof CSSTransition) a.finish(); // colours that are on their way
			const found = await axe.run(document, {`+rules+`, resultTypes: ["violations"]});
			return JSON.stringify(found.violations.map((v) => ({ID: v.id, Help: v.help, Nodes: v.nodes.slice(0, 3).map((n) => ({HTML: n.html, FailureSummary: n.failureSummary}))})));
		})()`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(answer), &found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, path := range pages {
		do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(home+path), chromedp.WaitReady(chromedp.CSS("body")))
		name, err := chromedp.Run(ctx, chromedp.Title())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](string(axe)+";0")); err != nil {
			t.Fatal(err)
		}
		all := `runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]`
		for theme, found := range map[string][]violation{"light": judge("light", all), "dark": judge("dark", `runOnly: {type: "rule", values: ["color-contrast"]}`)} {
			for _, v := range found {
				for _, n := range v.Nodes {
					t.Errorf("%s (%s), %s: %s: %s\n%.400s\n%s", path, name, theme, v.ID, v.Help, n.HTML, n.FailureSummary)
				}
			}
		}
		do(ctx, t, chromedp.EmulateViewport(390, 800))
		wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
		if err != nil {
			t.Fatal(err)
		}
		if wide > 390 {
			t.Errorf("%s (%s) is %d wide on a phone of 390", path, name, wide)
		}
	}
	heard.without("status of 404") // scripts of some pages ask for more, and a gallery has no more
	heard.check(t)
}

func get(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(address) //nolint:gosec,noctx // our own server
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", address, res.StatusCode, err)
	}
	return string(body)
}

// Bounds of what a first view may weigh, compressed.
const (
	viewBytes   = 150_000
	scriptBytes = 60_000
)

var loads = regexp.MustCompile(`<(?:script|link)[^>]+(?:src|href)="(/static/[^"]+)"`)

// TestFirstViewIsLight: no page of the gallery takes more than it may to be seen the first time, with all that it loads.
func TestFirstViewIsLight(t *testing.T) {
	t.Parallel()
	home := gallery(t)
	heavy := []string{"editor", "shell", "xterm"} // loaded by their pages only
	packed := map[string]int{}
	weigh := func(path string) (n int, body []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, home+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "gzip") // by hand, so that it is not unpacked
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, err = io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK && res.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
		}
		return len(body), body
	}
	most, worst := 0, ""
	for n := range strings.Count(get(t, home+"/_gallery"), `href="/_gallery/pages/`) {
		path := fmt.Sprintf("/_gallery/pages/%d", n)
		_, page := weigh(path)
		if bytes.HasPrefix(page, []byte{0x1f, 0x8b}) {
			page = unpack(t, page)
		}
		total, script := len(pack(t, page)), 0
		for _, m := range loads.FindAllSubmatch(page, -1) {
			file := string(m[1])
			if slices.ContainsFunc(heavy, func(x string) bool { return strings.Contains(file, x) }) {
				continue
			}
			if packed[file] == 0 {
				packed[file], _ = weigh(file)
			}
			total += packed[file]
			if strings.Contains(file, ".js") {
				script += packed[file]
			}
		}
		if total > viewBytes || script > scriptBytes {
			t.Errorf("%s weighs %d bytes, %d of them script", path, total, script)
		}
		if total > most {
			most, worst = total, fmt.Sprintf("%s weighs %d bytes, %d of them script", path, total, script)
		}
	}
	t.Log("the heaviest: " + worst)
}

// TestLighthouse: the main pages are accessible and follow best practices, by Lighthouse. What it says of their speed is printed: it is of this machine, at this time.
func TestLighthouse(t *testing.T) { // with nothing beside it: a busy machine shows its browser nothing in time
	modules := webaudit(t)
	if modules == "" {
		return
	}
	home := gallery(t)
	index := get(t, home+"/_gallery")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Home", "Environments", "main", "Pull requests", "New environment"} {
		m := regexp.MustCompile(`href="(/_gallery/pages/\d+)">` + regexp.QuoteMeta(name) + `<`).FindStringSubmatch(index)
		if m == nil {
			t.Fatalf("the gallery has no page %q", name)
		}
		out := filepath.Join(t.TempDir(), "report.json")
		run := exec.CommandContext(t.Context(), "node", filepath.Join(modules, "lighthouse", "cli", "index.js"), home+m[1], "--quiet", "--output=json", "--output-path="+out, "--preset=desktop",
			"--only-categories=performance,accessibility,best-practices", "--chrome-flags=--headless=new --no-sandbox")
		run.Env = append(os.Environ(), "CHROME_PATH="+chromium)
		if text, err := run.CombinedOutput(); err != nil {
			t.Fatalf("lighthouse: %v\n%s", err, text)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var report struct {
			Categories map[string]struct {
				Score     float64
				AuditRefs []struct{ ID string }
			}
			Audits map[string]struct {
				Title string
				Score *float64
			}
		}
		if err := json.Unmarshal(b, &report); err != nil {
			t.Fatal(err)
		}
		for _, category := range []string{"accessibility", "best-practices"} {
			c := report.Categories[category]
			if c.Score < 0.95 {
				t.Errorf("%s: %s is %.0f of 100", name, category, 100*c.Score)
				for _, a := range c.AuditRefs {
					if x := report.Audits[a.ID]; x.Score != nil && *x.Score < 1 {
						t.Logf("%s: %s", a.ID, x.Title)
					}
				}
			}
		}
		t.Logf("%s: performance %.0f, accessibility %.0f, best practices %.0f", name, 100*report.Categories["performance"].Score, 100*report.Categories["accessibility"].Score, 100*report.Categories["best-practices"].Score)
	}
}
