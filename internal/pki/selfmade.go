package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	localRootLife = 10 * 365 * 24 * time.Hour
	localLeafLife = 90 * 24 * time.Hour // remade when a third of it is left
	skew          = 5 * time.Minute     // by which clocks of two machines may differ
)

// SelfMade is a certificate for development, signed by an authority that lives in a directory. Whoever trusts that authority's certificate sees no warning.
type SelfMade struct {
	CAFile string           // the authority's certificate, to be trusted by hand
	Now    func() time.Time // nil means time.Now

	names []string
	root  *x509.Certificate
	key   *ecdsa.PrivateKey

	mu   sync.Mutex
	leaf *tls.Certificate
}

// NewSelfMade makes the authority in the directory, or takes the one that is there. The certificate is for localhost, the loopback addresses and the names given,
// which may be addresses too.
func NewSelfMade(dir string, names ...string) (*SelfMade, error) {
	s := &SelfMade{CAFile: filepath.Join(dir, "local-ca.crt"), names: append([]string{"localhost", "127.0.0.1", "::1"}, names...)}
	secret := filepath.Join(dir, "local-ca.pem")
	text, err := os.ReadFile(secret)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeLocalRoot(dir, secret, time.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("open local authority: %w", err)
	}
	if s.root, err = parseCertificate(text); err == nil {
		s.key, err = parseKey(text)
	}
	if err != nil {
		return nil, fmt.Errorf("read local authority %s; remove it to have a new one made: %w", secret, err)
	}
	if err := os.WriteFile(s.CAFile, encodeCertificate(s.root.Raw), 0o644); err != nil { //nolint:gosec // others are to read it
		return nil, fmt.Errorf("write certificate of local authority: %w", err)
	}
	return s, nil
}

// makeLocalRoot makes an authority's certificate and key in one file. Of two processes that do so at once, both take that of the first.
func makeLocalRoot(dir, file string, now time.Time) ([]byte, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	root, err := signRoot("Blueberry local authority", key, now, localRootLife)
	if err != nil {
		return nil, err
	}
	keyText, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	part, err := os.CreateTemp(dir, "local-ca-*.part") // 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(part.Name()) //nolint:errcheck // a left-over is harmless
	_, err = part.Write(append(encodeCertificate(root.Raw), keyText...))
	if err = errors.Join(err, part.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(part.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(file)
}

// GetCertificate is for tls.Config. It makes a new certificate before the one there is ends.
func (s *SelfMade) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	at := now()
	if s.leaf == nil || s.leaf.Leaf.NotAfter.Sub(at) < localLeafLife/3 || at.Before(s.leaf.Leaf.NotBefore) {
		leaf, err := s.sign(at)
		if err != nil {
			return nil, fmt.Errorf("make development certificate: %w", err)
		}
		s.leaf = leaf
	}
	return s.leaf, nil
}

func (s *SelfMade) sign(now time.Time) (*tls.Certificate, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: s.names[0], Organization: []string{"Blueberry development"}},
		NotBefore: now.Add(-skew), NotAfter: now.Add(localLeafLife), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, name := range s.names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, s.root, key.Public(), s.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// signRoot makes an authority's certificate, which may sign leaves and no other authority.
func signRoot(name string, key *ecdsa.PrivateKey, now time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-skew), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign authority: %w", err)
	}
	return x509.ParseCertificate(der)
}
