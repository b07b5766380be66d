package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/keys"
)

func open(t *testing.T, path string) *keys.Ring {
	t.Helper()
	r, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheKeyStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "signing-key")
	first := open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if !blueberry.HasIDPrefix(first.ID(), blueberry.KeyID) {
		t.Errorf("id %q", first.ID())
	}
	id, signature := first.Sign([]byte("a plan"))
	again := open(t, path)
	if id != again.ID() || !keys.Verify(again.Public(), []byte("a plan"), signature) {
		t.Error("after a restart the signature is not proven")
	}
	if other := open(t, filepath.Join(t.TempDir(), "signing-key")); other.ID() == id || keys.Verify(other.Public(), []byte("a plan"), signature) {
		t.Error("another server proves the signature")
	}
}

// TestRotate: a new key signs in every process that uses the file, after its public half was published; what the old one signed is proven as before.
func TestRotate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signing-key")
	r, other := open(t, path), open(t, path)
	published := map[string][]byte{r.ID(): r.Public()}
	oldID, oldSignature := r.Sign([]byte("a plan"))

	broken := errors.New("the record is down")
	if _, err := r.Rotate(t.Context(), func(string, []byte) error { return broken }); !errors.Is(err, broken) || r.ID() != oldID || open(t, path).ID() != oldID {
		t.Errorf("a key that nobody can prove was taken: %v", err)
	}
	id, err := r.Rotate(t.Context(), func(id string, public []byte) error {
		if other.ID() != oldID {
			t.Error("the new key signs before it is published")
		}
		published[id] = public
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*keys.Ring{"this process": r, "another one": other, "one that starts": open(t, path)} {
		signedBy, signature := ring.Sign([]byte("a plan"))
		if signedBy != id || id == oldID || !keys.Verify(published[id], []byte("a plan"), signature) || ring.ID() != id {
			t.Errorf("%s signs with %s, want %s", name, signedBy, id)
		}
	}
	if !keys.Verify(published[oldID], []byte("a plan"), oldSignature) {
		t.Error("what the old key signed is not proven")
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.ID() != id {
		t.Error("a damaged file took the key away")
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	r := open(t, filepath.Join(t.TempDir(), "signing-key"))
	text := []byte("a plan")
	_, signature := r.Sign(text)
	flipped := bytes.Clone(signature)
	flipped[3] ^= 1
	for reason, c := range map[string]struct {
		public, text, signature []byte
		want                    bool
	}{
		"as signed":         {r.Public(), text, signature, true},
		"another text":      {r.Public(), []byte("a plan."), signature, false},
		"no text":           {r.Public(), nil, signature, false},
		"another signature": {r.Public(), text, flipped, false},
		"a short one":       {r.Public(), text, signature[:63], false},
		"no signature":      {r.Public(), text, nil, false},
		"a short key":       {r.Public()[:31], text, signature, false},
		"no key":            {nil, text, signature, false},
		"a key of nothing":  {make([]byte, ed25519.PublicKeySize), text, signature, false},
	} {
		if got := keys.Verify(c.public, c.text, c.signature); got != c.want {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signing-key")
	open(t, path)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	for reason, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		want    string
	}{
		"the group may read": {good, 0o640, "has the mode 0640"},
		"all may read":       {good, 0o644, "has the mode 0644"},
		"all may write":      {good, 0o602, "has the mode 0602"},
		"empty":              {nil, 0o600, "does not hold an Ed25519 key"},
		"cut off":            {good[:len(good)/2], 0o600, "does not hold an Ed25519 key"},
		"a byte is wrong":    {bytes.Replace(good, []byte("MC4C"), []byte("MC4D"), 1), 0o600, "does not hold an Ed25519 key"},
		"more than the key":  {append(bytes.Clone(good), good...), 0o600, "does not hold an Ed25519 key"},
		"another algorithm":  {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600, "does not hold an Ed25519 key"},
		"another text":       {[]byte("hunter2 is no key"), 0o600, "does not hold an Ed25519 key"},
		"endless":            {bytes.Repeat([]byte("x"), 1<<20), 0o600, "does not hold an Ed25519 key"},
	} {
		path := filepath.Join(t.TempDir(), "signing-key")
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := keys.Open(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", reason, err)
		}
		if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, c.content) {
			t.Errorf("%s: the file was written to: %v", reason, err)
		}
	}
	if _, err := keys.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := keys.Open(filepath.Join(path, "below-a-file")); err == nil {
		t.Error("below a file a key was made")
	}
}

// TestKilledWhileWriting: a process that was killed before its key had its name leaves a part, whole or not. The next start makes a key and takes it away.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "signing-key")
	for name, content := range map[string]string{"signing-key.123.part": "-----BEGIN PRIV", "signing-key.456.part": "", "signing-key.old": "x", "other.1.part": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := open(t, path)
	if again := open(t, path); again.ID() != r.ID() {
		t.Error("the key changed")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "other.1.part signing-key signing-key.old" {
		t.Errorf("left are %s", got)
	}
}

func TestManyOpenAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "signing-key")
		var wg sync.WaitGroup
		ids := make([]string, 16)
		start := make(chan struct{})
		for i := range ids {
			wg.Go(func() {
				<-start
				r, err := keys.Open(path)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = r.ID()
			})
		}
		close(start)
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] || id == "" {
				t.Fatalf("ids %q", ids)
			}
		}
	}
}

// TestProcessesStartAtOnce runs this test as processes of their own, which say what key they have.
func TestProcessesStartAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signing-key")
	var wg sync.WaitGroup
	out := make([]string, 4)
	for i := range out {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), openEnv+"="+path)
			b, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, b)
			}
			out[i] = string(b)
		})
	}
	wg.Wait()
	want := open(t, path).ID()
	for _, id := range out {
		if id != want {
			t.Errorf("one process has %q, the file %q", id, want)
		}
	}
}

// openEnv makes the test binary a process that opens a key and says its id.
const openEnv = "BLUEBERRY_TEST_OPEN_KEY"

func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"} { // for the stand-in of AWS KMS
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	if path := os.Getenv(openEnv); path != "" {
		r, err := keys.Open(path)
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(r.ID())
		return
	}
	os.Exit(m.Run())
}

// FuzzOpen: whatever the file holds, it is a key or it is refused.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	if _, err := keys.Open(filepath.Join(dir, "good")); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, "good"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := keys.Open(path)
		if err != nil {
			return
		}
		if _, signature := r.Sign([]byte("x")); !keys.Verify(r.Public(), []byte("x"), signature) {
			t.Error("a key that proves nothing")
		}
	})
}
