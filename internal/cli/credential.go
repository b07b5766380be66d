package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// Keyring keeps secrets in the operating system. What is not there is an error.
type Keyring interface {
	Get(service, account string) (string, error)
	Set(service, account, secret string) error
	Delete(service, account string) error
}

// Where a credential is kept.
const (
	inKeyring      = "keyring"
	inFile         = "file"
	keyringService = "blueberry"
)

// cliClient is the OAuth client that this program is.
const cliClient = "blueberry-cli"

// credential is what lets one in at the server of a context: an API token, or a pair of tokens of OAuth.
type credential struct {
	Token string `json:"token,omitempty"`
	*sdk.TokenPair
}

// errNoCredential says that a context has no credential.
var errNoCredential = errors.New("there is no credential")

// credentialKey names a credential that is not kept yet. A login that comes while another process refreshes the one before is not overwritten by it.
func credentialKey(name string) string { return name + "-" + strings.ToLower(rand.Text()[:8]) }

func (s *shared) credentialFile(key string) string {
	return filepath.Join(s.configDir(), "credentials", filepath.Base(key)+".json")
}

// saveCredential keeps a credential where the context says.
func (s *shared) saveCredential(x serverContext, c credential) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if x.Store != inKeyring {
		return writePrivate(s.credentialFile(x.Key), append(data, '\n'))
	}
	if s.streams.Keyring == nil {
		return errors.New("there is no keyring here")
	}
	if err := s.streams.Keyring.Set(keyringService, x.Key, string(data)); err != nil {
		return fmt.Errorf("write to the keyring: %w", err)
	}
	return nil
}

// credential reads the credential of a context.
func (s *shared) credential(x serverContext) (credential, error) {
	var c credential
	var data []byte
	var err error
	switch {
	case x.Store == "":
		return c, errNoCredential
	case x.Store != inKeyring:
		data, err = os.ReadFile(s.credentialFile(x.Key))
		if errors.Is(err, fs.ErrNotExist) {
			return c, errNoCredential
		}
	case s.streams.Keyring == nil:
		err = errors.New("there is no keyring here")
	default:
		var text string
		text, err = s.streams.Keyring.Get(keyringService, x.Key)
		data = []byte(text)
	}
	if err != nil {
		return c, fmt.Errorf("read the credential of context %s: %w; blueberry login gets another, and --insecure-storage keeps it in a file", x.Name, err)
	}
	if err := json.Unmarshal(data, &c); err != nil || c.Token == "" && c.TokenPair == nil {
		return c, fmt.Errorf("the credential of context %s cannot be read; blueberry login gets another", x.Name)
	}
	return c, nil
}

// forgetCredential removes a credential; one that is not there is no error.
func (s *shared) forgetCredential(x serverContext) error {
	switch {
	case x.Store == "":
		return nil
	case x.Store == inKeyring && s.streams.Keyring != nil:
		if _, err := s.streams.Keyring.Get(keyringService, x.Key); err != nil {
			return nil //nolint:nilerr // it is not there
		}
		if err := s.streams.Keyring.Delete(keyringService, x.Key); err != nil {
			return fmt.Errorf("remove it from the keyring: %w", err)
		}
	}
	for _, file := range []string{s.credentialFile(x.Key), s.lockOf(x)} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the credential: %w", err)
		}
	}
	return nil
}

func (s *shared) lockOf(x serverContext) string {
	return filepath.Join(s.configDir(), "credentials", filepath.Base(x.Key)+".lock")
}

// source gives the tokens of a context.
func (s *shared) source(x serverContext) (sdk.TokenSource, error) {
	c, err := s.credential(x)
	switch {
	case errors.Is(err, errNoCredential):
		return nil, deniedError{fmt.Errorf("nobody is logged in at %s (context %s): blueberry login --context %s", x.Server, x.Name, x.Name)}
	case err != nil:
		return nil, deniedError{err}
	case c.Token != "":
		return sdk.StaticToken(c.Token), nil
	}
	return patient{s.refreshing(x, *c.TokenPair)}, nil
}

// refreshing refreshes the pair of a context. Several processes take turns.
func (s *shared) refreshing(x serverContext, pair sdk.TokenPair) *sdk.RefreshToken {
	return &sdk.RefreshToken{
		BaseURL: x.Server, ID: cliClient, Pair: pair,
		Save: func(p sdk.TokenPair) error { return s.saveCredential(x, credential{TokenPair: &p}) },
		Hold: func(ctx context.Context) (sdk.TokenPair, func(), error) {
			release, err := s.lock(ctx, filepath.Join("credentials", filepath.Base(s.lockOf(x))))
			if err != nil {
				return sdk.TokenPair{}, nil, err
			}
			c, err := s.credential(x)
			if err == nil && c.TokenPair == nil {
				err = errNoCredential
			}
			if err != nil {
				release()
				return sdk.TokenPair{}, nil, err
			}
			return *c.TokenPair, release, nil
		},
	}
}

// patient does not leave a refresh that has begun: the process would end before the new pair is saved, and the one that is kept is used up.
type patient struct{ *sdk.RefreshToken }

// Token gives an access token.
func (p patient) Token(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	return p.RefreshToken.Token(context.WithoutCancel(ctx))
}

// Reject drops a token.
func (p patient) Reject(token string) { p.RefreshToken.Reject(token) }
