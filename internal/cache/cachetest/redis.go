// Package cachetest starts a real Redis for tests.
//
// It owns the life of the process, which ends with the test. It does not own what is asked of it.
//
// Invariant: two tests never share a Redis, and it keeps nothing on disk.
package cachetest

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Redis is one redis-server on the loopback.
type Redis struct {
	URL string

	t    testing.TB
	port int
	dir  string
	cmd  *exec.Cmd
}

// Start gives a Redis that answers. The test fails when redis-server is not installed.
func Start(t testing.TB) *Redis {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends at once
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := &Redis{URL: "redis://127.0.0.1:" + strconv.Itoa(port), t: t, port: port, dir: t.TempDir()}
	t.Cleanup(r.Kill)
	r.Again()
	return r
}

// Again starts it after Kill, on the same port and empty.
func (r *Redis) Again() {
	r.t.Helper()
	cmd := exec.Command("redis-server", "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", r.dir, "--save", "", "--appendonly", "no") //nolint:noctx // Kill ends it
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatalf("start redis-server, which the tests need: %v", err)
	}
	r.cmd = cmd
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go io.Copy(io.Discard, out) //nolint:errcheck // ends with the process
			return
		}
	}
	r.t.Fatalf("redis-server did not start:\n%s", said.String())
}

// Kill ends it as a crash would.
func (r *Redis) Kill() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.cmd = nil
}
