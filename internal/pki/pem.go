package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// maxPEM is the most bytes of PEM text that are read. A certificate has about 1 kB.
const maxPEM = 64 << 10

const (
	blockCertificate = "CERTIFICATE"
	blockRequest     = "CERTIFICATE REQUEST"
	blockKey         = "PRIVATE KEY" // PKCS #8
)

// pemBlock gives the first block of a kind. Its errors never repeat the text, which may be a key.
func pemBlock(text []byte, kind string) ([]byte, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("the PEM text is over %d bytes", maxPEM)
	}
	for rest := text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return nil, fmt.Errorf("there is no %s block", kind)
		}
		if b.Type == kind {
			return b.Bytes, nil
		}
	}
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	der, err := pemBlock(text, blockCertificate)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	der, err := pemBlock(text, blockKey)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the private key cannot be read")
	}
	key, ok := any.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the private key is a %T, not one of ECDSA", any)
	}
	return key, nil
}

// parseRequest reads a certificate signing request whose key is strong enough, and which proves that whoever made it holds that key.
func parseRequest(text []byte) (crypto.PublicKey, error) {
	refuse := func(format string, args ...any) error {
		return blueberry.Faults{{Field: "request", Code: "certificate_request", Message: fmt.Sprintf(format, args...)}}.Err()
	}
	der, err := pemBlock(text, blockRequest)
	if err != nil {
		return nil, refuse("is not a certificate request in PEM")
	}
	req, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, refuse("is not a certificate request in PEM")
	}
	if err := req.CheckSignature(); err != nil {
		return nil, refuse("is not signed by the key that it is for")
	}
	switch key := req.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return nil, refuse("has an ECDSA key that is not on P-256 or P-384")
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 4096 {
			return nil, refuse("has an RSA key of %d bits; it must have 2048 to 4096", bits)
		}
	default:
		return nil, refuse("has a key that is not ECDSA, Ed25519 or RSA")
	}
	return req.PublicKey, nil
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der}), nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make private key: %w", err)
	}
	return key, nil
}

// newSerial is a serial number of 127 random bits: positive, and never made twice.
func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	return n, nil
}

// SerialText is a serial number as it is shown and revoked: hex.
func SerialText(n *big.Int) string { return n.Text(16) }
