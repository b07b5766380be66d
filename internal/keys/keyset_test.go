package keys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/keys"
)

const bound = "credentials.totp_secret:usr_1"

func openKeyset(t testing.TB, c keys.KeysetConfig) *keys.Keyset {
	t.Helper()
	k, err := keys.OpenKeyset(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newKeyset(t testing.TB) (*keys.Keyset, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new", "keyset")
	return openKeyset(t, keys.KeysetConfig{File: path}), path
}

func seal(t testing.TB, k *keys.Keyset, plain, bound string) []byte {
	t.Helper()
	sealed, err := k.Seal([]byte(plain), bound)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func wantOpen(t *testing.T, k *keys.Keyset, sealed []byte, bound, want string) {
	t.Helper()
	if plain, err := k.Open(sealed, bound); err != nil || string(plain) != want {
		t.Errorf("opened %q, %v, want %q", plain, err, want)
	}
}

func TestASealedValueOpensInItsPlaceOnly(t *testing.T) {
	t.Parallel()
	k, path := newKeyset(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	sealed := seal(t, k, "hunter2", bound)
	wantOpen(t, k, sealed, bound, "hunter2")
	wantOpen(t, openKeyset(t, keys.KeysetConfig{File: path}), sealed, bound, "hunter2")
	if bytes.Contains(sealed, []byte("hunter2")) || bytes.Equal(sealed, seal(t, k, "hunter2", bound)) {
		t.Error("the sealed value shows what it holds, or that two are equal")
	}
	if keys.SealedBy(sealed) != k.KeyID() || keys.SealedBy(sealed[:5]) != k.KeyID() || !k.Current(sealed) {
		t.Errorf("sealed by %q, the key is %q", keys.SealedBy(sealed), k.KeyID())
	}
	other, _ := newKeyset(t)
	for reason, c := range map[string]struct {
		k      *keys.Keyset
		sealed []byte
		bound  string
	}{
		"another row":    {k, sealed, "credentials.totp_secret:usr_2"},
		"another column": {k, sealed, "identity_providers.client_secret:usr_1"},
		"no place":       {k, sealed, ""},
		"another keyset": {other, sealed, bound},
		"cut":            {k, sealed[:len(sealed)-1], bound},
		"the prefix":     {k, sealed[:5], bound},
		"nothing":        {k, nil, bound},
		"clear":          {k, []byte("hunter2"), bound},
	} {
		plain, err := c.k.Open(c.sealed, c.bound)
		if err == nil || plain != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %q, %v", reason, plain, err)
		}
	}
	for i := range sealed {
		flipped := bytes.Clone(sealed)
		flipped[i] ^= 1
		if _, err := k.Open(flipped, bound); err == nil {
			t.Errorf("byte %d was changed, and it opens", i)
		}
	}
	if _, err := k.Seal([]byte("x"), ""); err == nil {
		t.Error("a value was sealed for no place")
	}
	for _, none := range [][]byte{nil, {1, 2, 3, 4}, []byte("hunter2")} {
		if id := keys.SealedBy(none); id != "" {
			t.Errorf("%q is sealed by %q", none, id)
		}
	}
}

func TestRotateTheKeyset(t *testing.T) {
	t.Parallel()
	k, path := newKeyset(t)
	other := openKeyset(t, keys.KeysetConfig{File: path}) // another process
	oldest := k.KeyID()
	before := seal(t, k, "before", bound)
	id, err := k.Rotate(t.Context())
	if err != nil || id == oldest || k.KeyID() != id {
		t.Fatalf("rotated to %q, %v; the key is %q", id, err, k.KeyID())
	}
	after := seal(t, k, "after", bound)
	if keys.SealedBy(after) != id || k.Current(before) {
		t.Errorf("sealed by %q, want %q", keys.SealedBy(after), id)
	}
	wantOpen(t, other, after, bound, "after") // without a restart
	wantOpen(t, other, before, bound, "before")
	wantOpen(t, k, before, bound, "before")
	if got := seal(t, other, "x", bound); keys.SealedBy(got) != id {
		t.Error("another process seals by the old key")
	}
	if d := cmp.Diff([]string{id, oldest}, other.KeyIDs()); d != "" {
		t.Error(d)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, k, before, bound, "before") // what was read still holds
	if _, err := k.Rotate(t.Context()); err == nil {
		t.Error("a keyset whose file is lost was rotated")
	}
}

func TestManyRotateAtOnce(t *testing.T) {
	t.Parallel()
	k, path := newKeyset(t)
	if err := os.WriteFile(path+".next", []byte("of a process that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{k.KeyID()}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		mine := openKeyset(t, keys.KeysetConfig{File: path})
		wg.Go(func() {
			id, err := mine.Rotate(t.Context())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			want = append(want, id)
			if sealed, err := mine.Seal([]byte("x"), bound); err != nil {
				t.Error(err)
			} else if _, err := k.Open(sealed, bound); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := k.KeyIDs()
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("a key was lost:\n%s", d)
	}
}

func TestManyOpenAKeysetAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "keyset")
		var wg sync.WaitGroup
		ids := make([]string, 16)
		start := make(chan struct{})
		for i := range ids {
			wg.Go(func() {
				<-start
				k, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: path})
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = k.KeyID()
			})
		}
		close(start)
		wg.Wait()
		if len(slices.Compact(ids)) != 1 || ids[0] == "" {
			t.Fatalf("keys %q", ids)
		}
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "keyset")
	k := openKeyset(t, keys.KeysetConfig{File: path, Now: func() time.Time { return now }})
	first := k.KeyID()
	ofFirst := seal(t, k, "first", bound)
	rotate := func() string {
		now = now.Add(time.Minute)
		id, err := k.Rotate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	second := rotate()
	third := rotate()
	ofSecond := seal(t, k, "x", bound)
	prune := func(reason string, inUse, want []string) {
		t.Helper()
		removed, err := k.Prune(t.Context(), inUse)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, removed); d != "" {
			t.Errorf("%s:\n%s", reason, d)
		}
	}
	prune("just replaced: another process may be about to write what it sealed", nil, nil)
	now = now.Add(keys.PruneAfter - time.Second)
	prune("one is replaced long enough", []string{first}, nil)
	prune("and not in use", []string{third}, []string{first})
	now = now.Add(time.Hour)
	prune("never the newest", nil, []string{second})
	if d := cmp.Diff([]string{third}, openKeyset(t, keys.KeysetConfig{File: path}).KeyIDs()); d != "" {
		t.Error(d)
	}
	wantOpen(t, k, ofSecond, bound, "x")
	if _, err := k.Open(ofFirst, bound); err == nil || !strings.Contains(err.Error(), first) {
		t.Errorf("a key that is gone opens, or is not named: %v", err)
	}
}

func TestOpenKeysetRefuses(t *testing.T) {
	t.Parallel()
	_, path := newKeyset(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(good, &fields); err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) []byte {
		other := map[string]any{}
		for k, v := range fields {
			other[k] = v
		}
		other[name] = value
		b, err := json.Marshal(other)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for reason, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		want    string
	}{
		"the group may read": {good, 0o640, "has the mode 0640"},
		"empty":              {nil, 0o600, "does not hold a keyset"},
		"cut off":            {good[:len(good)/2], 0o600, "does not hold a keyset"},
		"more behind it":     {append(bytes.Clone(good), good...), 0o600, "does not hold a keyset"},
		"another text":       {[]byte("hunter2 is no key"), 0o600, "does not hold a keyset"},
		"another format":     {with("format", "hunter2"), 0o600, "does not hold a keyset"},
		"an unknown field":   {with("hunter2", 1), 0o600, "does not hold a keyset"},
		"no keyset":          {with("keyset", ""), 0o600, "does not hold a keyset"},
		"no key in it":       {with("keyset", "aHVudGVyMg=="), 0o600, "does not hold a keyset"},
		"of a KMS":           {with("kms", "awskms://x"), 0o600, "set keyset_kms"},
		"endless":            {bytes.Repeat([]byte("x"), 2<<20), 0o600, "does not hold a keyset"},
	} {
		path := filepath.Join(t.TempDir(), "keyset")
		if err := errors.Join(os.WriteFile(path, c.content, 0o600), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		_, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: path})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", reason, err)
		}
		if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, c.content) {
			t.Errorf("%s: the file was written to: %v", reason, err)
		}
	}
}

// canaries is the record's place for the canary.
type canaries struct{ kept []byte }

func (c *canaries) KeepCanary(_ context.Context, sealed []byte) ([]byte, error) {
	if c.kept == nil {
		c.kept = sealed
	}
	return c.kept, nil
}

func TestALostKeysetIsToldAtStart(t *testing.T) {
	t.Parallel()
	k, path := newKeyset(t)
	record := &canaries{}
	for range 2 {
		if err := k.CheckCanary(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	first := k.KeyID()
	if _, err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := openKeyset(t, keys.KeysetConfig{File: path}).CheckCanary(t.Context(), record); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	other, otherPath := newKeyset(t)
	err := other.CheckCanary(t.Context(), record)
	if err == nil {
		t.Fatal("another keyset was taken")
	}
	for _, want := range []string{first, other.KeyID(), otherPath, "restore the file", "keyset_file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	record.kept = slices.Clone(record.kept)
	record.kept[20] ^= 1
	if err := k.CheckCanary(t.Context(), record); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a changed canary: %v", err)
	}
}

// FuzzOpenKeyset: whatever the file holds, it is a keyset or it is refused.
func FuzzOpenKeyset(f *testing.F) {
	_, path := newKeyset(f)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte(`{"format":"blueberry-keyset-1","keys":[],"keyset":""}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "keyset")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: path})
		if err != nil {
			return
		}
		wantOpen(t, k, seal(t, k, "x", bound), bound, "x")
	})
}

func BenchmarkSeal(b *testing.B) {
	k, _ := newKeyset(b)
	plain := bytes.Repeat([]byte("x"), 64)
	for b.Loop() {
		if _, err := k.Seal(plain, bound); err != nil {
			b.Fatal(err)
		}
	}
}
