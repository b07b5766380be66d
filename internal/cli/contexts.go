package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"go.yaml.in/yaml/v3"
)

// contextName is what a context may be called.
var contextName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$`)

// serverContext is a server that one works with, and where one's credential for it is kept.
type serverContext struct {
	Name   string `json:"name" yaml:"name"`
	Server string `json:"server" yaml:"server"`
	User   string `json:"user,omitempty" yaml:"user,omitempty"`   // as the server called them at login
	Store  string `json:"store,omitempty" yaml:"store,omitempty"` // "keyring" or "file"; empty when there is no credential
	Key    string `json:"-" yaml:"key,omitempty"`                 // names the credential there; another one with each login
}

// contexts is the file contexts.yaml.
type contexts struct {
	Current  string          `yaml:"current,omitempty"`
	Contexts []serverContext `yaml:"contexts"`
}

func (c *contexts) find(name string) (serverContext, bool) {
	for _, x := range c.Contexts {
		if x.Name == name {
			return x, true
		}
	}
	return serverContext{}, false
}

// put adds a context, or replaces the one of its name.
func (c *contexts) put(x serverContext) {
	c.remove(x.Name)
	c.Contexts = append(c.Contexts, x)
	slices.SortFunc(c.Contexts, func(a, b serverContext) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
}

func (c *contexts) remove(name string) {
	c.Contexts = slices.DeleteFunc(c.Contexts, func(x serverContext) bool { return x.Name == name })
}

// configDir is where the contexts are kept.
func (s *shared) configDir() string {
	if dir := s.streams.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "blueberry")
	}
	return filepath.Join(s.streams.Getenv("HOME"), ".config", "blueberry")
}

func (s *shared) contextsFile() string { return filepath.Join(s.configDir(), "contexts.yaml") }

// contexts reads the file; one that is not there is empty.
func (s *shared) contexts() (contexts, error) {
	var c contexts
	data, err := os.ReadFile(s.contextsFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("read contexts: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("%s: %w", s.contextsFile(), err)
	}
	return c, nil
}

// changeContexts alters the file. Other processes wait meanwhile.
func (s *shared) changeContexts(ctx context.Context, change func(c *contexts) error) error {
	release, err := s.lock(ctx, "contexts.lock")
	if err != nil {
		return err
	}
	defer release()
	c, err := s.contexts()
	if err != nil {
		return err
	}
	if err := change(&c); err != nil {
		return err
	}
	data, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return writePrivate(s.contextsFile(), data)
}

// lockTime is how long another process is waited for. What they do takes a request to the server.
const lockTime = 45 * time.Second

// lock waits until no other process has the lock of a name.
func (s *shared) lock(ctx context.Context, name string) (release func(), err error) {
	file := filepath.Join(s.configDir(), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("keep what the client knows: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	l := flock.New(file, flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("wait for another blueberry that holds %s: %w", file, err)
	}
	return func() { _ = l.Unlock() }, nil // the end of the process unlocks it too
}

// writePrivate replaces a file that only its owner may read, at once or not at all.
func writePrivate(file string, data []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep what the client knows: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*") // its mode is 0600
	if err != nil {
		return fmt.Errorf("keep what the client knows: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // nobody reads it
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
