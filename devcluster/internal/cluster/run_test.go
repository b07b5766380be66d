package cluster

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/devcluster/internal/dirlock"
)

// running is one Run of the fake components.
type running struct {
	dir   string
	stop  context.CancelFunc
	ended chan error
	ready chan Places

	mu   sync.Mutex
	told []string
}

func start(t *testing.T, dir string, port int) *running {
	t.Helper()
	return startWith(t, Options{Dir: dir, Port: port})
}

func startWith(t *testing.T, o Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{dir: o.Dir, stop: cancel, ended: make(chan error, 1), ready: make(chan Places, 1)}
	o.Exe, o.Tell = os.Args[0], func(line string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, line)
	}
	go func() { r.ended <- Run(ctx, o, func(p Places) { r.ready <- p }) }()
	t.Cleanup(func() { cancel() })
	return r
}

func (r *running) words() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.told, "\n")
}

// places waits until the cluster is ready.
func (r *running) places(t *testing.T) Places {
	t.Helper()
	select {
	case p := <-r.ready:
		return p
	case err := <-r.ended:
		t.Fatalf("Run ended before it was ready: %v\n%s", err, r.words())
		return Places{}
	}
}

// kubeconfig is the administrator's, once the cluster is ready.
func (r *running) kubeconfig(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(r.places(t).Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (r *running) finish(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("Run: %v\n%s", err, r.words())
	}
}

func (r *running) diary(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, diary))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func TestRunStartsAndEndsInOrder(t *testing.T) {
	t.Parallel()
	r := start(t, filepath.Join(t.TempDir(), "new"), 0)
	r.kubeconfig(t)
	r.finish(t)
	d := r.diary(t)
	at := func(line string) int { return slices.Index(d, line) }
	if len(d) != 10 || at("etcd starts") != 0 || at("kube-apiserver starts") != 1 || at("kube-apiserver ends") != 8 || at("etcd ends") != 9 {
		t.Errorf("diary %q, want etcd and the API server first to start and last to end", d)
	}
}

func TestRunAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, dir, 0)
	first := r.kubeconfig(t)
	if info, err := os.Stat(filepath.Join(dir, "kubeconfig")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: %v %v, want mode 0600", info.Mode(), err)
	}
	r.finish(t)
	r = start(t, dir, 0)
	if diff := cmp.Diff(first, r.kubeconfig(t)); diff != "" {
		t.Errorf("kubeconfig changed with a restart:\n%s", diff)
	}
	r.finish(t)

	// Somebody else has the API server's port now.
	server := line(t, first, "server: https://")
	l, err := net.Listen("tcp", server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r = start(t, dir, 0)
	third := r.kubeconfig(t)
	r.finish(t)
	if other := line(t, third, "server: https://"); other == server {
		t.Errorf("the kubeconfig still names %s", server)
	}
	if !strings.Contains(r.words(), "the port of kube-apiserver is in use by another program") {
		t.Errorf("told:\n%s\nwant the clash", r.words())
	}
}

func TestRunOnAPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := start(t, t.TempDir(), l.Addr().(*net.TCPAddr).Port)
	if err := <-r.ended; err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Run on a port in use: %v, want an error that says so", err)
	}
}

func TestRunIsAloneInItsDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, 0)
	first.kubeconfig(t)
	var held *dirlock.HeldError
	if err := <-start(t, dir, 0).ended; !errors.As(err, &held) || held.Holder.PID != os.Getpid() {
		t.Errorf("second Run: %v, want it to name the holder", err)
	}
	// Another directory is another cluster.
	other := start(t, t.TempDir(), 0)
	other.kubeconfig(t)
	other.finish(t)
	first.finish(t)
}

func TestRunStartsADeadComponentAgain(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), 0)
	r.kubeconfig(t)
	text, err := os.ReadFile(filepath.Join(r.dir, kwok+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		n := 0
		for _, l := range r.diary(t) {
			if l == "kwok starts" {
				n++
			}
		}
		return n == 2
	})
	if !strings.Contains(r.words(), "kwok ended by itself (signal: killed)") {
		t.Errorf("told:\n%s\nwant the death of kwok", r.words())
	}
	r.finish(t)
}

func TestRunGivesUpOnWhatCannotStart(t *testing.T) {
	t.Parallel()
	for _, name := range []string{etcd, apiServer, scheduler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, refusal), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
			r := start(t, dir, 0)
			err := <-r.ended
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("Run: %v, want an error that names %s", err, name)
			}
			if !strings.Contains(r.words(), name+" will not run today") {
				t.Errorf("told:\n%s\nwant the end of its log", r.words())
			}
			// Nothing stays: the lock, which every child holds, is free.
			l, err := dirlock.Acquire(t.Context(), filepath.Join(dir, "lock"), time.Minute, time.Minute, func(dirlock.Holder) {})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRunStoppedWhileItStarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, refusal), []byte(apiServer), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, dir, 0)
	await(t, func() bool { return strings.Contains(r.words(), "kube-apiserver ended by itself") })
	r.finish(t)
}

func TestEveryListenerIsOnLoopback(t *testing.T) {
	t.Parallel()
	all := []extra{argoCDExtra("argocd", true), rolloutsExtra("rollouts"), metricsExtra("metrics")}
	c := &cluster{dir: "/d", extras: all, ports: map[string]int{etcd: 1, etcdPeer: 2, apiServer: 3, controllerManager: 4, scheduler: 5, kwok: 6}}
	for i, name := range slices.Concat(all[0].ports, all[1].ports, all[2].ports) {
		c.ports[name] = 7 + i
	}
	for _, stage := range c.stages() {
		for _, comp := range stage.components {
			for _, f := range comp.flags {
				name, value, _ := strings.Cut(f, "=")
				switch {
				case strings.Contains(name, "bind-address"), strings.Contains(name, "server-address"), name == "--address",
					name == "--metrics-address", strings.HasSuffix(name, "-addr"):
					if !strings.HasPrefix(value, "127.0.0.1") {
						t.Errorf("%s: %s is not on loopback", comp.name, f)
					}
				case strings.Contains(name, "listen-"):
					if !strings.HasPrefix(value, "https://127.0.0.1:") {
						t.Errorf("%s: %s is not on loopback with TLS", comp.name, f)
					}
				}
			}
		}
	}
}

func line(t *testing.T, text, prefix string) string {
	t.Helper()
	for l := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(l), prefix); ok {
			return rest
		}
	}
	t.Fatalf("no line %q in:\n%s", prefix, text)
	return ""
}

func await(t *testing.T, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-t.Context().Done():
			t.Fatal("never came true")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
