package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	maxName    = 512 // characters; S3 takes 1,024 bytes
	tempSuffix = ".tmp"
)

// nameForm lets nothing through that a directory or S3 reads in another way than it is written.
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$`)

// Bucket is a place for objects.
type Bucket struct {
	bucket *blob.Bucket
	dir    string // of objects in a directory; empty for S3
}

// Open opens "file:///directory", which is made with the mode 0700, or "s3://bucket", which exists. The options of S3 are region, endpoint (of what is not
// Amazon's), use_path_style, and those of gocloud.dev/blob/s3blob; the credentials come from the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
func Open(ctx context.Context, address string) (*Bucket, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return nil, errors.New("the place of the objects must be a URL without a password in it")
	}
	switch u.Scheme {
	case fileblob.Scheme:
		return openDirectory(u)
	case s3blob.Scheme:
		return openS3(ctx, u)
	}
	return nil, fmt.Errorf("the place of the objects starts with %q, must be file:// or s3://", u.Scheme)
}

func openDirectory(u *url.URL) (*Bucket, error) {
	dir := filepath.Clean(u.Path)
	if u.Host != "" || u.RawQuery != "" || !filepath.IsAbs(u.Path) {
		return nil, errors.New("a directory of objects must be file:///directory, with an absolute path and no options")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of objects: %w", err)
	}
	// Beside its place a file is made, and not in the directory for temporary files, from which it cannot be moved to another file system.
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, fmt.Errorf("open the directory of objects: %w", err)
	}
	return &Bucket{bucket: b, dir: dir}, nil
}

func openS3(ctx context.Context, u *url.URL) (*Bucket, error) {
	q := u.Query()
	setDefault := func(name, value string) {
		if !q.Has(name) {
			q.Set(name, value)
		}
	}
	if q.Has("endpoint") { // what is not Amazon's has no name for each bucket, no regions, and often not its newest checksums
		setDefault("use_path_style", "true")
		setDefault("region", "us-east-1")
		setDefault("request_checksum_calculation", "when_required")
		setDefault("response_checksum_validation", "when_required")
	}
	u.RawQuery = q.Encode()
	opener := s3blob.URLOpener{}
	b, err := opener.OpenBucketURL(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("open the bucket of objects: %w", err)
	}
	return &Bucket{bucket: b}, nil
}

// Close lets the connections go.
func (b *Bucket) Close() error { return b.bucket.Close() }

// Ping reports whether the objects can be reached.
func (b *Bucket) Ping(ctx context.Context) error {
	ok, err := b.bucket.IsAccessible(ctx)
	if err == nil && !ok {
		err = errors.New("there is no such directory or bucket")
	}
	if err != nil {
		return fmt.Errorf("reach the objects: %w", err)
	}
	return nil
}

// Put keeps what is read under a name, in the place of what was there. When reading fails, or ctx ends, nothing has changed.
func (b *Bucket) Put(ctx context.Context, name string, content io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := b.bucket.NewWriter(ctx, name, &blob.WriterOptions{ContentType: "application/octet-stream", BeforeWrite: func(as func(any) bool) error {
		var f *os.File
		if as(&f) {
			return f.Chmod(0o600)
		}
		return nil
	}})
	if err != nil {
		return fmt.Errorf("put object %s: %w", name, err)
	}
	if _, err := io.Copy(w, content); err != nil {
		cancel() // a writer that is closed after that leaves nothing
		_ = w.Close()
		return fmt.Errorf("put object %s: %w", name, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("put object %s: %w", name, err)
	}
	if err := b.settle(name); err != nil {
		return fmt.Errorf("put object %s: %w", name, err)
	}
	return nil
}

// settle makes a file, and the names on the way to it, as durable as S3 does.
func (b *Bucket) settle(name string) error {
	if b.dir == "" {
		return nil
	}
	for path := filepath.Join(b.dir, filepath.FromSlash(name)); ; path = filepath.Dir(path) {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
		if path == b.dir {
			return nil
		}
	}
}

// Get reads an object, or NotFound. The caller closes the reader.
func (b *Bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	r, err := b.bucket.NewReader(ctx, name, nil)
	if isMissing(err) {
		return nil, blueberry.Errorf(blueberry.NotFound, "OBJECT_NOT_FOUND", "there is no object %q", name)
	}
	if err != nil {
		return nil, fmt.Errorf("get object %s: %w", name, err)
	}
	return r, nil
}

// Exists reports whether there is an object that has the digest, SHA-256 in hex, which is made of what is there; without a digest, whether there is one at all.
func (b *Bucket) Exists(ctx context.Context, name, digest string) (bool, error) {
	if err := checkName(name); err != nil {
		return false, err
	}
	if digest == "" {
		ok, err := b.bucket.Exists(ctx, name)
		if err != nil {
			return false, fmt.Errorf("look for object %s: %w", name, err)
		}
		return ok, nil
	}
	r, err := b.Get(ctx, name)
	if errors.Is(err, blueberry.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	h := sha256.New()
	_, err = io.Copy(h, r)
	if err := errors.Join(err, r.Close()); err != nil {
		return false, fmt.Errorf("read object %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)) == digest, nil
}

// List gives names that begin with the prefix and come behind the name after, in the order of bytes, at most limit.
func (b *Bucket) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if b.dir != "" {
		return b.walk(prefix, after, limit)
	}
	it := b.bucket.List(&blob.ListOptions{Prefix: prefix, BeforeList: func(as func(any) bool) error {
		var in *s3.ListObjectsV2Input
		if after != "" && as(&in) {
			in.StartAfter = &after
		}
		return nil
	}})
	var names []string
	for len(names) < limit {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list objects: %w", err)
		}
		if o.Key > after && checkName(o.Key) == nil { // a bucket may hold what others put there
			names = append(names, o.Key)
		}
	}
	return names, nil
}

// walk lists a directory. The driver would give the order of the directories, in which "a/b" comes before "a.b".
func (b *Bucket) walk(prefix, after string, limit int) ([]string, error) {
	var names []string
	err := filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // it was deleted meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(b.dir, path)
		name := filepath.ToSlash(rel)
		switch {
		case err != nil || rel == ".":
			return err
		case entry.IsDir() && !strings.HasPrefix(name+"/", prefix) && !strings.HasPrefix(prefix, name+"/"):
			return fs.SkipDir
		case entry.Type().IsRegular() && strings.HasPrefix(name, prefix) && name > after && checkName(name) == nil: // and nothing that a process left that was killed
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	slices.Sort(names)
	return names[:min(limit, len(names))], nil
}

// Delete removes an object; that it is not there is no error.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := b.bucket.Delete(ctx, name); err != nil && !isMissing(err) {
		return fmt.Errorf("delete object %s: %w", name, err)
	}
	return nil
}

func isMissing(err error) bool { return gcerrors.Code(err) == gcerrors.NotFound }

func checkName(name string) error {
	if len(name) > maxName || !nameForm.MatchString(name) || strings.HasSuffix(name, tempSuffix) || strings.HasSuffix(name, ".attrs") {
		return fmt.Errorf("%q is no name of an object", name)
	}
	return nil
}
