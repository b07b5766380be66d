package pki

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	// MaxLeafLife is the longest that a client's certificate lasts.
	MaxLeafLife = 90 * 24 * time.Hour
	// RootLife is how long a root of the platform's authority lasts if nobody rotates it.
	RootLife = 5 * 365 * 24 * time.Hour

	secretName = "platform-ca"
	freshFor   = 5 * time.Second // that roots and revocations are used without a look at the record
	tries      = 10              // at a change that others make too
)

// Secrets keeps the authority's roots and key, encrypted, where every replica reads them.
type Secrets interface {
	// Get reads a value and its version, or NotFound.
	Get(ctx context.Context, name string) (value []byte, version int64, err error)
	// Put makes the value when version is 0, else replaces the one of that version; Conflict when there is another one by now.
	Put(ctx context.Context, name string, value []byte, version int64) error
}

// CA is the platform's authority. Its zero fields but Secrets have defaults.
type CA struct {
	Secrets Secrets
	// Revoked gives the serials (SerialText) of certificates that are no longer to be trusted and have not ended; nil means that none is.
	Revoked func(ctx context.Context) ([]string, error)
	Now     func() time.Time // nil means time.Now
	Logger  *slog.Logger     // nil means slog.Default

	mu      sync.Mutex
	state   *state
	revoked map[string]bool
	fresh   time.Time // when both were read last
}

// root is one root as it is kept. Only the one that signs has a key.
type root struct {
	Certificate string    `json:"certificate"`
	Key         string    `json:"key,omitempty"`
	Until       time.Time `json:"until,omitzero"` // when the last of its leaves has ended; zero for the one that signs
}

// kept is the value in Secrets: the root that signs, then those before it.
type kept struct {
	Roots []root `json:"roots"`
}

// state is kept, read.
type state struct {
	kept    kept
	version int64
	roots   []*x509.Certificate
	key     *ecdsa.PrivateKey
}

func (c *CA) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *CA) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.Default()
}

// Open reads the authority, or makes it. Of several replicas that make it at once, all take that of the first.
func (c *CA) Open(ctx context.Context) error {
	s, err := c.read(ctx)
	if errors.Is(err, blueberry.NotFound) {
		s, err = c.change(ctx, func(k kept) (kept, error) {
			if len(k.Roots) > 0 {
				return k, errNothing
			}
			first, err := newRoot(c.now())
			return kept{Roots: []root{first}}, err
		})
	}
	if err != nil {
		return fmt.Errorf("open platform authority: %w", err)
	}
	c.take(s)
	return c.Refresh(ctx)
}

// Refresh reads the roots and the revocations again. What is read by itself is at most 5 s old; it is called when one knows that something has moved.
func (c *CA) Refresh(ctx context.Context) error {
	s, err := c.read(ctx)
	if err != nil {
		return fmt.Errorf("read platform authority: %w", err)
	}
	revoked := map[string]bool{}
	if c.Revoked != nil {
		serials, err := c.Revoked(ctx)
		if err != nil {
			return fmt.Errorf("read revoked certificates: %w", err)
		}
		for _, serial := range serials {
			revoked[serial] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == nil || s.version >= c.state.version {
		c.state = s
	}
	c.revoked, c.fresh = revoked, c.now()
	return nil
}

func (c *CA) take(s *state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
}

// current is what is known, read again when it is old. While the record cannot be read, what was known goes on.
func (c *CA) current(ctx context.Context) (*state, map[string]bool) {
	c.mu.Lock()
	now := c.now()
	old := now.Sub(c.fresh) >= freshFor || now.Before(c.fresh)
	if old {
		c.fresh = now // one reader is enough
	}
	c.mu.Unlock()
	if old {
		if err := c.Refresh(ctx); err != nil {
			c.logger().Error("platform authority not read again; what was known goes on", "error", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.revoked
}

// Pool is the roots that are trusted now.
func (c *CA) Pool(ctx context.Context) *x509.CertPool {
	pool := x509.NewCertPool()
	s, _ := c.current(ctx)
	if s == nil {
		return pool
	}
	now := c.now()
	for i, r := range s.roots {
		if until := s.kept.Roots[i].Until; until.IsZero() || now.Before(until) {
			pool.AddCert(r)
		}
	}
	return pool
}

// Rotate makes a new root, which signs from now on. The one before stays trusted until the last of its leaves has ended; its key is gone at once.
func (c *CA) Rotate(ctx context.Context) error {
	s, err := c.change(ctx, func(k kept) (kept, error) {
		now := c.now()
		next, err := newRoot(now)
		if err != nil {
			return k, err
		}
		out := kept{Roots: []root{next}}
		for _, r := range k.Roots {
			if r.Until.IsZero() {
				r.Key, r.Until = "", now.Add(MaxLeafLife+skew) // another replica may be signing with it just now
			}
			if now.Before(r.Until) {
				out.Roots = append(out.Roots, r)
			}
		}
		return out, nil
	})
	if err != nil {
		return fmt.Errorf("rotate platform authority: %w", err)
	}
	c.take(s)
	return nil
}

var errNothing = errors.New("nothing to change")

// change writes what f makes of the value as it is, again when another replica was faster.
func (c *CA) change(ctx context.Context, f func(kept) (kept, error)) (*state, error) {
	for range tries {
		s, err := c.read(ctx)
		if errors.Is(err, blueberry.NotFound) {
			s, err = &state{}, nil
		}
		if err != nil {
			return nil, err
		}
		next, err := f(s.kept)
		switch {
		case errors.Is(err, errNothing):
			return s, nil
		case err != nil:
			return nil, err
		}
		value, err := json.Marshal(next)
		if err != nil {
			return nil, fmt.Errorf("encode roots: %w", err)
		}
		err = c.Secrets.Put(ctx, secretName, value, s.version)
		switch {
		case err == nil:
			return c.read(ctx)
		case !errors.Is(err, blueberry.Conflict):
			return nil, fmt.Errorf("write roots: %w", err)
		}
	}
	return nil, fmt.Errorf("write roots: %w", blueberry.Errorf(blueberry.Conflict, "AUTHORITY_MOVED", "the platform's authority is being changed by others"))
}

func (c *CA) read(ctx context.Context) (*state, error) {
	value, version, err := c.Secrets.Get(ctx, secretName)
	if err != nil {
		return nil, err
	}
	s := &state{version: version}
	if err := json.Unmarshal(value, &s.kept); err != nil || len(s.kept.Roots) == 0 {
		return nil, errors.New("the roots that are kept cannot be read") // never the text: it holds the key
	}
	for i, r := range s.kept.Roots {
		cert, err := parseCertificate([]byte(r.Certificate))
		if err != nil {
			return nil, fmt.Errorf("read root %d: %w", i, err)
		}
		s.roots = append(s.roots, cert)
	}
	if s.key, err = parseKey([]byte(s.kept.Roots[0].Key)); err != nil {
		return nil, fmt.Errorf("read key of root: %w", err)
	}
	return s, nil
}

func newRoot(now time.Time) (root, error) {
	key, err := newKey()
	if err != nil {
		return root{}, err
	}
	cert, err := signRoot("Blueberry platform authority "+now.UTC().Format("2006-01-02"), key, now, RootLife)
	if err != nil {
		return root{}, err
	}
	text, err := encodeKey(key)
	return root{Certificate: string(encodeCertificate(cert.Raw)), Key: string(text)}, err
}

// Roots is the roots that are trusted now, PEM, the one that signs first.
func (c *CA) Roots(ctx context.Context) []byte {
	s, _ := c.current(ctx)
	if s == nil {
		return nil
	}
	var out []byte
	for _, r := range s.kept.Roots {
		if now := c.now(); r.Until.IsZero() || now.Before(r.Until) {
			out = append(out, r.Certificate...)
		}
	}
	return out
}
