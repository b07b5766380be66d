// Command screenshots takes the pictures of the guide's tour: it runs a server of its own on the sim driver, goes the way of the tour in a browser, and looks at each
// page, light and dark. Nothing of the machine is in them: the repository has a neutral address.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/e2e/installation"
)

func main() {
	out := flag.String("out", "screenshots", "directory for the pictures")
	bin := flag.String("bin", "", "blueberry that is built already; else it is built")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, *out, *bin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// patience is how long all of it may take.
const patience = 25 * time.Minute

const (
	email    = "ada@example.com"
	password = "blue berries on snow"
)

// Sizes of the pictures.
const (
	deskWidth, deskHeight   = 1280, 800
	phoneWidth, phoneHeight = 390, 780
)

func run(ctx context.Context, out, bin string) error {
	dir, err := os.MkdirTemp("", "screenshots")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	host := installation.Host{Bin: bin, State: filepath.Join(dir, "state"), Args: []string{"--target-driver", "sim"}}
	if bin == "" {
		host.Bin = filepath.Join(dir, "blueberry")
		if err := installation.Build(ctx, host.Bin); err != nil {
			return err
		}
	}
	server, err := host.Start()
	if err != nil {
		return err
	}
	defer server.Kill()
	head, end, err := openRepository(ctx, dir, host.State)
	if err != nil {
		return err
	}
	defer end()
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		return err
	}
	ctx, endAlloc := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox)...)
	defer endAlloc()
	ctx, endTab := chromedp.NewContext(ctx)
	defer endTab()
	link, err := os.ReadFile(filepath.Join(host.State, "setup-link"))
	if err != nil {
		return err
	}
	home, _, _ := strings.Cut(strings.TrimSpace(string(link)), "/setup")
	t := tour{ctx: ctx, out: out, home: home, server: server, head: head}
	return t.walk(strings.TrimSpace(string(link)))
}

type step = chromedp.Action[chromedp.Void]

func see(text string) step {
	return chromedp.WaitVisible(`//body//*[contains(normalize-space(.), "` + text + `")]`)
}

func press(label string) step {
	return chromedp.Click(`//button[normalize-space(.)="`+label+`"]`, chromedp.NodeVisible)
}

func follow(label string) step {
	return chromedp.Click(`//main//a[normalize-space(.)="`+label+`"]`, chromedp.NodeVisible)
}

func enter(name, value string) step {
	field := chromedp.CSS(`input[name="` + name + `"]`)
	return chromedp.Steps(chromedp.WaitVisible(field), chromedp.SendKeys(field, value))
}

// rest has buttons come from one colour to the other at once.
const rest = `new Promise((draw) => requestAnimationFrame(() => requestAnimationFrame(draw)))
	.then(() => document.getAnimations().forEach((a) => { if (a instanceof CSSTransition) a.finish(); }))
	.then(() => new Promise((draw) => requestAnimationFrame(draw)))`

// take takes the two pictures of what the browser shows.
func (t tour) take(name string) error {
	for _, scheme := range []string{"light", "dark"} {
		set := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
			if _, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{Expression: rest, AwaitPromise: new(true)})
			return err
		})
		var picture []byte
		shoot := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			got, err := cdp.Call(ctx, tab, page.CaptureScreenshot, page.CaptureScreenshotParams{})
			if err == nil {
				picture = got.Data
			}
			return err
		})
		if err := chromedp.Do(t.ctx, set, shoot); err != nil {
			return fmt.Errorf("picture of %s: %w", name, err)
		}
		small, err := quantise(picture)
		if err != nil {
			return fmt.Errorf("picture of %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(t.out, name+"-"+scheme+".png"), small, 0o644); err != nil {
			return err
		}
	}
	return nil
}
