package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// glass seals so that a test can see through: five bytes for the key, the place, the value.
func glassSeal(key string) func(plain []byte, bound string) ([]byte, error) {
	return func(plain []byte, bound string) ([]byte, error) {
		return []byte(key + "|" + bound + "|" + string(plain)), nil
	}
}

func glassOpen(sealed []byte, bound string) ([]byte, error) {
	_, rest, ok := strings.Cut(string(sealed), "|")
	place, plain, ok2 := strings.Cut(rest, "|")
	if !ok || !ok2 || place != bound {
		return nil, errors.New("it does not open")
	}
	return []byte(plain), nil
}

func reseal(batch int) store.Reseal {
	return store.Reseal{Batch: batch, Current: func(sealed []byte) bool { return bytes.HasPrefix(sealed, []byte("key-2")) }, Open: glassOpen, Seal: glassSeal("key-2")}
}

// fillSealed puts n secrets and the canary into the record.
func fillSealed(t *testing.T, s *store.Store, n int) {
	t.Helper()
	put := func(name, bound string) []byte {
		sealed, err := glassSeal("key-1")([]byte("of "+name), bound)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	for i := range n {
		name := fmt.Sprintf("secret-%03d", i)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.PutPlatformSecret(ctx, blueberry.PlatformSecret{Name: name, Value: put(name, "platform_secrets.value:"+name), CreatedAt: start, UpdatedAt: start})
		})
	}
	if _, err := s.KeepCanary(t.Context(), put("canary", store.CanaryBound)); err != nil {
		t.Fatal(err)
	}
}

func keysInUse(t *testing.T, s *store.Store) []string {
	t.Helper()
	ids, err := s.KeysInUse(t.Context(), func(sealed []byte) string { return string(sealed[:5]) })
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestReencrypt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if got := keysInUse(t, s); len(got) != 0 {
			t.Errorf("nothing is sealed, by %v", got)
		}
		fillSealed(t, s, 25)
		if d := cmp.Diff([]string{"key-1"}, keysInUse(t, s)); d != "" {
			t.Error(d)
		}

		// A process dies after a batch. What it did stays, and the next one does the rest.
		dies := reseal(10)
		killed := errors.New("killed")
		dies.Pause = func(context.Context, int) error { return killed }
		if n, err := s.Reencrypt(t.Context(), dies); !errors.Is(err, killed) || n != 10 {
			t.Errorf("wrote %d, %v", n, err)
		}
		if d := cmp.Diff([]string{"key-1", "key-2"}, keysInUse(t, s)); d != "" {
			t.Error(d)
		}
		if n, err := s.Reencrypt(t.Context(), reseal(10)); err != nil || n != 16 {
			t.Errorf("wrote %d, %v; 15 secrets and the canary were left", n, err)
		}
		if n, err := s.Reencrypt(t.Context(), reseal(0)); err != nil || n != 0 {
			t.Errorf("a second time wrote %d, %v", n, err)
		}
		if d := cmp.Diff([]string{"key-2"}, keysInUse(t, s)); d != "" {
			t.Error(d)
		}
		all := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.PlatformSecret, error) {
			return tx.PlatformSecrets(ctx)
		})
		for _, p := range all {
			if plain, err := glassOpen(p.Value, "platform_secrets.value:"+p.Name); err != nil || string(plain) != "of "+p.Name {
				t.Errorf("%s holds %q, %v", p.Name, plain, err)
			}
		}
		if len(all) != 25 {
			t.Errorf("there are %d", len(all))
		}
	})
}

// Someone writes a secret between the reading and the writing of the re-encryption: theirs stays.
func TestReencryptLosesNoWrite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fillSealed(t, s, 3)
		r := reseal(10)
		var once sync.Once
		r.Open = func(sealed []byte, bound string) ([]byte, error) {
			once.Do(func() {
				update(t, s, func(ctx context.Context, tx *store.Tx) error {
					p, err := tx.PlatformSecret(ctx, "secret-000")
					if err != nil {
						return err
					}
					p.Value = []byte("key-2|platform_secrets.value:secret-000|new")
					return tx.PutPlatformSecret(ctx, p)
				})
			})
			return glassOpen(sealed, bound)
		}
		if n, err := s.Reencrypt(t.Context(), r); err != nil || n != 3 {
			t.Errorf("wrote %d, %v", n, err)
		}
		p := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PlatformSecret, error) {
			return tx.PlatformSecret(ctx, "secret-000")
		})
		if string(p.Value) != "key-2|platform_secrets.value:secret-000|new" || p.Version != 2 {
			t.Errorf("it holds %q at version %d", p.Value, p.Version)
		}
	})
}

// A value that was moved to another row, or whose key is lost, is told; the others go on.
func TestReencryptTellsWhatDoesNotOpen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fillSealed(t, s, 5)
		if _, err := s.DB().ExecContext(t.Context(), `UPDATE platform_secrets SET value = (SELECT value FROM platform_secrets WHERE name = 'secret-001') WHERE name = 'secret-002'`); err != nil {
			t.Fatal(err)
		}
		n, err := s.Reencrypt(t.Context(), reseal(2))
		if n != 5 || err == nil || !strings.Contains(err.Error(), "platform_secrets.value:secret-002") || strings.Contains(err.Error(), "of secret") {
			t.Errorf("wrote %d, %v", n, err)
		}
	})
}

func TestPlatformSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put := func(p blueberry.PlatformSecret) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutPlatformSecret(ctx, p) })
		}
		p := blueberry.PlatformSecret{Name: "salt", Value: []byte{0, 1, 0xff}, CreatedAt: start, UpdatedAt: start}
		wantError(t, "change what is not there", put(blueberry.PlatformSecret{Name: "salt", Version: 1}), blueberry.NotFound)
		if err := put(p); err != nil {
			t.Fatal(err)
		}
		wantError(t, "a second one", put(p), blueberry.Conflict)
		p.Version, p.Value, p.UpdatedAt = 1, []byte("x"), start.Add(time.Hour)
		if err := put(p); err != nil {
			t.Fatal(err)
		}
		wantError(t, "from an old version", put(p), blueberry.Conflict)
		p.Version = 2
		if d := cmp.Diff([]blueberry.PlatformSecret{p}, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.PlatformSecret, error) {
			return tx.PlatformSecrets(ctx)
		})); d != "" {
			t.Error(d)
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PlatformSecret, error) {
			return tx.PlatformSecret(ctx, "no\x00ne")
		})
		wantError(t, "none", err, blueberry.NotFound)
	})
}

func TestTheFirstCanaryStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, sealed := range []string{"first", "second"} {
			kept, err := s.KeepCanary(t.Context(), []byte(sealed))
			if err != nil || string(kept) != "first" {
				t.Errorf("kept %q, %v", kept, err)
			}
		}
	})
}
