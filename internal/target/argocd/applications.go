package argocd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	clientcache "k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
)

// maxGone bounds what is kept of Applications that are gone; it is needed for as long as a watch may lag.
const maxGone = 10_000

// applications is what is known of the Applications of a target, from one stream of them.
type applications struct {
	client   dynamic.ResourceInterface // for watches
	selector string
	log      *slog.Logger
	now      func() time.Time
	ctx      context.Context // of the watch; ended by close
	cancel   context.CancelFunc
	begun    sync.Once
	wg       sync.WaitGroup

	mu       sync.Mutex
	of       map[string]*application
	isKnown  bool
	err      error             // why they are out of view
	news     time.Time         // when Argo CD last did anything
	looked   time.Time         // the root Application has looked at Git since then
	gone     map[string]uint64 // the version at which an Application went: what is older is not news
	watchers map[*target.Pacer]bool
	woken    func() []target.Ref // who waits for the root Application
	rootName string
}

func newApplications(client dynamic.Interface, namespace, targetName string, log *slog.Logger, now func() time.Time) *applications {
	a := &applications{
		client: client.Resource(applicationKind()).Namespace(namespace), selector: labelTarget + "=" + targetName, log: log, now: now,
		of: map[string]*application{}, gone: map[string]uint64{}, watchers: map[*target.Pacer]bool{}, rootName: Config{Target: targetName}.rootName(),
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

func (a *applications) close() {
	a.cancel()
	a.wg.Wait()
}

// begin watches, if nobody does.
func (a *applications) begin() {
	a.begun.Do(func() {
		if a.ctx.Err() != nil {
			return
		}
		reflector := clientcache.NewReflectorWithOptions(a.source(), &unstructured.Unstructured{}, (*sink)(a), clientcache.ReflectorOptions{
			Name: "blueberry", TypeDescription: "Application.argoproj.io",
			Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 6, Cap: 5 * time.Second},
		})
		a.wg.Go(func() { reflector.RunWithContext(klog.NewContext(a.ctx, logr.Discard())) })
	})
}

func (a *applications) source() clientcache.ListerWatcher {
	return &clientcache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			ctx, cancel := context.WithTimeout(ctx, listTimeout)
			defer cancel()
			o.LabelSelector = a.selector
			list, err := a.client.List(ctx, o)
			a.note(ctx, err, false)
			if err != nil {
				return nil, err
			}
			return list, nil
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.LabelSelector = a.selector
			w, err := a.client.Watch(ctx, o)
			a.note(ctx, err, o.SendInitialEvents == nil)
			return w, err
		},
	}
}

// note keeps what the answer of the API means for our view. resumed says that a watch goes on from where the last one ended.
func (a *applications) note(ctx context.Context, err error, resumed bool) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // we are closing
	}
	if err = inView(ctx, err); err == nil && !resumed {
		return // the objects come next
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		if a.err == nil {
			a.log.Warn("Applications of Argo CD out of view", "error", err)
		}
		a.err = err
		return
	}
	a.seenLocked()
}

// seenLocked notes that the Applications are in view. After a loss all may have changed.
func (a *applications) seenLocked() {
	if a.isKnown && a.err == nil {
		return
	}
	a.isKnown, a.err = true, nil
	for p := range a.watchers {
		p.Mark(target.Ref{})
	}
}

// inView tells what an answer means: Unavailable, or what keeps Argo CD from being worked with.
func inView(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_MISSING", "the cluster knows no Applications: Argo CD is not installed there")
	case apierrors.IsForbidden(err):
		return blueberry.Errorf(blueberry.Forbidden, "ARGOCD_RIGHTS", "the credential lacks the right to list and watch applications.argoproj.io in the namespace of Argo CD")
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return nil // the list is made anew
	}
	return argoAway(kube.Fault(ctx, "watch Applications", err))
}

// await waits until the Applications are known, or tells why they are not.
func (a *applications) await(ctx context.Context) error {
	a.begin()
	ctx, cancel := context.WithTimeout(ctx, viewTimeout)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond) // only until the first list is in
	defer look.Stop()
	for {
		a.mu.Lock()
		known, err := a.isKnown, a.err
		a.mu.Unlock()
		if err != nil || known {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return argoAway(kube.Fault(ctx, "watch Applications", fmt.Errorf("not listed in time: %w", ctx.Err())))
		}
	}
}

// get gives an Application; nil when it is not there.
func (a *applications) get(ctx context.Context, name string) (*application, error) {
	if err := a.await(ctx); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.of[name], nil
}

// alive reports when Argo CD last did anything with an Application of this target.
func (a *applications) alive() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.news
}

// rootLooked reports since when the root Application has looked at Git.
func (a *applications) rootLooked() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.looked
}

// others reports whether a project has Applications.
func (a *applications) others(project string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.of {
		if x.ref.Project == project {
			return true
		}
	}
	return false
}

// alone reports whether no environment has an Application.
func (a *applications) alone() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range a.of {
		if name != a.rootName {
			return false
		}
	}
	return true
}

// put notes an Application as the API told it, unless a newer one is known.
func (a *applications) put(u *unstructured.Unstructured) {
	x := read(u)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.putLocked(x)
}

func (a *applications) putLocked(x *application) {
	old := a.of[x.name]
	if old != nil && old.version >= x.version || x.version <= a.gone[x.name] {
		return
	}
	a.of[x.name] = x
	delete(a.gone, x.name)
	if x.name == a.rootName && !x.refresh && x.asked.After(a.looked) {
		a.looked = x.asked
	}
	if old == nil || old.sum != x.sum {
		a.mark(x)
	}
	if x.status != "" && (old == nil || old.status != x.status) {
		a.news = a.now()
	}
}

func (a *applications) remove(name string, version uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.of[name]; old != nil && (version == 0 || version >= old.version) {
		delete(a.of, name)
		if len(a.gone) >= maxGone {
			clear(a.gone)
		}
		a.gone[name] = max(version, old.version)
		a.mark(old)
	}
}

func (a *applications) mark(x *application) {
	if len(a.watchers) == 0 {
		return
	}
	refs := []target.Ref{x.ref}
	if x.name == a.rootName {
		refs = a.woken()
	}
	for p := range a.watchers {
		for _, ref := range refs {
			if ref != (target.Ref{}) {
				p.Mark(ref)
			}
		}
	}
}

// sink takes what the watch tells.
type sink applications

// Add notes an Application.
func (s *sink) Add(obj any) error { return s.Update(obj) }

// Update notes an Application.
func (s *sink) Update(obj any) error {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		(*applications)(s).put(u)
	}
	return nil
}

// Delete notes that an Application is gone.
func (s *sink) Delete(obj any) error {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		(*applications)(s).remove(u.GetName(), versionOf(u.GetResourceVersion()))
	}
	return nil
}

// Replace notes all Applications as of a version.
func (s *sink) Replace(list []any, version string) error {
	a, v := (*applications)(s), versionOf(version)
	a.mu.Lock()
	defer a.mu.Unlock()
	listed := map[string]bool{}
	for _, obj := range list {
		if u, ok := obj.(*unstructured.Unstructured); ok {
			x := read(u)
			listed[x.name] = true
			a.putLocked(x)
		}
	}
	for name, old := range a.of {
		if !listed[name] && (v == 0 || old.version <= v) {
			delete(a.of, name)
			a.mark(old)
		}
	}
	a.seenLocked()
	return nil
}

// Resync has nothing to do.
func (s *sink) Resync() error { return nil }

func text(v any) string {
	js, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(js)
}
