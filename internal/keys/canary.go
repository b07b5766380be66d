package keys

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
)

// canaryBound is the place of the canary in the record.
const canaryBound = "keyset_canary.value:canary"

// Canaries is the place in the record for one sealed value.
type Canaries interface {
	// KeepCanary keeps a sealed value if there is none yet, and gives the one that is kept.
	KeepCanary(ctx context.Context, sealed []byte) ([]byte, error)
}

// CheckCanary makes sure that this is the keyset that the record was sealed with: the first start leaves a sealed value there, and every later one must be able
// to open it.
func (k *Keyset) CheckCanary(ctx context.Context, record Canaries) error {
	ours, err := k.Seal([]byte(rand.Text()), canaryBound)
	if err != nil {
		return err
	}
	kept, err := record.KeepCanary(ctx, ours)
	if err != nil {
		return fmt.Errorf("check the keyset: %w", err)
	}
	if _, err := k.Open(kept, canaryBound); err == nil {
		return nil
	}
	needs, have := SealedBy(kept), k.fresh().ids
	if needs == "" || slices.Contains(have, needs) {
		return fmt.Errorf("the value by which the record knows its keyset was changed, so that the key %q of %s does not open it; restore the record, or that file, from a copy", needs, k.file.path)
	}
	e := fmt.Sprintf("the record is sealed by the key %s, and %s holds the keys %v: it is the keyset of another installation, or a new one in the place of one that was lost; "+
		"restore the file that holds %s, or set keyset_file to it", needs, k.file.path, have, needs)
	if k.wrap != nil {
		e += " (and keyset_kms to the key that encrypts it)"
	}
	return errors.New(e)
}
