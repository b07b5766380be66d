package cli_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

// eventually polls until the text is there.
func eventually(t *testing.T, what string, b *buffer, part string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(b.String(), part) {
		select {
		case <-ctx.Done():
			t.Fatalf("%s lacks %q:\n%s", what, part, b.String())
		case <-tick.C:
		}
	}
}

// begin runs a command line beside the test.
func (p *person) begin(ctx context.Context, args ...string) <-chan int {
	done := make(chan int, 1)
	go func() { done <- p.types(ctx, args...) }()
	return done
}

func TestCreateWaitsUntilReady(t *testing.T) {
	t.Parallel()
	h, p := house(t)
	done := p.begin(t.Context(), "env", "create", "--repo", httpapitest.Repository, "--name", "pr-1", "--wait")
	eventually(t, "progress", &p.err, "pr-1 is pending")
	h.Move(t, "pr-1", blueberry.Provisioning, blueberry.EnvironmentProvisioning, "Started", "first step")
	eventually(t, "progress", &p.err, "pr-1 is provisioning: Started: first step")
	h.Move(t, "pr-1", blueberry.Ready, blueberry.EnvironmentReady, "Ready", "all pods are ready")
	if code := <-done; code != 0 {
		t.Fatalf("exit %d: %s", code, p.err.String())
	}
	contains(t, "progress", p.err.String(), "pr-1 is ready: Ready: all pods are ready\n", "  Reachable True: Complete: 1 of 1\n")
	if n := strings.Count(p.err.String(), "pr-1 is provisioning"); n != 1 {
		t.Errorf("a change is told %d times:\n%s", n, p.err.String())
	}
	if strings.ContainsAny(p.err.String(), "\x1b\r") {
		t.Errorf("without a terminal there are control characters: %q", p.err.String())
	}
	if got := p.out.String(); got != "pr-1 is ready at web-pr-1.apps.test\n" {
		t.Errorf("the result is %q", got)
	}
}

func TestWaitEndsAsTheEnvironmentDoes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		move func(t *testing.T, h *httpapitest.House)
		code int
		says string
	}{
		"failed": {nil, func(t *testing.T, h *httpapitest.House) {
			h.Move(t, "pr-1", blueberry.Failed, blueberry.EnvironmentFailed, "ImagePullBackOff", "web: image not found")
		}, cli.ExitFailed, "Error: pr-1 is failed: ImagePullBackOff: web: image not found"},
		"destroyed by another": {nil, func(t *testing.T, h *httpapitest.House) {
			h.Move(t, "pr-1", blueberry.Terminating, blueberry.EnvironmentDestroyAsked, "DestroyRequested", "admin asked")
		}, cli.ExitFailed, "pr-1 is terminating"},
		"time is up": {[]string{"--timeout", "50ms"}, func(*testing.T, *httpapitest.House) {}, cli.ExitTimeout, "pr-1 is not there after 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, p := house(t)
			done := p.begin(t.Context(), append([]string{"env", "create", "--repo", httpapitest.Repository, "--name", "pr-1", "--wait"}, tc.args...)...)
			eventually(t, "progress", &p.err, "pr-1 is pending")
			tc.move(t, h)
			if code := <-done; code != tc.code {
				t.Errorf("exit %d, want %d: %s", code, tc.code, p.err.String())
			}
			contains(t, "error", p.err.String(), tc.says)
		})
	}
}

func TestDestroyWaitsUntilGone(t *testing.T) {
	t.Parallel()
	h, p := house(t)
	p.must(t, "env", "create", "--repo", httpapitest.Repository, "--name", "pr-1")
	done := p.begin(t.Context(), "env", "destroy", "pr-1", "--yes", "--wait")
	eventually(t, "progress", &p.err, "pr-1 is terminating")
	h.Move(t, "pr-1", blueberry.Terminated, blueberry.EnvironmentTerminated, "Gone", "everything is proven gone")
	if code := <-done; code != 0 {
		t.Fatalf("exit %d: %s", code, p.err.String())
	}
	contains(t, "result", p.out.String(), "pr-1 is terminated")
}

func TestWaitSurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	h := httpapitest.New()
	api := h.API(t)
	var down atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler) // the connection is cut, as when the process is killed
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	p := at(srv.URL)
	done := p.begin(t.Context(), "env", "create", "--repo", httpapitest.Repository, "--name", "pr-1", "--wait")
	eventually(t, "progress", &p.err, "pr-1 is pending")
	down.Store(true)
	srv.CloseClientConnections()
	eventually(t, "progress", &p.err, "the server does not answer")
	h.Move(t, "pr-1", blueberry.Provisioning, blueberry.EnvironmentProvisioning, "Started", "first step")
	h.Move(t, "pr-1", blueberry.Ready, blueberry.EnvironmentReady, "Ready", "all pods are ready")
	down.Store(false)
	if code := <-done; code != 0 {
		t.Fatalf("exit %d: %s", code, p.err.String())
	}
	contains(t, "progress", p.err.String(), "the server answers again", "pr-1 is ready")
}

func TestEventsFollowUntilTheEnvironmentIsGone(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{"": "environment.terminated  everything", "json": `"type":"environment.terminated"`, "name": "environment.terminated\n", "wide": "environment.terminated", "yaml": "type: environment.terminated\n"} {
		h, p := house(t)
		p.must(t, "env", "create", "--repo", httpapitest.Repository, "--name", "pr-1")
		p.out = buffer{}
		args := []string{"env", "events", "pr-1", "--follow"}
		if form != "" {
			args = append(args, "-o", form)
		}
		done := p.begin(t.Context(), args...)
		eventually(t, "events", &p.out, "environment.requested")
		h.Move(t, "pr-1", blueberry.Terminating, blueberry.EnvironmentDestroyAsked, "x", "asked")
		h.Move(t, "pr-1", blueberry.Terminated, blueberry.EnvironmentTerminated, "x", "everything is proven gone")
		if code := <-done; code != 0 {
			t.Fatalf("exit %d: %s", code, p.err.String())
		}
		contains(t, form, p.out.String(), want)
	}
}

func TestProgressIsDrawnInPlaceOnATerminal(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		env     map[string]string
		colours bool
		redraws bool
	}{
		"colours":  {nil, true, true},
		"NO_COLOR": {map[string]string{"NO_COLOR": "1"}, false, true},
		"dumb":     {map[string]string{"TERM": "dumb"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, p := house(t)
			p.terminal = true
			for k, v := range tc.env {
				p.env[k] = v
			}
			done := p.begin(t.Context(), "env", "create", "--repo", httpapitest.Repository, "--name", "pr-1", "--wait")
			eventually(t, "progress", &p.err, "pending")
			h.Move(t, "pr-1", blueberry.Provisioning, blueberry.EnvironmentProvisioning, "Started", strings.Repeat("long ", 50))
			eventually(t, "progress", &p.err, "long")
			h.Move(t, "pr-1", blueberry.Ready, blueberry.EnvironmentReady, "Ready", "all pods are ready")
			if code := <-done; code != 0 {
				t.Fatalf("exit %d: %s", code, p.err.String())
			}
			text := p.err.String()
			if got := strings.Contains(text, "\x1b[32m"); got != tc.colours {
				t.Errorf("colours: %v, want %v: %q", got, tc.colours, text)
			}
			if got := strings.Contains(text, "\x1b[2K"); got != tc.redraws {
				t.Errorf("drawn in place: %v, want %v: %q", got, tc.redraws, text)
			}
			if !tc.redraws {
				return
			}
			screen := play(t, text, 100)
			contains(t, "what is left on the screen", screen, "pr-1 ready", "✓ Rendered   ", "✓ Reachable  1 of 1", "Ready: all pods are ready")
			if n := strings.Count(screen, "Rendered"); n != 1 {
				t.Errorf("the picture is there %d times:\n%s", n, screen)
			}
		})
	}
}

// play gives what a terminal shows after the text, as far as the live view uses one. A line over the width would wrap, and fails the test.
func play(t *testing.T, text string, width int) string {
	t.Helper()
	lines, row := []string{""}, 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\n':
			row++
			if row == len(lines) {
				lines = append(lines, "")
			}
		case text[i] == '\r':
		case text[i] == 0x1b:
			end := i + 2
			for text[end] >= '0' && text[end] <= '9' || text[end] == ';' {
				end++
			}
			n := 0
			for _, d := range text[i+2 : end] {
				n = n*10 + int(d-'0')
			}
			switch text[end] {
			case 'A':
				row -= n
			case 'K':
				lines[row] = ""
			}
			i = end
		default:
			lines[row] += text[i : i+1]
			if r := len([]rune(lines[row])); r > width {
				t.Fatalf("a line is over %d columns: %q", width, lines[row])
			}
		}
	}
	return strings.Join(lines, "\n")
}
