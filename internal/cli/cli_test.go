package cli_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

var update = flag.Bool("update", false, "write golden files")

// buffer may be written and read at once.
type buffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	seen func(text string) // is told what stands there after each write
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.b.Write(p)
	if b.seen != nil {
		b.seen(b.b.String())
	}
	return n, err
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// person is someone at a command line.
type person struct {
	env      map[string]string
	in       string
	terminal bool
	typed    string // what is typed where it is not shown
	keyring  cli.Keyring
	browse   func(address string) error
	shell    cli.Terminal
	stdin    io.Reader // instead of in
	out, err buffer
}

// at gives a person who has a token for the server.
func at(url string) *person {
	return &person{env: map[string]string{"BLUEBERRY_URL": url, "BLUEBERRY_TOKEN": httpapitest.Token, "HOME": "/nonexistent"}}
}

func (p *person) streams() cli.Streams {
	in := p.stdin
	if in == nil {
		in = strings.NewReader(p.in)
	}
	return cli.Streams{
		In: in, Out: &p.out, Err: &p.err, InTerminal: p.terminal, OutTerminal: p.terminal, ErrTerminal: p.terminal,
		Width: func() int { return 100 }, Getenv: func(k string) string { return p.env[k] }, Now: time.Now,
		ReadSecret: func() (string, error) { return p.typed, nil }, Keyring: p.keyring, Browse: p.browse, Terminal: p.shell,
		CompletionTime: time.Minute, // of a machine that has much to do besides
	}
}

// types runs one command line and gives its exit code.
func (p *person) types(ctx context.Context, args ...string) int {
	s := p.streams()
	root := cli.NewRoot(s, "0.0.0-test")
	root.SetArgs(args)
	return cli.Execute(ctx, root, s)
}

// must runs a command line that has to succeed and gives its output.
func (p *person) must(t testing.TB, args ...string) string {
	t.Helper()
	p.out, p.err = buffer{}, buffer{}
	if code := p.types(t.Context(), args...); code != 0 {
		t.Fatalf("blueberry %s: exit %d\n%s", strings.Join(args, " "), code, p.err.String())
	}
	return p.out.String()
}

func house(t testing.TB) (*httpapitest.House, *person) {
	t.Helper()
	h := httpapitest.New()
	srv, _ := h.Serve(t)
	return h, at(srv.URL)
}

func contains(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

func write(t testing.TB, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
