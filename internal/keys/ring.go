package keys

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	pemType    = "PRIVATE KEY" // PKCS #8, RFC 5958
	maxKeyFile = 4 << 10       // bytes; a key has 119
	partSuffix = ".part"       // of a file that is being written
)

// Ring signs with the one key of this server.
type Ring struct {
	id      string
	private ed25519.PrivateKey
}

// Open reads the key at path, or makes one when there is none. Of processes that start at once, the first to finish its file wins, and all of them get
// that key. A file that others can read, or that holds no key, is an error: a new key in its place would be a surprise.
func Open(path string) (*Ring, error) {
	private, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err == nil {
			private, err = read(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the signing key: %w", err)
	}
	sweep(path)
	return &Ring{id: idOf(private.Public().(ed25519.PublicKey)), private: private}, nil
}

// ID names the key: "key_" and 26 digits of the hash of its public half.
func (r *Ring) ID() string { return r.id }

// Public is the half of the key that others prove signatures with.
func (r *Ring) Public() ed25519.PublicKey { return r.private.Public().(ed25519.PublicKey) }

// Sign gives the signature of a text, and the key that it is proven with.
func (r *Ring) Sign(text []byte) (keyID string, signature []byte) {
	return r.id, ed25519.Sign(r.private, text)
}

// Verify reports whether the owner of a public key signed exactly this text. What is no key or no signature proves nothing.
func Verify(public, text, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, text, signature)
}

func idOf(public ed25519.PublicKey) string {
	digest := sha256.Sum256(public)
	return blueberry.KeyID + "_" + hex.EncodeToString(digest[:13])
}

func read(path string) (ed25519.PrivateKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has the mode %04o, so others may have read the key; give it the mode 0600, or remove it to have a new one made", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, err
	}
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

// create makes a key and its file, whole or not at all, unless another one is there first.
func create(path string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(dir, filepath.Base(path)+".*"+partSuffix) // with the mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) //nolint:errcheck // sweep takes it at the next start
	if err := errors.Join(pem.Encode(part, &pem.Block{Type: pemType, Bytes: der}), part.Sync(), part.Close()); err != nil {
		return err
	}
	// A link, and not a renaming, which would put this key in the place of one that another process has read. The part is gone when that process swept.
	if err := os.Link(part.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) && !there(path) {
		return err
	}
	return syncDir(dir)
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// syncDir makes the name of a file as durable as its content.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes what processes left that were killed while they made a key. One that is still at it finds that the key is there.
func sweep(path string) {
	parts, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"+partSuffix))
	if err != nil {
		return // the pattern is ours and is none that is wrong
	}
	for _, part := range parts {
		if ok, err := filepath.Match(filepath.Base(path)+".[0-9]*"+partSuffix, filepath.Base(part)); ok && err == nil {
			os.Remove(part) //nolint:errcheck // it does no harm where it is
		}
	}
}
