package e2e_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// TestConsoleKeepsManyLines: of a hundred thousand lines a page shows the newest, goes back to earlier ones and finds one among all of them, and never has more than two
// thousand on it.
func TestConsoleKeepsManyLines(t *testing.T) {
	t.Parallel()
	const many, shown = 100_000, 2000
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := newDepthSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		out := bufio.NewWriter(w)
		for i := range many {
			fmt.Fprintf(out, `{"at":%q,"component":"web","pod":"web-%d","container":"web","text":"this is line %d of many"}`+"\n", begun.Add(time.Duration(i)*time.Millisecond).Format(time.RFC3339Nano), i%3, i)
		}
		if err := out.Flush(); err != nil {
			return // the reader is gone
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})
	e := s.environment(t, "pr-1")
	ctx := browser(t)
	heard := listen(ctx, s.home)
	rows := func() int {
		return scriptSays[int](ctx, t, `document.querySelectorAll("#log .log-line").length`)
	}
	line := func(n int) string {
		return fmt.Sprintf(`//div[@id="log"]/div[contains(., "this is line %d of many")]`, n)
	}
	do(ctx, t, s.comeIn("/environments/"+e.ID+"/logs?tail=100000"), see("Following · 100,000 lines"), chromedp.WaitVisible(line(many-1)))
	if n := rows(); n > shown {
		t.Errorf("%d lines stand on the page", n)
	}
	if gap := scriptSays[float64](ctx, t, `(() => { const l = document.getElementById("log"); return l.scrollHeight - l.scrollTop - l.clientHeight; })()`); gap > 24 {
		t.Errorf("the newest line is %v below what is to be seen", gap)
	}
	do(ctx, t, press("Earlier lines"), chromedp.WaitReady(line(many-shown-1)))
	do(ctx, t, press("Earlier lines"), chromedp.WaitReady(line(many-2*shown)))
	do(ctx, t, press("Newest lines"), chromedp.WaitReady(line(many-1)))
	if n := rows(); n > shown {
		t.Errorf("%d lines stand on the page after it went back", n)
	}
	do(ctx, t, enter("q", "line 777 of"), see("1 line of 100,000"), chromedp.WaitVisible(`//mark[.="line 777 of"]`))
	if n := rows(); n != 1 {
		t.Errorf("%d lines are found", n)
	}
	heard.check(t)
}

// TestConsoleOfLargeManifests: two megabytes of manifests stand on a page of few elements; one object is found by its name and opened, and what a change made of it is told.
func TestConsoleOfLargeManifests(t *testing.T) {
	t.Parallel()
	const objects, lines = 4, 9000
	files := func(last string) map[string]string {
		out := map[string]string{}
		components := "{name: web, image: 'acme/web:1', port: 80}"
		for i := range objects { // each in a component of its own: what a component takes to render is bounded
			components += fmt.Sprintf(", {name: extras-%d, kustomization: k%d}", i, i)
			out[fmt.Sprintf("k%d/kustomization.yaml", i)] = fmt.Sprintf(`configMapGenerator: [{name: big-%d, files: [text], literals: [last-%d=%s], options: {disableNameSuffixHash: true}}]`, i, i, last)
			var b strings.Builder
			for k := range lines {
				fmt.Fprintf(&b, "in object %d, this is the line of the number %05d of all of its lines\n", i, k)
			}
			out[fmt.Sprintf("k%d/text", i)] = b.String()
		}
		out["blueberry.yaml"] = "name: shop\ncomponents: [" + components + "]\n"
		return out
	}
	s := newDepthSite(t)
	s.Push(depthRepository, files("before"))
	e, err := s.client.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: "pr-1", Source: &sdk.Source{Repository: depthRepository}})
	until := func(revision int) {
		t.Helper()
		for err == nil && (e.Phase != sdk.Ready || e.SyncedRevision != revision) {
			e, err = s.client.GetEnvironment(t.Context(), e.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	until(1)
	size := 0
	r, err := s.client.GetEnvironmentRendering(t.Context(), e.ID, 1)
	for _, f := range r.Files {
		size += len(f.Content)
	}
	if err != nil || size < 2_000_000 {
		t.Fatalf("the manifests are of %d bytes, %v", size, err)
	}
	ctx := browser(t)
	heard := listen(ctx, s.home)
	small := func(what string) {
		t.Helper()
		if n := scriptSays[int](ctx, t, `document.querySelectorAll("*").length`); n > 1500 {
			t.Errorf("%s has %d elements", what, n)
		}
	}
	do(ctx, t, s.comeIn("/environments/"+e.ID+"/manifests"), see("It is large: this page does not change by itself"), see("ConfigMap big-3"))
	small("the page of manifests")
	if html := scriptSays[int](ctx, t, `document.documentElement.outerHTML.length`); html > size+100_000 {
		t.Errorf("%d bytes of manifests make a page of %d", size, html)
	}
	do(ctx, t, enter("q", "big-2"), press("Show"), chromedp.WaitNotPresent(`//summary[contains(., "big-3")]`), chromedp.WaitVisible(`//details[@open]/pre[contains(., "last-2: before")]`))
	small("the page of one object")

	s.Push(depthRepository, files("after"))
	if _, err = s.client.RefreshEnvironment(t.Context(), e.ID); err == nil {
		e, err = s.client.GetEnvironment(t.Context(), e.ID)
	}
	until(2)
	do(ctx, t, chromedp.Navigate(s.home+"/environments/"+e.ID+"/revisions?from=1&to=2"), see("From revision 1 to 2"), see("data.last-2"))
	small("the difference of two revisions")
	heard.check(t)
}
