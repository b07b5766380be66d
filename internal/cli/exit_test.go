package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	fails := func(err error) func(t *testing.T) *person {
		return func(t *testing.T) *person {
			h := httpapitest.New()
			h.Fail = err
			srv, _ := h.Serve(t)
			return at(srv.URL)
		}
	}
	fine := func(t *testing.T) *person { _, p := house(t); return p }
	with := func(name, value string) func(t *testing.T) *person {
		return func(t *testing.T) *person {
			p := fine(t)
			p.env[name] = value
			return p
		}
	}
	list := []string{"env", "list"}
	for name, tc := range map[string]struct {
		reason string
		person func(t *testing.T) *person
		args   []string
		code   int
		says   string
	}{
		"done":              {"all is well", fine, list, 0, ""},
		"help":              {"help is no mistake", fine, []string{"env"}, 0, ""},
		"unknown command":   {"first word", fine, []string{"environments"}, 2, "--help"},
		"near command":      {"a slip", fine, []string{"env", "lst"}, 2, "or list?"},
		"unknown flag":      {"flag", fine, []string{"env", "list", "--colour"}, 2, "--colour"},
		"flag value":        {"not a number", fine, []string{"env", "list", "--limit", "x"}, 2, "limit"},
		"limit":             {"no rows", fine, []string{"env", "list", "--limit", "0"}, 2, "limit"},
		"no argument":       {"which environment", fine, []string{"env", "get"}, 2, "NAME"},
		"output":            {"no such form", fine, []string{"env", "list", "-o", "xml"}, 2, "xml"},
		"ttl":               {"not a time", fine, []string{"env", "create", "--repo", "x", "--name", "x", "--ttl", "90m"}, 2, "90m"},
		"no name":           {"create needs one", fine, []string{"env", "create", "--repo", "x"}, 2, "--name"},
		"no source":         {"create needs one", fine, []string{"env", "create", "--name", "x"}, 2, "--repo or --blueprint"},
		"job number":        {"not a number", fine, []string{"job", "get", "x"}, 2, "number"},
		"address":           {"no scheme", with("BLUEBERRY_URL", "localhost:7080"), list, 2, "address"},
		"address secret":    {"a password in the address is not repeated", with("BLUEBERRY_URL", "http://a:hunter2@b"), list, 2, "must not hold a password"},
		"not found":         {"no such name", fine, []string{"env", "get", "nope"}, 3, "there is no environment nope"},
		"not found id":      {"no such id", fine, []string{"env", "get", "env_nope"}, 3, "there is no environment"},
		"refused by filter": {"the server judges words", fine, []string{"env", "list", "--phase", "odd"}, 3, "phase[0]"},
		"conflict":          {"the state does not allow it", fails(blueberry.Errorf(blueberry.Conflict, "X", "is ending")), list, 3, "is ending"},
		"no token":          {"nothing to show", with("BLUEBERRY_TOKEN", ""), list, 4, "there is no token in"},
		"wrong token":       {"nobody known", with("BLUEBERRY_TOKEN", "x"), list, 4, "--token-file"},
		"poor token":        {"no grant", with("BLUEBERRY_TOKEN", httpapitest.Poor), list, 4, "environments:read"},
		"server failed":     {"500", fails(errors.New("boom")), append(list, "-q"), 8, "request id req_"},
		"server busy":       {"503", fails(blueberry.Errorf(blueberry.Unavailable, "X", "target is down")), append(list, "-q"), 8, "target is down"},
		"unreachable": {"nobody there", func(t *testing.T) *person {
			srv := httptest.NewServer(http.NotFoundHandler())
			srv.Close()
			return at(srv.URL)
		}, append(list, "-q"), 7, "did not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tc.person(t)
			if code := p.types(t.Context(), tc.args...); code != tc.code {
				t.Errorf("%s: exit %d, want %d\n%s", tc.reason, code, tc.code, p.err.String())
			}
			contains(t, tc.reason, p.err.String(), tc.says)
			if strings.Contains(p.err.String(), "hunter2") {
				t.Errorf("%s: a password is repeated: %s", tc.reason, p.err.String())
			}
		})
	}
}

func TestEveryExitCodeIsExplained(t *testing.T) {
	t.Parallel()
	_, p := house(t)
	text := p.must(t, "help", "exit-codes")
	for _, code := range []int{cli.ExitDone, cli.ExitError, cli.ExitUsage, cli.ExitRefused, cli.ExitDenied, cli.ExitFailed, cli.ExitTimeout, cli.ExitUnreachable, cli.ExitServer, cli.ExitInterrupted} {
		contains(t, "exit-codes", text, fmt.Sprintf(" %d  ", code))
	}
	contains(t, "exit-codes", text, "blueberry env exec ends with the code of the command that it ran")
}

func TestInterruptedCommandExits130(t *testing.T) {
	t.Parallel()
	_, p := house(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := p.types(ctx, "env", "list"); code != cli.ExitInterrupted {
		t.Errorf("exit %d", code)
	}
}

func TestWhereTheTokenComesFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, token string) string {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	good, bad := file("good", httpapitest.Token), file("bad", "nobody")
	file("state/admin-token", httpapitest.Token)
	file("xdg/blueberry/admin-token", httpapitest.Token)
	file("home/.local/state/blueberry/admin-token", httpapitest.Token)
	for name, tc := range map[string]struct {
		env  map[string]string
		args []string
		code int
	}{
		"flag before variables":       {map[string]string{"BLUEBERRY_TOKEN": "nobody", "BLUEBERRY_TOKEN_FILE": bad}, []string{"--token-file", good}, 0},
		"variable before file":        {map[string]string{"BLUEBERRY_TOKEN": httpapitest.Token, "BLUEBERRY_TOKEN_FILE": bad}, nil, 0},
		"file variable before state":  {map[string]string{"BLUEBERRY_TOKEN_FILE": bad, "BLUEBERRY_STATE_DIR": filepath.Join(dir, "state")}, nil, 4},
		"state directory":             {map[string]string{"BLUEBERRY_STATE_DIR": filepath.Join(dir, "state")}, nil, 0},
		"XDG":                         {map[string]string{"XDG_STATE_HOME": filepath.Join(dir, "xdg")}, nil, 0},
		"home":                        {map[string]string{"HOME": filepath.Join(dir, "home")}, nil, 0},
		"no file":                     {map[string]string{"BLUEBERRY_TOKEN_FILE": filepath.Join(dir, "none")}, nil, 4},
		"a file that is a directory":  {map[string]string{"BLUEBERRY_TOKEN_FILE": dir}, nil, 4},
		"a file of more than a token": {nil, []string{"--token-file", file("two", "a\nb")}, 4},
	} {
		_, p := house(t)
		url := p.env["BLUEBERRY_URL"]
		p.env = map[string]string{"BLUEBERRY_URL": url}
		for k, v := range tc.env {
			p.env[k] = v
		}
		if code := p.types(t.Context(), append([]string{"env", "list"}, tc.args...)...); code != tc.code {
			t.Errorf("%s: exit %d, want %d: %s", name, code, tc.code, p.err.String())
		}
	}
}
