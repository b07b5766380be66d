package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// openAgain is how long a target rests that could not be opened.
const openAgain = 30 * time.Second

// placesPoll is how soon a server notices what another one changed about the targets.
const placesPoll = time.Second

// places are the targets of the record with the drivers that this process has open for them. It implements provision.Places.
type places struct {
	store  *store.Store
	open   func(t blueberry.Target) (opened, error)
	logger *slog.Logger

	mu      sync.Mutex
	epoch   int64
	again   time.Time // when those that could not be opened are tried again; zero while there are none
	known   map[string]*kept
	changed chan struct{} // closed and replaced at each change
}

// opened is a driver with how to let go of what another one held.
type opened struct {
	driver target.Driver
	former *formerArgo // nil where no Argo CD can have held anything
	close  func()
}

// kept is one target as it was opened.
type kept struct {
	target blueberry.Target
	opened
	err error // why it could not be
}

func newPlaces(s *store.Store, open func(blueberry.Target) (opened, error), logger *slog.Logger) *places {
	return &places{store: s, open: open, logger: logger, epoch: -1, known: map[string]*kept{}, changed: make(chan struct{})}
}

// Place implements provision.Places.
func (p *places) Place(name string) (provision.Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.known[name]
	switch {
	case k == nil:
		return provision.Place{}, blueberry.Errorf(blueberry.Unavailable, "TARGET_UNKNOWN", "there is no target %q", name)
	case k.err != nil:
		return provision.Place{}, k.err
	}
	return k.place(), nil
}

func (k *kept) place() provision.Place {
	out := provision.Place{Target: k.target, Driver: k.driver}
	if k.former != nil {
		out.Former, out.Release = k.former, k.former.Release
	}
	return out
}

// All implements provision.Places.
func (p *places) All() []provision.Place {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []provision.Place
	for _, k := range p.known {
		if k.err == nil {
			out = append(out, k.place())
		}
	}
	slices.SortFunc(out, func(a, b provision.Place) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Changed implements provision.Places.
func (p *places) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// upstream is where the ingress of a target is; nil when nobody said.
func (p *places) upstream(name string) *url.URL {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.known[name]
	if k == nil || k.target.Gateway == "" {
		return nil
	}
	u, err := url.Parse(k.target.Gateway)
	if err != nil {
		return nil
	}
	return u
}

// run follows the record until ctx ends.
func (p *places) run(ctx context.Context) error {
	t := time.NewTicker(placesPoll)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if err := p.refresh(ctx); err != nil && ctx.Err() == nil {
			p.logger.Error("read targets", "error", err)
		}
	}
}

// refresh opens what is new or altered, and closes what is gone or altered.
func (p *places) refresh(ctx context.Context) error {
	var list []blueberry.Target
	var epoch int64
	err := p.store.View(ctx, func(tx *store.Tx) (err error) {
		if epoch, err = tx.TargetsEpoch(ctx); err != nil || epoch == p.lastEpoch() {
			return err
		}
		list, err = tx.Targets(ctx)
		return err
	})
	if err != nil || epoch == p.lastEpoch() {
		return err
	}
	p.take(list, epoch)
	return nil
}

func (p *places) lastEpoch() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.again.IsZero() && !time.Now().Before(p.again) {
		return -1 // as if all were new: what is open stays as it is
	}
	return p.epoch
}

func (p *places) take(list []blueberry.Target, epoch int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoch, p.again = epoch, time.Time{}
	next := make(map[string]*kept, len(list))
	var gone []func()
	for _, t := range list {
		was := p.known[t.Name]
		if was != nil && was.err == nil && sameDriver(was.target, t) {
			next[t.Name] = &kept{target: t, opened: was.opened}
			continue
		}
		k := &kept{target: t}
		if k.opened, k.err = p.open(t); k.err != nil {
			p.logger.Error("open target", "target", t.Name, "driver", t.Driver, "error", k.err)
			p.again = time.Now().Add(openAgain)
			k.err = blueberry.Errorf(blueberry.Unavailable, "TARGET_UNUSABLE", "target %q cannot be opened: %v", t.Name, k.err)
		}
		next[t.Name] = k
		if was != nil && was.close != nil {
			gone = append(gone, was.close)
		}
	}
	for name, was := range p.known {
		if next[name] == nil && was.close != nil {
			gone = append(gone, was.close)
		}
	}
	p.known = next
	close(p.changed)
	p.changed = make(chan struct{})
	for _, f := range gone {
		go f() // a close waits for its watches to end
	}
}

// sameDriver reports whether the driver that was opened for one serves the other.
func sameDriver(a, b blueberry.Target) bool {
	return a.Driver == b.Driver && slices.Equal(a.Kubeconfig, b.Kubeconfig) && a.KubeconfigFile == b.KubeconfigFile && a.Context == b.Context &&
		a.Argo.Namespace == b.Argo.Namespace && slices.Equal(a.Argo.Kubeconfig, b.Argo.Kubeconfig) && a.Argo.KubeconfigFile == b.Argo.KubeconfigFile &&
		a.Argo.Repository == b.Argo.Repository && a.Argo.Destination == b.Argo.Destination
}

// close lets every driver go.
func (p *places) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.known {
		if k.close != nil {
			k.close()
		}
	}
	p.known = map[string]*kept{}
}

// readerToken is the credential with which Argo CD reads the embedded repository: it opens nothing else. It is made once, beside the repository.
func readerToken(stateDir string) (string, error) {
	file := filepath.Join(stateDir, "gitops-reader-token")
	b, err := os.ReadFile(file)
	if err == nil && len(b) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the token of the GitOps repository: %w", err)
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make the token of the GitOps repository: %w", err)
	}
	token := "blg_" + base64.RawURLEncoding.EncodeToString(raw)
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the token of the GitOps repository: %w", err)
	}
	return token, nil
}

// isReader reports whether a credential is the reader's.
func (s *Server) isReader(token string) bool {
	return s.reader != "" && subtle.ConstantTimeCompare([]byte(s.reader), []byte(token)) == 1
}
