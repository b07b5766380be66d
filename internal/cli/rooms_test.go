package cli_test

import (
	"encoding/json"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
)

const (
	shopRepository = "https://git.test/acme/shop.git"
	webBlueprint   = `apiVersion: blueberry.dev/v1
kind: Blueprint
name: shop
parameters:
- name: replicas
  type: integer
  help: How many copies run
  default: 1
  min: 1
  max: 5
  sets: [web.replicas]
- name: level
  enum: [info, debug]
  sets: [web.env.PARAMETER]
fields:
  forbidden: ["*.resources"]
configUpdates: automatic
components:
- name: web
  image: acme/web:1
  values:
    env:
      LOG_LEVEL: info
`
)

// rooms gives the whole house with the shop's repository, and someone at a command line.
func rooms(t testing.TB) (*roomstest.Rooms, *person) {
	t.Helper()
	r := roomstest.Open(t)
	srv, _ := r.Serve(t)
	r.Push(shopRepository, map[string]string{"blueberry.yaml": webBlueprint})
	return r, at(srv.URL)
}

// create makes an environment of the shop and waits until it is ready.
func (p *person) create(t testing.TB, name string, args ...string) {
	t.Helper()
	p.must(t, append([]string{"env", "create", "--repo", shopRepository, "--name", name, "--wait"}, args...)...)
}

// ends runs a command line that has to end with a code, and gives its output and what was said on the way.
func (p *person) ends(t testing.TB, code int, args ...string) (out, said string) {
	t.Helper()
	p.out, p.err = buffer{}, buffer{}
	if got := p.types(t.Context(), args...); got != code {
		t.Errorf("blueberry %v: exit %d, want %d\n%s\n%s", args, got, code, p.out.String(), p.err.String())
	}
	return p.out.String(), p.err.String()
}

// reads runs a command line with -o json and decodes what it prints.
func reads[T any](t testing.TB, p *person, code int, args ...string) T {
	t.Helper()
	var v T
	out, said := p.ends(t, code, append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("blueberry %v -o json: %v\n%s\n%s", args, err, out, said)
	}
	return v
}

// usage holds that command lines are mistakes, and that the message says which.
func usage(t *testing.T, p *person, says string, args ...string) {
	t.Helper()
	_, said := p.ends(t, cli.ExitUsage, args...)
	contains(t, "message", said, says, "--help")
}
