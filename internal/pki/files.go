package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files are looked at, at most: a stat of two files in a second costs nothing.
const lookEvery = time.Second

// Reloading is a certificate in two files that may change at any time.
type Reloading struct {
	Logger *slog.Logger     // nil means slog.Default
	Now    func() time.Time // nil means time.Now

	cert, key string

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]stamp // of the files that were tried last
	looked time.Time
	told   string // the trouble that was logged last; empty for none
}

// stamp tells one state of a file from another.
type stamp struct {
	modified time.Time
	size     int64
}

// Files reads a certificate with its chain, and its key. It fails when there is no pair to begin with.
func Files(cert, key string) (*Reloading, error) {
	r := &Reloading{cert: cert, key: key}
	seen, err := r.stamps()
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	if r.pair, err = r.load(time.Now()); err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	r.seen = seen
	return r, nil
}

// GetCertificate is for tls.Config. It gives the newest pair that works.
func (r *Reloading) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	if at := now(); at.Sub(r.looked) >= lookEvery || at.Before(r.looked) {
		r.looked = at
		r.look(at)
	}
	return r.pair, nil
}

// look takes over what has changed. A pair that does not work is tried again with each look, for the other file may be on its way.
func (r *Reloading) look(now time.Time) {
	logger := r.Logger
	if logger == nil {
		logger = slog.Default()
	}
	seen, err := r.stamps()
	if err == nil && seen == r.seen && r.told == "" {
		return
	}
	var pair *tls.Certificate
	if err == nil {
		pair, err = r.load(now)
	}
	if err != nil {
		if r.told != err.Error() {
			r.told = err.Error()
			logger.Error("new certificate not used; the one before goes on", "cert_file", r.cert, "key_file", r.key, "error", err)
		}
		return
	}
	changed := seen != r.seen
	r.pair, r.seen, r.told = pair, seen, ""
	if changed {
		logger.Info("certificate reloaded", "cert_file", r.cert, "serial", SerialText(pair.Leaf.SerialNumber), "ends", pair.Leaf.NotAfter)
	}
}

func (r *Reloading) stamps() (out [2]stamp, err error) {
	for i, name := range []string{r.cert, r.key} {
		info, err := os.Stat(name)
		if err != nil {
			return out, err
		}
		out[i] = stamp{info.ModTime(), info.Size()}
	}
	return out, nil
}

func (r *Reloading) load(now time.Time) (*tls.Certificate, error) {
	cert, err := readPEM(r.cert)
	if err != nil {
		return nil, err
	}
	key, err := readPEM(r.key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	if pair.Leaf == nil {
		if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return nil, err
		}
	}
	if now.After(pair.Leaf.NotAfter) && r.pair != nil && r.pair.Leaf.NotAfter.After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("it ended at %s", pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	return &pair, nil
}

// readPEM reads a file that is no larger than certificates are.
func readPEM(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(text) > 16*maxPEM:
		return nil, fmt.Errorf("%s is too large for a certificate", name)
	}
	return text, nil
}
