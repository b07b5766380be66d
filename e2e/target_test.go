package e2e_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestTargetComesBack: an environment asked for while the target is down waits with a named condition, and is made as soon as the target is back.
func TestTargetComesBack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	wire := newWire(t)
	wire.cut()
	s := start(t, newHost(t, "--kubeconfig", wire.kubeconfig))
	e := create(ctx, t, s, "comes-back")
	for {
		got, err := s.Client.GetEnvironment(ctx, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if reasonOf(got, "Synced") == blueberry.ReasonTargetUnavailable {
			break
		}
		waitEvent(ctx, t, s, e.ID, blueberry.EnvironmentBlocked)
	}
	wire.mend()
	waitPhase(ctx, t, s, e.ID, sdk.Ready)
	if n := eventTypes(ctx, t, s.Client, e.ID)[string(blueberry.EnvironmentUnblocked)]; n < 1 { // more often where calls took too long meanwhile
		t.Errorf("told %d times that it goes on", n)
	}
	if _, err := s.Client.DestroyEnvironment(ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	waitPhase(ctx, t, s, e.ID, sdk.Terminated)
}

func reasonOf(e sdk.Environment, condition string) string {
	for _, c := range e.Conditions {
		if c.Type == condition {
			return c.Reason
		}
	}
	return ""
}

func waitEvent(ctx context.Context, t *testing.T, s *installation.Server, id string, want blueberry.EventType) {
	t.Helper()
	for ev, err := range s.Client.WatchEvents(ctx, id, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Type == string(want) {
			return
		}
	}
}

// wire passes connections on to the API server of the test run, until it is cut, or holds back what goes over it.
type wire struct {
	kubeconfig string
	to         string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
	flows chan struct{} // closed while bytes go over it
}

func newWire(t *testing.T) *wire {
	t.Helper()
	original, err := os.ReadFile(required(t, "BLUEBERRY_TEST_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(original), "server: ")
	server, _, _ := strings.Cut(rest, "\n")
	u, err := url.Parse(strings.Trim(server, `" `))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w := &wire{kubeconfig: filepath.Join(t.TempDir(), "kubeconfig"), to: u.Host, flows: make(chan struct{})}
	close(w.flows)
	if err := os.WriteFile(w.kubeconfig, []byte(strings.ReplaceAll(string(original), u.Host, l.Addr().String())), 0o600); err != nil {
		t.Fatal(err)
	}
	go w.serve(l)
	return w
}

func (w *wire) serve(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		down := w.down
		if !down {
			w.conns = append(w.conns, in)
		}
		w.mu.Unlock()
		if down {
			in.Close()
			continue
		}
		go func() {
			defer in.Close()
			out, err := net.Dial("tcp", w.to)
			if err != nil {
				return
			}
			defer out.Close()
			done := make(chan struct{})
			go func() { _, _ = io.Copy(out, held{in, w}); _ = out.(*net.TCPConn).CloseWrite(); close(done) }()
			_, _ = io.Copy(in, held{out, w})
			in.Close()
			<-done
		}()
	}
}

// cut ends every connection and refuses new ones.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}

// hang keeps connections open, and lets nothing over them until it is told to go on.
func (w *wire) hang() (goOn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stopped := make(chan struct{})
	w.flows = stopped
	return sync.OnceFunc(func() { close(stopped) })
}

// held reads one side of a wire, for as long as it flows.
type held struct {
	io.Reader
	w *wire
}

// Read implements io.Reader.
func (h held) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.w.mu.Lock()
	flows := h.w.flows
	h.w.mu.Unlock()
	<-flows
	return n, err
}
