package keys

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"sync"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	pemType    = "PRIVATE KEY" // PKCS #8, RFC 5958
	maxKeyFile = 4 << 10       // bytes; a key has 119
)

// Ring signs with the one key of this server.
type Ring struct {
	file keyFile

	mu      sync.Mutex
	at      stamp
	private ed25519.PrivateKey
}

// Open reads the key at path, or makes one when there is none. Of processes that start at once, the first to finish its file wins, and all of them get
// that key. A file that others can read, or that holds no key, is an error: a new key in its place would be a surprise.
func Open(path string) (*Ring, error) {
	r := &Ring{file: keyFile{path: path, max: maxKeyFile}}
	text, at, err := r.file.readOrMake(func() ([]byte, error) {
		_, text, err := generate()
		return text, err
	})
	if err == nil {
		r.at = at
		r.private, err = parse(path, text)
	}
	if err != nil {
		return nil, fmt.Errorf("open the signing key: %w", err)
	}
	return r, nil
}

// ID names the key: "key_" and 26 digits of the hash of its public half.
func (r *Ring) ID() string { return idOf(r.Public()) }

// Public is the half of the key that others prove signatures with.
func (r *Ring) Public() ed25519.PublicKey { return r.current().Public().(ed25519.PublicKey) }

// Sign gives the signature of a text, and the key that it is proven with.
func (r *Ring) Sign(text []byte) (keyID string, signature []byte) {
	private := r.current()
	return idOf(private.Public().(ed25519.PublicKey)), ed25519.Sign(private, text)
}

// Rotate puts a new key in the place of the old. publish keeps its public half where everyone finds it, beside that of the old one, whose signatures go on being
// proven; only then the new key signs, here and in every other process that uses the file.
func (r *Ring) Rotate(ctx context.Context, publish func(id string, public []byte) error) (newID string, err error) {
	unlock, err := r.file.lock(ctx)
	if err != nil {
		return "", fmt.Errorf("rotate the signing key: %w", err)
	}
	defer unlock()
	private, text, err := generate()
	if err != nil {
		return "", fmt.Errorf("rotate the signing key: %w", err)
	}
	public := private.Public().(ed25519.PublicKey)
	newID = idOf(public)
	if err := publish(newID, public); err != nil {
		return "", fmt.Errorf("publish the signing key %s: %w", newID, err)
	}
	if err := r.file.replace(text); err != nil {
		return "", fmt.Errorf("rotate the signing key: %w", err)
	}
	return newID, nil
}

// current is the key of the file, which another process may have replaced. While the file cannot be read it is the one that was read last.
func (r *Ring) current() ed25519.PrivateKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.file.moved(r.at) {
		return r.private
	}
	if text, at, err := r.file.read(); err == nil {
		if private, err := parse(r.file.path, text); err == nil {
			r.private, r.at = private, at
		}
	}
	return r.private
}

// Verify reports whether the owner of a public key signed exactly this text. What is no key or no signature proves nothing.
func Verify(public, text, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, text, signature)
}

func idOf(public ed25519.PublicKey) string {
	digest := sha256.Sum256(public)
	return blueberry.KeyID + "_" + hex.EncodeToString(digest[:13])
}

func generate() (ed25519.PrivateKey, []byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

func parse(path string, text []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(rest) > 0 {
		return nil, errDamaged(path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, errDamaged(path)
	}
	return private, nil
}

// errDamaged says nothing of what the file holds.
func errDamaged(path string) error {
	return fmt.Errorf("%s does not hold an Ed25519 key; restore it, or remove it to have a new one made (plans that the old one signed can be proven as before)", path)
}
