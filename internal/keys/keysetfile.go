package keys

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

const (
	keysetFormat  = "blueberry-keyset-1"
	maxKeysetFile = 1 << 20 // bytes; a key takes about 150
	wrappingKey   = 32      // bytes: AES-256
)

// document is the content of the file. The keyset is tink's, in binary; with a KMS it is encrypted by a key of its own, and that one by the KMS: so the KMS
// is asked once at start, whatever the length of the keyset, and a rotation does not ask it.
type document struct {
	Format  string    `json:"format"`
	KMS     string    `json:"kms,omitempty"`
	Wrapped []byte    `json:"wrapped_key,omitempty"`
	Keys    []keyLife `json:"keys"` // the oldest first
	Keyset  []byte    `json:"keyset"`
}

type keyLife struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// wrapping encrypts the keyset in its file.
type wrapping struct {
	kms     kms
	key     []byte
	wrapped []byte // the key, as the KMS encrypted it
}

// first is the content of a new file.
func (k *Keyset) first(ctx context.Context) ([]byte, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	primary, err := h.Primary()
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	d := document{Format: keysetFormat, Keys: []keyLife{{keyName(primary.KeyID()), k.now().UTC()}}}
	if d.Keyset, err = marshalKeyset(h); err != nil {
		return nil, err
	}
	if k.wrap != nil {
		k.wrap.key = make([]byte, wrappingKey)
		if _, err := rand.Read(k.wrap.key); err != nil {
			return nil, err
		}
		if k.wrap.wrapped, err = k.wrap.kms.encrypt(ctx, k.wrap.key); err != nil {
			return nil, fmt.Errorf("encrypt by %s: %w", k.wrap.kms.name(), err)
		}
	}
	return k.encode(d)
}

// encode gives the file of a document whose keyset is clear.
func (k *Keyset) encode(d document) ([]byte, error) {
	if k.wrap != nil {
		gcm, err := k.wrap.cipher()
		if err != nil {
			return nil, err
		}
		d.KMS, d.Wrapped = k.wrap.kms.name(), k.wrap.wrapped
		d.Keyset = gcm.Seal(nil, nil, d.Keyset, []byte(keysetFormat))
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the keyset: %w", err)
	}
	return append(text, '\n'), nil
}

// parse reads a file. What is wrong is told without anything of what it holds.
func (k *Keyset) parse(ctx context.Context, text []byte) (*sealing, error) {
	path := k.file.path
	damaged := fmt.Errorf("%s does not hold a keyset; restore it from a copy: without its keys nothing that is sealed in the record can be opened", path)
	var d document
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil || dec.More() || d.Format != keysetFormat {
		return nil, damaged
	}
	switch {
	case k.wrap == nil && d.KMS != "":
		return nil, fmt.Errorf("%s is encrypted by the key %s; set keyset_kms to it", path, strconv.Quote(d.KMS))
	case k.wrap != nil && d.KMS == "":
		return nil, fmt.Errorf("%s is not encrypted by a KMS, but keyset_kms is set; unset it, or restore the file that the KMS encrypted", path)
	case k.wrap != nil:
		var err error
		if d.Keyset, err = k.wrap.open(ctx, d); err != nil {
			return nil, fmt.Errorf("decrypt %s by %s: %w", path, k.wrap.kms.name(), err)
		}
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(d.Keyset)))
	if err != nil {
		return nil, damaged
	}
	primary, err := h.Primary()
	if err != nil {
		return nil, damaged
	}
	s := &sealing{document: d, handle: h, primary: keyName(primary.KeyID())}
	for i := range h.Len() {
		e, err := h.Entry(i)
		if err != nil {
			return nil, damaged
		}
		s.ids = append(s.ids, keyName(e.KeyID()))
	}
	slices.Reverse(s.ids) // tink adds at the end
	if s.aead, err = aeadOf(h); err != nil {
		return nil, damaged
	}
	return s, nil
}

// withNewKey is the document with one key more, which is the primary.
func (d document) withNewKey(h *keyset.Handle, now time.Time) (document, string, error) {
	m := keyset.NewManagerFromHandle(h)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = m.SetPrimary(id)
	}
	if err != nil {
		return d, "", fmt.Errorf("add a key: %w", err)
	}
	d.Keys = append(slices.Clone(d.Keys), keyLife{keyName(id), now.UTC()})
	d, err = d.withKeyset(m)
	return d, keyName(id), err
}

// without is the document without the keys that are neither in use nor the primary, if the key after them is older than the time.
func (d document) without(h *keyset.Handle, inUse []string, replacedBefore time.Time) (document, []string, error) {
	m := keyset.NewManagerFromHandle(h)
	var kept []keyLife
	var removed []string
	for i, key := range d.Keys {
		if i == len(d.Keys)-1 || slices.Contains(inUse, key.ID) || d.Keys[i+1].CreatedAt.After(replacedBefore) {
			kept = append(kept, key)
			continue
		}
		id, err := strconv.ParseUint(key.ID, 16, 32)
		if err == nil {
			err = m.Delete(uint32(id))
		}
		if err != nil {
			return d, nil, fmt.Errorf("remove the key %s: %w", key.ID, err)
		}
		removed = append(removed, key.ID)
	}
	d.Keys = kept
	d, err := d.withKeyset(m)
	return d, removed, err
}

func (d document) withKeyset(m *keyset.Manager) (document, error) {
	h, err := m.Handle()
	if err != nil {
		return d, fmt.Errorf("change the keyset: %w", err)
	}
	d.Keyset, err = marshalKeyset(h)
	return d, err
}

func marshalKeyset(h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewBinaryWriter(&b)); err != nil {
		return nil, fmt.Errorf("write the keyset: %w", err)
	}
	return b.Bytes(), nil
}

// open decrypts the keyset of a document. Only the first time it asks the KMS.
func (w *wrapping) open(ctx context.Context, d document) ([]byte, error) {
	if w.key == nil || !bytes.Equal(w.wrapped, d.Wrapped) {
		key, err := w.kms.decrypt(ctx, d.Wrapped)
		if err != nil {
			return nil, err
		}
		if len(key) != wrappingKey {
			return nil, errors.New("what it decrypted is no key")
		}
		w.key, w.wrapped = key, d.Wrapped
	}
	gcm, err := w.cipher()
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nil, d.Keyset, []byte(keysetFormat))
	if err != nil {
		return nil, errors.New("the file was changed")
	}
	return plain, nil
}

func (w *wrapping) cipher() (cipher.AEAD, error) {
	block, err := aes.NewCipher(w.key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
