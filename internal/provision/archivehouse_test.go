package provision_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/objects"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// archiveHouse is a house that keeps archives, in a directory.
type archiveHouse struct {
	*house
	bucket *flakyBucket
}

// flakyBucket is the real objects behind a disk that can be full.
type flakyBucket struct {
	*objects.Bucket
	mu   sync.Mutex
	full bool
}

func (b *flakyBucket) fill(full bool) { b.mu.Lock(); defer b.mu.Unlock(); b.full = full }

func (b *flakyBucket) Put(ctx context.Context, name string, content io.Reader) error {
	b.mu.Lock()
	full := b.full
	b.mu.Unlock()
	if full {
		return errors.New("no space left on device")
	}
	return b.Bucket.Put(ctx, name, content)
}

func newArchiveHouse(t *testing.T, s *storetest.Store) *archiveHouse {
	t.Helper()
	b, err := objects.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &archiveHouse{newHouse(t, s), &flakyBucket{Bucket: b}}
	h.Provisioner.Bucket = h.bucket
	t.Cleanup(func() { _ = b.Close() })
	return h
}

func refTo(e blueberry.Environment) target.Ref {
	return target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}
}

// says has the first container of component web write a line.
func (h *archiveHouse) says(t *testing.T, e blueberry.Environment, text string) {
	t.Helper()
	list, err := h.Containers(t.Context(), admin, e.ID)
	if err != nil || len(list) == 0 {
		t.Fatalf("containers %v (%v)", list, err)
	}
	if err := h.place.Write(refTo(e), target.LogLine{Component: list[0].Component, Pod: list[0].Pod, Container: list[0].Name, Text: text}); err != nil {
		t.Fatal(err)
	}
}

// lines reads the logs of an environment.
func (h *archiveHouse) lines(t *testing.T, id string, q target.LogQuery) []string {
	t.Helper()
	var out []string
	err := h.Logs(t.Context(), admin, id, q, func(l target.LogLine) error {
		out = append(out, l.Text)
		return nil
	})
	if err != nil && !errors.Is(err, blueberry.NotFound) {
		t.Fatal(err)
	}
	return out
}

// file reads a file of an archive.
func (h *archiveHouse) file(t *testing.T, id, name string) string {
	t.Helper()
	r, size, err := h.ArchiveFile(t.Context(), admin, id, name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil || int64(len(content)) != size {
		t.Fatalf("%s has %d bytes, the archive says %d (%v)", name, len(content), size, err)
	}
	return string(content)
}

// destroy destroys an environment and sees it to its end.
func (h *archiveHouse) destroy(t *testing.T, id string) blueberry.Environment {
	t.Helper()
	if _, err := h.Destroy(t.Context(), admin, id, "", 0); err != nil {
		t.Fatal(err)
	}
	return h.until(t, id, phase(blueberry.Terminated))
}

// nothingLeft fails when anything but the archive is left of an environment that ended.
func (h *archiveHouse) nothingLeft(t *testing.T, e blueberry.Environment) {
	t.Helper()
	ctx := t.Context()
	if left := h.place.Labelled(refTo(e)); len(left) > 0 {
		t.Errorf("left on the target: %v", left)
	}
	if names, err := h.git.Names(ctx, "targets/local"); err != nil || len(names) > 0 {
		t.Errorf("left in Git: %v (%v)", names, err)
	}
	ledger, err := h.Objects(ctx, admin, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ledger {
		if l.GoneAt.IsZero() {
			t.Errorf("the ledger does not say that %s is gone", l.ObjectRef)
		}
	}
	names, err := h.bucket.List(ctx, "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	a, err := h.Archive(ctx, admin, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, f := range a.Files {
		files["environments/"+e.ID+"/"+f.Name] = true
		h.file(t, e.ID, f.Name)
	}
	for _, n := range names {
		if !files[n] {
			t.Errorf("object %s is of no archive", n)
		}
	}
}

// complete fails when a receipt is not whole: every object and file once, and gone.
func (h *archiveHouse) complete(t *testing.T, e blueberry.Environment) blueberry.Receipt {
	t.Helper()
	r, err := h.Receipt(t.Context(), admin, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r.EndedAt.IsZero() || len(r.Leftovers) > 0 || r.LogsAt.IsZero() || r.StoppedAt.IsZero() || r.Reason != e.Reason {
		t.Errorf("receipt %+v", r)
	}
	seen := map[string]int{}
	for _, l := range r.Lines {
		seen[l.System+" "+l.Object]++
		if l.GoneAt.IsZero() || l.Control == "" || l.Waited < 0 {
			t.Errorf("line %+v", l)
		}
	}
	ledger, err := h.Objects(t.Context(), admin, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ledger {
		seen["kubernetes "+l.ObjectRef.String()] += 0
	}
	files := 0
	for line, n := range seen {
		if n != 1 {
			t.Errorf("%s is %d times on the receipt", line, n)
		}
		if strings.HasPrefix(line, "git ") {
			files++
		}
	}
	if files == 0 && len(ledger) > 0 {
		t.Error("the receipt has no file of Git")
	}
	var archived struct {
		EndedAt time.Time `json:"ended_at"`
		Lines   []struct{ Object string }
	}
	if err := json.Unmarshal([]byte(h.file(t, e.ID, "receipt.json")), &archived); err != nil || !archived.EndedAt.Equal(r.EndedAt) || len(archived.Lines) != len(r.Lines) {
		t.Errorf("the archive has another receipt: ended %s with %d lines, want %s with %d (%v)", archived.EndedAt, len(archived.Lines), r.EndedAt, len(r.Lines), err)
	}
	return r
}

// errKilled is what ends a "process" in the middle of its work.
var errKilled = errors.New("killed")

// killAt lets the process die when it has done a step for the nth time; what begins anew has the record, the target, Git and the objects, and no memory.
func (h *archiveHouse) killAt(step string, nth int) (died func() bool) {
	n, dead := 0, false
	h.AtStep = func(s string) {
		if s != step || dead {
			return
		}
		if n++; n == nth {
			dead = true
			panic(errKilled)
		}
	}
	return func() bool { return dead }
}

// survive runs work that may be killed, and begins a new process when it was.
func (h *archiveHouse) survive(work func() error) (err error) {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case r == any(errKilled):
			old := h.Provisioner
			h.Provisioner = &provision.Provisioner{
				Record: old.Record, Sources: old.Sources, Signer: old.Signer, Repository: old.Repository, Default: old.Default, Now: old.Now, Logger: old.Logger,
				Places: old.Places, Bucket: old.Bucket, AtStep: old.AtStep,
			}
			err = errKilled
		default:
			panic(r)
		}
	}()
	return work()
}

// through reconciles like until, and again when it is killed.
func (h *archiveHouse) through(t *testing.T, id string, want blueberry.Phase) blueberry.Environment {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for {
		err := h.survive(func() error {
			_, err := h.Reconcile(ctx, blueberry.Job{Kind: blueberry.JobEnvironmentReconcile, Subject: id})
			return err
		})
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		e, err := h.Get(ctx, admin, id)
		if err != nil {
			t.Fatal(err)
		}
		if e.Phase == want {
			return e
		}
		select {
		case <-h.changed:
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal(fmt.Errorf("stuck: %s %s %s", e.Phase, e.Reason, e.Message))
		}
	}
}
