package kube_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// The channels of the protocol v5.channel.k8s.io.
const (
	toStdin, toStdout, toStderr, toError, toResize, toClose = 0, 1, 2, 3, 4, 255
)

// exec serves commands in a pod: conn is the connection, once it is one of frames.
func (s *stub) exec(t *testing.T, pod string, run func(ctx context.Context, r *http.Request, c *websocket.Conn)) {
	s.HandleFunc("/api/v1/namespaces/"+s.ref.Namespace+"/pods/"+pod+"/exec", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v5.channel.k8s.io"}})
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		defer c.CloseNow()
		run(r.Context(), r, c)
	})
}

func frame(t *testing.T, ctx context.Context, c *websocket.Conn, channel byte, data string) { //nolint:revive // the test comes first
	t.Helper()
	if err := c.Write(ctx, websocket.MessageBinary, append([]byte{channel}, data...)); err != nil {
		t.Errorf("write frame: %v", err)
	}
}

// ended is what a kubelet says of a command that ended with a code.
func ended(code string) string {
	if code == "0" {
		return `{"status":"Success"}`
	}
	js, _ := json.Marshal(map[string]any{
		"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
		"details": map[string]any{"causes": []any{map[string]any{"reason": "ExitCode", "message": code}}},
	})
	return string(js)
}

func TestAShellCarriesAllStreams(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("web", "db")
	s.exec(t, "web", func(ctx context.Context, r *http.Request, c *websocket.Conn) {
		if got := r.URL.Query()["command"]; len(got) != 2 || got[0] != "cat" || got[1] != "-v &?" || r.FormValue("container") != "app" || r.FormValue("tty") != "" {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		heard := ""
		for {
			_, data, err := c.Read(ctx)
			if err != nil {
				t.Errorf("read frame: %v", err)
				return
			}
			if data[0] == toStdin {
				heard += string(data[1:])
			}
			if data[0] == toClose {
				break
			}
		}
		frame(t, ctx, c, toStdout, "heard "+heard)
		frame(t, ctx, c, toStderr, "a word of warning")
		frame(t, ctx, c, toError, ended("7"))
		_ = c.Close(websocket.StatusNormalClosure, "")
	})
	var out, errs bytes.Buffer
	opened := ""
	exit, err := s.Shell(t.Context(), s.ref, target.ShellRequest{
		Component: "web", Command: []string{"cat", "-v &?"}, Stdin: strings.NewReader("hello"), Stdout: &out, Stderr: &errs,
		Opened: func(pod, container string) { opened += pod + "/" + container },
	})
	if err != nil || exit != 7 || out.String() != "heard hello" || errs.String() != "a word of warning" || opened != "web/app" {
		t.Errorf("exit %d, %v; out %q, err %q, opened %q", exit, err, out.String(), errs.String(), opened)
	}
}

func TestATerminalIsResizedAndCut(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("web")
	closed := make(chan struct{})
	s.exec(t, "web", func(ctx context.Context, r *http.Request, c *websocket.Conn) {
		defer close(closed)
		if r.FormValue("tty") != "true" || r.FormValue("stderr") != "" {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		for {
			_, data, err := c.Read(ctx)
			if err != nil {
				return // the connection was cut
			}
			if data[0] == toResize {
				frame(t, ctx, c, toStdout, string(data[1:]))
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	resize := make(chan target.TerminalSize, 1)
	resize <- target.TerminalSize{Width: 120, Height: 40}
	in, _ := io.Pipe() // a person who types nothing
	seen, out := io.Pipe()
	go func() {
		var size struct{ Width, Height int }
		if err := json.NewDecoder(seen).Decode(&size); err != nil || size.Width != 120 || size.Height != 40 {
			t.Errorf("resized to %+v, %v", size, err)
		}
		cancel()
	}()
	_, err := s.Shell(ctx, s.ref, target.ShellRequest{Command: []string{"sh"}, TTY: true, Stdin: in, Stdout: out, Resize: resize})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want canceled", err)
	}
	<-closed
	in.Close()
}

// TestAShellBySPDY: an old server, or a proxy in between, that knows no WebSocket.
func TestAShellBySPDY(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("web")
	s.HandleFunc("/api/v1/namespaces/"+s.ref.Namespace+"/pods/web/exec", func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			refuse(w, 400, "BadRequest", "Upgrade request required")
			return
		}
		if _, err := httpstream.Handshake(r, w, []string{"v4.channel.k8s.io"}); err != nil {
			t.Errorf("handshake: %v", err)
			return
		}
		streams := make(chan httpstream.Stream, 4)
		conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(st httpstream.Stream, replied <-chan struct{}) error {
			streams <- st
			return nil
		})
		if conn == nil {
			t.Error("no connection")
			return
		}
		defer conn.Close()
		by := map[string]httpstream.Stream{}
		for len(by) < 2 {
			st := <-streams
			by[st.Headers().Get("streamType")] = st
		}
		_, _ = io.WriteString(by["stdout"], "by SPDY")
		_ = by["stdout"].Close()
		_, _ = io.WriteString(by["error"], ended("3"))
		_ = by["error"].Close()
		<-conn.CloseChan()
	})
	var out bytes.Buffer
	opened := 0
	exit, err := s.Shell(t.Context(), s.ref, target.ShellRequest{Command: []string{"true"}, Stdout: &out, Opened: func(string, string) { opened++ }})
	if err != nil || exit != 3 || out.String() != "by SPDY" || opened != 1 {
		t.Errorf("exit %d, %v; out %q; opened %d times", exit, err, out.String(), opened)
	}
}

func TestAShellThatCannotBe(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("web", "bare", "shut")
	s.exec(t, "bare", func(ctx context.Context, _ *http.Request, c *websocket.Conn) {
		frame(t, ctx, c, toError, `{"status":"Failure","reason":"InternalError","message":"exec: \"bash\": executable file not found in $PATH"}`)
		_ = c.Close(websocket.StatusNormalClosure, "")
	})
	s.HandleFunc("/api/v1/namespaces/"+s.ref.Namespace+"/pods/shut/exec", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 403, "Forbidden", `pods "shut" is forbidden: User "x" cannot create resource "pods/exec" in API group "" in the namespace "y"`)
	})
	for name, c := range map[string]struct {
		request target.ShellRequest
		want    blueberry.Kind
		reason  string
	}{
		"no component": {target.ShellRequest{Component: "other"}, blueberry.NotFound, "no pod of that component is there"},
		"no pod":       {target.ShellRequest{Pod: "other"}, blueberry.NotFound, "it is not of the environment"},
		"other's pod":  {target.ShellRequest{Component: "web", Pod: "bare"}, blueberry.NotFound, "it is of another component"},
		"no container": {target.ShellRequest{Pod: "web", Container: "side"}, blueberry.NotFound, "the pod has none of that name"},
		"no program":   {target.ShellRequest{Pod: "bare"}, blueberry.Invalid, "the image has no such program"},
		"no right":     {target.ShellRequest{Pod: "shut"}, blueberry.Forbidden, "the target does not let us"},
	} {
		c.request.Command, c.request.Stdout = []string{"bash"}, io.Discard
		if _, err := s.Shell(t.Context(), s.ref, c.request); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %s: %s", name, err, c.want, c.reason)
		}
	}
}
