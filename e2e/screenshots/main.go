// Command screenshots takes the pictures of the guide: it runs a server of its own on the sim driver, fills it, and looks at its pages, light and dark, as on a desk
// and on a phone.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

func main() {
	out := flag.String("out", "screenshots", "directory for the pictures")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// patience is how long all of it may take.
const patience = 15 * time.Minute

const (
	email    = "ada@example.com"
	password = "blue berries on snow"
)

func run(ctx context.Context, out string) error {
	dir, err := os.MkdirTemp("", "screenshots")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	host := installation.Host{Bin: filepath.Join(dir, "blueberry"), State: filepath.Join(dir, "state"), Args: []string{"--target-driver", "sim"}}
	if err := installation.Build(ctx, host.Bin); err != nil {
		return err
	}
	server, err := host.Start()
	if err != nil {
		return err
	}
	defer server.Kill()
	pages, err := fill(ctx, server, filepath.Join(dir, "shop"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		return err
	}
	ctx, endAlloc := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox)...)
	defer endAlloc()
	ctx, end := chromedp.NewContext(ctx)
	defer end()
	link, err := os.ReadFile(filepath.Join(host.State, "setup-link"))
	if err != nil {
		return err
	}
	field := func(name string) chromedp.CSS { return chromedp.CSS(`input[name="` + name + `"]`) }
	if err := chromedp.Do(ctx, chromedp.Navigate(strings.TrimSpace(string(link))), chromedp.WaitVisible(field("email")), chromedp.SendKeys(field("email"), email),
		chromedp.SendKeys(field("password"), password), chromedp.Click(`//button[normalize-space(.)="Make the account"]`, chromedp.NodeVisible), chromedp.WaitVisible(chromedp.CSS("#content"))); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	home, _, _ := strings.Cut(strings.TrimSpace(string(link)), "/setup")
	for name, path := range pages {
		if err := take(ctx, home+path, filepath.Join(out, name)); err != nil {
			return fmt.Errorf("pictures of %s: %w", path, err)
		}
	}
	return nil
}

// fill makes environments to look at, and gives the pages with the names of their pictures.
func fill(ctx context.Context, server *installation.Server, repository string) (map[string]string, error) {
	if err := os.CopyFS(repository, os.DirFS(filepath.Join("examples", "shop"))); err != nil {
		return nil, err
	}
	if err := installation.Commit(ctx, repository); err != nil {
		return nil, err
	}
	source := &sdk.Source{Repository: repository}
	ids := map[string]string{}
	for _, name := range []string{"main", "pr-41", "pr-42", "checkout", "load-test"} {
		e, err := server.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: name, Source: source})
		if err != nil {
			return nil, err
		}
		if _, err := server.WaitPhase(ctx, e.ID, sdk.Ready); err != nil {
			return nil, err
		}
		ids[name] = e.ID
	}
	if _, err := server.Client.ChangeEnvironment(ctx, ids["pr-42"], sdk.ChangeEnvironmentRequest{Parameters: map[string]any{"log_level": "debug"}, Reason: "log more"}); err != nil {
		return nil, err
	}
	if _, err := server.Client.SleepEnvironment(ctx, ids["load-test"]); err != nil {
		return nil, err
	}
	if _, err := server.WaitPhase(ctx, ids["load-test"], sdk.Sleeping); err != nil {
		return nil, err
	}
	at := "/environments/" + ids["pr-42"]
	pages := map[string]string{
		"home": "/", "environments": "/environments", "environment": at, "revisions": at + "/revisions?from=1&to=2", "pulls": "/pulls",
	}
	return pages, fillPulls(ctx, server, repository, pages)
}

// junit is what a test tool wrote.
const junit = `<testsuite name="checkout" tests="120"><testcase name="adds an item"/><testcase name="keeps the order"/></testsuite>`

// fillPulls adds a repository with a pull request that CI has reported on, and the pages of both.
func fillPulls(ctx context.Context, server *installation.Server, repository string, pages map[string]string) error {
	added, err := server.Client.AddRepository(ctx, sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: repository, Policy: sdk.PullPolicy{Gates: sdk.PullGates{Tests: true, ScanMax: "medium"}}})
	if err != nil {
		return err
	}
	head, err := installation.Git(ctx, repository, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	head = strings.TrimSpace(head)
	if _, err := server.Client.ReportCI(ctx, sdk.ReportCIRequest{
		Repository: added.Repository.ID, Commit: head, Branch: "topic", Stages: []sdk.CIStage{{Name: "lint", Status: "passed"}, {Name: "test", Status: "passed"}, {Name: "build", Status: "passed"}},
		Files: []sdk.CIFile{{Kind: "junit", Name: "checkout.xml", Content: junit}},
	}); err != nil {
		return err
	}
	status, answer, err := server.Deliver(ctx, added.Repository, added.Secret, installation.PullEvent{Number: 43, Action: "opened", Commit: head, At: time.Now()}.Body())
	if err != nil || status != http.StatusAccepted {
		return fmt.Errorf("the delivery is answered by %d %s: %w", status, answer, err)
	}
	list, err := server.Client.ListPulls(ctx, sdk.PullFilter{Repository: added.Repository.ID})
	if err != nil {
		return err
	}
	pages["repository"] = "/repositories/" + added.Repository.ID
	for _, p := range list.Items {
		pages["pull"] = "/pulls/" + p.ID
	}
	return nil
}

// take takes the pictures of one page.
func take(ctx context.Context, address, file string) error {
	for form, width := range map[string]int64{"desktop": 1360, "phone": 390} {
		for _, scheme := range []string{"light", "dark"} {
			set := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
				features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
				_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
				return err
			})
			if err := chromedp.Do(ctx, set, chromedp.EmulateViewport(width, 860), chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#content"))); err != nil {
				return err
			}
			picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err != nil {
				return err
			}
			if err := os.WriteFile(file+"-"+form+"-"+scheme+".png", picture, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}
