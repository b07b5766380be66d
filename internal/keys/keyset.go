package keys

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// PruneAfter is how long a key stays after another one took its place, though nothing is sealed with it any more: a value that a slow process sealed with it may
// not be in the record yet.
const PruneAfter = time.Hour

// tinkPrefix begins every value that a key of ours sealed: one byte for the kind of prefix, four for the id of the key.
const (
	tinkPrefix = 5
	tinkKind   = 1
)

// errNotOpened says nothing of what is sealed.
var errNotOpened = errors.New("it was changed, or sealed for another place, or by a key that this keyset does not have")

// KeysetConfig says where the keyset is.
type KeysetConfig struct {
	File string           // made with the mode 0600 when there is none
	KMS  string           // key that the file is encrypted with: awskms://… or vault://host/key; empty: the file holds the keyset as it is
	Now  func() time.Time // nil means time.Now
}

// Keyset seals what is kept, with AES-256-GCM.
type Keyset struct {
	file keyFile
	now  func() time.Time
	wrap *wrapping // nil without KMS

	mu      sync.Mutex
	at      stamp
	current *sealing
}

// sealing is one content of the file.
type sealing struct {
	document document
	handle   *keyset.Handle
	aead     tink.AEAD
	primary  string
	ids      []string // the primary and the older ones
}

// OpenKeyset reads the keyset, or makes one when there is no file. Of processes that start at once, the first to finish its file wins, and all of them get that
// keyset. A file that others can read, or that holds no keyset, is an error: what is sealed would be lost behind a new one. A KMS is asked once.
func OpenKeyset(ctx context.Context, c KeysetConfig) (*Keyset, error) {
	k := &Keyset{file: keyFile{path: c.File, max: maxKeysetFile}, now: c.Now}
	if k.now == nil {
		k.now = time.Now
	}
	if c.KMS != "" {
		kms, err := openKMS(ctx, c.KMS)
		if err != nil {
			return nil, fmt.Errorf("open the keyset: %w", err)
		}
		k.wrap = &wrapping{kms: kms}
		defer kms.close()
	}
	text, at, err := k.file.readOrMake(func() ([]byte, error) { return k.first(ctx) })
	if err != nil {
		return nil, fmt.Errorf("open the keyset: %w", err)
	}
	if k.current, err = k.parse(ctx, text); err != nil {
		return nil, fmt.Errorf("open the keyset: %w", err)
	}
	k.at = at
	return k, nil
}

// String names the file and the newest key.
func (k *Keyset) String() string { return fmt.Sprintf("keyset %s of %s", k.KeyID(), k.file.path) }

// KeyID names the newest key, by which values are sealed.
func (k *Keyset) KeyID() string { return k.fresh().primary }

// KeyIDs names every key, the newest first.
func (k *Keyset) KeyIDs() []string { return slices.Clone(k.fresh().ids) }

// SealedBy names the key of a sealed value; empty for what is none. Its first five bytes are enough.
func SealedBy(sealed []byte) string {
	if len(sealed) < tinkPrefix || sealed[0] != tinkKind {
		return ""
	}
	return keyName(binary.BigEndian.Uint32(sealed[1:tinkPrefix]))
}

func keyName(id uint32) string { return fmt.Sprintf("%08x", id) }

// SealedBy is the function SealedBy.
func (k *Keyset) SealedBy(sealed []byte) string { return SealedBy(sealed) }

// Current reports whether a value is sealed by the newest key.
func (k *Keyset) Current(sealed []byte) bool { return SealedBy(sealed) == k.KeyID() }

// Seal encrypts a value for one place: a row and column, as "credentials.totp_secret:usr_…". In another place it does not open.
func (k *Keyset) Seal(plain []byte, bound string) ([]byte, error) {
	if bound == "" {
		return nil, errors.New("seal: a value is bound to its place")
	}
	sealed, err := k.fresh().aead.Encrypt(plain, []byte(bound))
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", bound, err)
	}
	return sealed, nil
}

// Open gives the value that was sealed for a place.
func (k *Keyset) Open(sealed []byte, bound string) ([]byte, error) {
	id := SealedBy(sealed)
	s := k.latest()
	if !slices.Contains(s.ids, id) {
		s = k.fresh() // another process may have added it
	}
	plain, err := s.aead.Decrypt(sealed, []byte(bound))
	if err != nil || bound == "" {
		return nil, fmt.Errorf("open the value for %s, sealed by the key %q: %w", bound, id, errNotOpened)
	}
	return plain, nil
}

// Rotate adds a new key to the file, by which values are sealed from now on, in every process that uses the file. What the older keys sealed still opens.
func (k *Keyset) Rotate(ctx context.Context) (newID string, err error) {
	err = k.change(ctx, func(s *sealing) (document, error) {
		d, id, err := s.document.withNewKey(s.handle, k.now())
		newID = id
		return d, err
	})
	if err != nil {
		return "", fmt.Errorf("rotate the keyset: %w", err)
	}
	return newID, nil
}

// Prune removes the keys that are not in use, but never the newest, and none that another one replaced less than PruneAfter ago. It tells which. A copy of the
// record that is older than that needs them: keep the copy of the file that belongs to it.
func (k *Keyset) Prune(ctx context.Context, inUse []string) (removed []string, err error) {
	err = k.change(ctx, func(s *sealing) (document, error) {
		var d document
		d, removed, err = s.document.without(s.handle, inUse, k.now().Add(-PruneAfter))
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("prune the keyset: %w", err)
	}
	return removed, nil
}

// change writes the file anew, from what it holds under the lock.
func (k *Keyset) change(ctx context.Context, f func(*sealing) (document, error)) error {
	unlock, err := k.file.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	text, _, err := k.file.read()
	if err != nil {
		return err
	}
	s, err := k.parse(ctx, text)
	if err != nil {
		return err
	}
	d, err := f(s)
	if err != nil {
		return err
	}
	if text, err = k.encode(d); err != nil {
		return err
	}
	if err := k.file.replace(text); err != nil {
		return err
	}
	k.fresh()
	return nil
}

func (k *Keyset) latest() *sealing {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// fresh is the keyset of the file, which another process may have written; looking costs a microsecond. While the file cannot be read it is the one that was
// read last.
func (k *Keyset) fresh() *sealing {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.file.moved(k.at) {
		return k.current
	}
	text, at, err := k.file.read()
	if err != nil {
		return k.current
	}
	// With a KMS the file is read by the key that the start asked for, so no request can hang here.
	if s, err := k.parse(context.Background(), text); err == nil {
		k.current, k.at = s, at
	}
	return k.current
}

func aeadOf(h *keyset.Handle) (tink.AEAD, error) {
	a, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("use the keyset: %w", err)
	}
	return a, nil
}
