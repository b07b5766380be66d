package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

const defaultServer = "http://127.0.0.1:7080"

// client is the way to the server that flags, environment and contexts name, in this order.
func (s *shared) client() (*sdk.Client, error) {
	address, at, err := s.address()
	if err != nil {
		return nil, err
	}
	c := s.clientAt(address)
	switch {
	case s.tokenFile == "" && at != nil && (s.context != "" || !s.tokenInEnvironment()):
		c.Tokens, err = s.source(*at)
	default:
		c.Token, err = s.token()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// clientAt is a client without a token.
func (s *shared) clientAt(address string) *sdk.Client {
	c := &sdk.Client{BaseURL: address, UserAgent: "blueberry/" + s.version}
	if !s.quiet {
		c.OnRetry = func(err error, wait time.Duration) {
			fmt.Fprintf(s.streams.Err, "%s; next try in %s\n", plainText(err.Error()), wait.Round(100*time.Millisecond))
		}
	}
	return c
}

// address is the server's, and the context that it is of: nil when a flag or a variable names a server that is not that of the context. The credential of a
// context is sent nowhere else.
func (s *shared) address() (string, *serverContext, error) {
	at, err := s.chosenContext()
	if err != nil {
		return "", nil, err
	}
	named := s.server
	if named == "" && s.context == "" {
		named = s.streams.Getenv("BLUEBERRY_URL")
	}
	if named == "" && at != nil {
		return at.Server, at, nil
	}
	address, err := checkAddress(first(named, defaultServer))
	switch {
	case err != nil:
		return "", nil, err
	case at != nil && at.Server != address:
		if s.context != "" {
			return "", nil, usageErrorf("--server %s is not the server of context %s, which is %s", address, at.Name, at.Server)
		}
		at = nil
	}
	return address, at, nil
}

// chosenContext is the context that --context or $BLUEBERRY_CONTEXT names, else the current one; nil for none.
func (s *shared) chosenContext() (*serverContext, error) {
	all, err := s.contexts()
	if err != nil {
		return nil, err
	}
	name := first(s.context, s.streams.Getenv("BLUEBERRY_CONTEXT"))
	named := name != ""
	if !named {
		name = all.Current
	}
	if x, ok := all.find(name); ok {
		return &x, nil
	}
	if named {
		return nil, usageErrorf("there is no context %q; blueberry context list shows those there are, and blueberry login makes one", name)
	}
	return nil, nil //nolint:nilnil // there need not be one
}

func checkAddress(address string) (string, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", usageErrorf("the server's address must look like %s", defaultServer)
	case u.User != nil:
		return "", usageErrorf("the server's address must not hold a password; the token comes from --token-file or $BLUEBERRY_TOKEN")
	}
	return strings.TrimRight(address, "/"), nil
}

// tokenInEnvironment reports whether a variable names a token: it stands above contexts.
func (s *shared) tokenInEnvironment() bool {
	return strings.TrimSpace(s.streams.Getenv("BLUEBERRY_TOKEN")) != "" || s.streams.Getenv("BLUEBERRY_TOKEN_FILE") != ""
}

func (s *shared) token() (string, error) {
	env := s.streams.Getenv
	if s.tokenFile == "" {
		if token := strings.TrimSpace(env("BLUEBERRY_TOKEN")); token != "" {
			return token, nil
		}
	}
	file := first(s.tokenFile, env("BLUEBERRY_TOKEN_FILE"))
	if file == "" {
		file = filepath.Join(stateDir(env), "admin-token")
	}
	return readToken(file)
}

func readToken(file string) (string, error) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", deniedError{fmt.Errorf("there is no token in %s; blueberry login gets one, a server on this machine makes one at its first start, or set BLUEBERRY_TOKEN or --token-file", file)}
	case err != nil:
		return "", deniedError{fmt.Errorf("read token: %w", err)}
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", deniedError{fmt.Errorf("%s does not hold a token", file)}
	}
	return token, nil
}

// stateDir is where a server on this machine keeps its state, by the same rules as the server's own.
func stateDir(env func(string) string) string {
	if dir := env("BLUEBERRY_STATE_DIR"); dir != "" {
		return dir
	}
	if dir := env("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "blueberry")
	}
	return filepath.Join(env("HOME"), ".local", "state", "blueberry")
}

// first gives the first value that is set.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// resolve finds the environment that an argument names: an id, a name, or project/name. With gone, a name that nobody holds any more means the
// last one that did.
func (s *shared) resolve(ctx context.Context, c *sdk.Client, project, ref string, gone bool) (sdk.Environment, error) {
	if strings.HasPrefix(ref, "env_") {
		return c.GetEnvironment(ctx, ref)
	}
	name := ref
	if p, n, ok := strings.Cut(ref, "/"); ok {
		project, name = p, n
	}
	if name == "" {
		return sdk.Environment{}, usageErrorf("%q is not the name of an environment", ref)
	}
	f := sdk.EnvironmentFilter{Project: project, Name: name, Limit: 2}
	page, err := c.ListEnvironments(ctx, f)
	if err == nil && len(page.Items) == 0 && gone {
		f.Phases, f.Limit = []sdk.Phase{sdk.Terminated}, 1
		page, err = c.ListEnvironments(ctx, f)
	}
	if err != nil {
		return sdk.Environment{}, err
	}
	switch len(page.Items) {
	case 0:
		return sdk.Environment{}, refusedError{fmt.Errorf("there is no environment %s in project %s", name, project)}
	case 1:
		return page.Items[0], nil
	}
	return sdk.Environment{}, refusedError{fmt.Errorf("more than one environment is called %s; give its id", name)}
}
