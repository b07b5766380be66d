package objects_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/objects"
)

func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// each runs a test on both drivers.
func each(t *testing.T, f func(t *testing.T, b *objects.Bucket)) {
	t.Helper()
	for name, address := range map[string]func(*testing.T) string{"directory": directory, "S3": fakeS3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, open(t, address(t)))
		})
	}
}

func directory(t *testing.T) string {
	t.Helper()
	return "file://" + filepath.Join(t.TempDir(), "new", "objects")
}

func fakeS3(t *testing.T) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("blueberry"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return "s3://blueberry?endpoint=" + url.QueryEscape(server.URL)
}

func open(t *testing.T, address string) *objects.Bucket {
	t.Helper()
	b, err := objects.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func put(t *testing.T, b *objects.Bucket, name, content string) {
	t.Helper()
	if err := b.Put(t.Context(), name, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

// get reads an object; false when there is none.
func get(t *testing.T, b *objects.Bucket, name string) (string, bool) {
	t.Helper()
	r, err := b.Get(t.Context(), name)
	if errors.Is(err, blueberry.NotFound) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(content), true
}

func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func TestAnObjectComesBackAsItWent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *objects.Bucket) {
		if err := b.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		big := strings.Repeat("0123456789abcdef", 1<<20)
		for name, content := range map[string]string{"audit/2026/1-9.jsonl.gz": "\x00\xff\n", "empty": "", "big": big} {
			if _, ok := get(t, b, name); ok {
				t.Errorf("%s is there before it was put", name)
			}
			put(t, b, name, content)
			if got, ok := get(t, b, name); !ok || got != content {
				t.Errorf("%s: %d bytes came back of %d", name, len(got), len(content))
			}
			for reason, c := range map[string]struct {
				name, digest string
				want         bool
			}{
				"its digest":     {name, digest(content), true},
				"without digest": {name, "", true},
				"another digest": {name, digest("another"), false},
				"another name":   {name + "x", digest(content), false},
				"nobody's name":  {name + "x", "", false},
			} {
				if ok, err := b.Exists(t.Context(), c.name, c.digest); ok != c.want || err != nil {
					t.Errorf("%s, %s: %v, %v", name, reason, ok, err)
				}
			}
		}
		put(t, b, "empty", "no more")
		if got, _ := get(t, b, "empty"); got != "no more" {
			t.Errorf("got %q", got)
		}
		for range 2 {
			if err := b.Delete(t.Context(), "empty"); err != nil {
				t.Error(err)
			}
		}
		if _, ok := get(t, b, "empty"); ok {
			t.Error("it is there though it was deleted")
		}
	})
}

func TestPutIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *objects.Bucket) {
		put(t, b, "there", "before")
		broken := errors.New("the line is cut")
		half := func() io.Reader {
			return io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("x"), 7<<20)), iotest.ErrReader(broken)) // more than one part of an upload
		}
		for _, name := range []string{"there", "new"} {
			if err := b.Put(t.Context(), name, half()); !errors.Is(err, broken) {
				t.Errorf("%s: %v", name, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			if err := b.Put(ctx, name, io.MultiReader(strings.NewReader("half"), readerFunc(func() { cancel() }))); err == nil {
				t.Errorf("%s was put though the caller is gone", name)
			}
		}
		if got, _ := get(t, b, "there"); got != "before" {
			t.Errorf("there are %d bytes in the place of what was there", len(got))
		}
		if names, err := b.List(t.Context(), "", "", 10); err != nil || cmp.Diff([]string{"there"}, names) != "" {
			t.Errorf("there are %v, %v", names, err)
		}
	})
}

// readerFunc does something and is at its end.
type readerFunc func()

func (f readerFunc) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

func TestManyPutAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *objects.Bucket) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if err := b.Put(t.Context(), "one", strings.NewReader(strings.Repeat(fmt.Sprint(i), 1<<16))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got, _ := get(t, b, "one"); len(got) != 1<<16 || got != strings.Repeat(got[:1], 1<<16) {
			t.Error("two were mixed")
		}
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *objects.Bucket) {
		for _, name := range []string{"audit/2026/2", "audit/2026/10", "audit/2025/1", "audit-x", "audit/2026.old", "logs/1"} {
			put(t, b, name, name)
		}
		for reason, c := range map[string]struct {
			prefix, after string
			limit         int
			want          []string
		}{
			"all":                {"", "", 10, []string{"audit-x", "audit/2025/1", "audit/2026.old", "audit/2026/10", "audit/2026/2", "logs/1"}},
			"a directory":        {"audit/2026/", "", 10, []string{"audit/2026/10", "audit/2026/2"}},
			"a prefix":           {"audit/2026", "", 10, []string{"audit/2026.old", "audit/2026/10", "audit/2026/2"}},
			"the first":          {"audit/", "", 2, []string{"audit/2025/1", "audit/2026.old"}},
			"behind one":         {"audit/", "audit/2026.old", 1, []string{"audit/2026/10"}},
			"behind nobody":      {"audit/", "audit/2026/1", 10, []string{"audit/2026/10", "audit/2026/2"}},
			"behind the last":    {"audit/", "logs/9", 10, nil},
			"nothing there":      {"none/", "", 10, nil},
			"none is asked for":  {"", "", 0, nil},
			"nothing outside it": {"../", "", 10, nil},
		} {
			got, err := b.List(t.Context(), c.prefix, c.after, c.limit)
			if d := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); d != "" || err != nil && c.prefix != "../" {
				t.Errorf("%s: %v\n%s", reason, err, d)
			}
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *objects.Bucket) {
		for _, name := range []string{
			"", "/etc/passwd", "../x", "a/../x", "a/..", "a//b", "a/", ".", ".x", "a/.x", "a\\b", "a\x00b", "a b", "A", "ö", "a:b", "x.tmp", "x.attrs", strings.Repeat("x", 513), "a\n",
		} {
			if err := b.Put(t.Context(), name, strings.NewReader("x")); err == nil {
				t.Errorf("%q was put", name)
			}
			if _, err := b.Get(t.Context(), name); err == nil || errors.Is(err, blueberry.NotFound) {
				t.Errorf("%q was looked for: %v", name, err)
			}
			if _, err := b.Exists(t.Context(), name, ""); err == nil {
				t.Errorf("%q was looked for", name)
			}
			if err := b.Delete(t.Context(), name); err == nil {
				t.Errorf("%q was deleted", name)
			}
		}
	})
}

func TestADirectoryIsItsOwners(t *testing.T) {
	t.Parallel()
	address := directory(t)
	b := open(t, address)
	put(t, b, "audit/2026/1", "x")
	dir := strings.TrimPrefix(address, "file://")
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "audit/2026"): 0o700, filepath.Join(dir, "audit/2026/1"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	// A process that was killed leaves a part, which is no object.
	if err := os.WriteFile(filepath.Join(dir, "audit/2026/2.18c0ffee.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if names, err := b.List(t.Context(), "", "", 10); err != nil || cmp.Diff([]string{"audit/2026/1"}, names) != "" {
		t.Errorf("there are %v, %v", names, err)
	}
	if got, _ := get(t, open(t, address), "audit/2026/1"); got != "x" {
		t.Errorf("after a restart it is %q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for reason, address := range map[string]string{
		"no URL":         "://hunter2",
		"a password":     "s3://key:hunter2@bucket",
		"another scheme": "ftp://x",
		"a host":         "file://host/dir",
		"no path":        "file://",
		"options":        "file:///tmp/x?create_dir=1",
		"a file":         "file://" + file,
		"S3's option":    "s3://bucket?hunter=1",
		"no bucket":      "s3://",
	} {
		if _, err := objects.Open(t.Context(), address); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", reason, err)
		}
	}
	b := open(t, strings.Replace(fakeS3(t), "blueberry", "another", 1))
	if err := b.Ping(t.Context()); err == nil {
		t.Error("a bucket that is not there can be reached")
	}
}
