package pki

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// clientName is what a client may be called: it stands in logs and in a URI.
var clientName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// Issued is a new certificate of a client.
type Issued struct {
	Name        string
	Serial      string // SerialText
	Certificate []byte // PEM
	Key         []byte // PEM; nil when the client has made it, who then never showed it
	Root        []byte // PEM, of the root that signed
	NotBefore   time.Time
	NotAfter    time.Time
}

// Issue signs a certificate for a client. Of a request (PEM) only the key is taken; without one a key is made. All faults are told at once.
func (c *CA) Issue(ctx context.Context, name string, request []byte, life time.Duration) (Issued, error) {
	var faults blueberry.Faults
	if !clientName.MatchString(name) {
		faults.Add("name", "pattern", "must be 1 to 63 lower-case letters, digits, dots and dashes, and begin and end with a letter or digit")
	}
	if life < time.Hour || life > MaxLeafLife {
		faults.Add("life", "range", "must be 1 hour to %d days", int(MaxLeafLife/(24*time.Hour)))
	}
	out := Issued{Name: name}
	var public crypto.PublicKey
	if request != nil {
		var err error
		if public, err = parseRequest(request); err != nil {
			if err := faults.Merge("", err); err != nil {
				return Issued{}, err
			}
		}
	}
	if err := faults.Err(); err != nil {
		return Issued{}, err
	}
	if request == nil {
		key, err := newKey()
		if err != nil {
			return Issued{}, err
		}
		public = key.Public()
		if out.Key, err = encodeKey(key); err != nil {
			return Issued{}, err
		}
	}
	s, err := c.read(ctx) // not what is known: another replica may have rotated
	if err != nil {
		return Issued{}, fmt.Errorf("read platform authority: %w", err)
	}
	leaf, err := s.sign(name, public, c.now(), life)
	if err != nil {
		return Issued{}, fmt.Errorf("sign certificate: %w", err)
	}
	out.Serial, out.NotBefore, out.NotAfter = SerialText(leaf.SerialNumber), leaf.NotBefore, leaf.NotAfter
	out.Certificate, out.Root = encodeCertificate(leaf.Raw), encodeCertificate(s.roots[0].Raw)
	return out, nil
}

// sign makes a certificate that is good for a client's side of TLS and nothing else.
func (s *state) sign(name string, public crypto.PublicKey, now time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	ends := now.Add(life)
	if root := s.roots[0].NotAfter; ends.After(root) {
		ends = root
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-skew), NotAfter: ends, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
		URIs: []*url.URL{{Scheme: "blueberry", Host: "client", Path: "/" + name}},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, s.roots[0], public, s.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
