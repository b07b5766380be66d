package argocd_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// atOnce is how many environments the benchmark makes at once; with 100 it takes minutes.
const atOnce = 30

// BenchmarkManyAtOnce measures how long it takes until many environments of 14 objects are applied: by the driver, and by Argo CD alone, which finds the same
// manifests in Git and is given all Applications at once.
func BenchmarkManyAtOnce(b *testing.B) {
	p, ok := newPlace(b)
	if !ok {
		return
	}
	b.Run("driver", func(b *testing.B) {
		for b.Loop() {
			p.many(b, func(b *testing.B, d *delivered, all []*environment) { p.driven(b, d, all) })
		}
	})
	b.Run("argo alone", func(b *testing.B) {
		for b.Loop() {
			p.many(b, func(b *testing.B, d *delivered, all []*environment) { p.alone(b, d, all) })
		}
	})
}

// many measures f on new environments, and removes them outside of the measure.
func (p *place) many(b *testing.B, f func(b *testing.B, d *delivered, all []*environment)) {
	b.Helper()
	b.StopTimer()
	d := p.driver(b, p.cfg)
	if err := d.Check(b.Context()); err != nil {
		b.Fatalf("check: %v", err)
	}
	first := &environment{Ref: targettest.NewRef(), place: p} // the project, and the kinds that are watched
	first.settle(b, d, first.desired(targettest.Platform(b, first.Ref), targettest.Web(b, first.Ref, 0, "back", image)))
	var all []*environment
	for range atOnce {
		e := &environment{Ref: targettest.NewRef(), place: p}
		e.desired(targettest.Platform(b, e.Ref), targettest.Web(b, e.Ref, 0, "back", image))
		all = append(all, e)
	}
	b.StartTimer()
	f(b, d, all)
	b.StopTimer()
	var wg sync.WaitGroup
	for _, e := range append(all, first) {
		wg.Go(func() { p.gone(b, d, e) })
	}
	wg.Wait()
	b.StartTimer()
}

func (p *place) gone(b *testing.B, d *delivered, e *environment) {
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
		left, err := d.Remove(context.WithoutCancel(b.Context()), e.Ref, targettest.LedgerOf(e.files))
		if err == nil && len(left) == 0 {
			return
		}
		pause(b.Context(), 500*time.Millisecond)
	}
	b.Errorf("%s is never gone", e.Environment)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// driven makes them as provision would: a Sync now, and one whenever the watch tells.
func (p *place) driven(b *testing.B, d *delivered, all []*environment) {
	wake := map[target.Ref]chan struct{}{}
	for _, e := range all {
		wake[e.Ref] = make(chan struct{}, 1)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var watch, wg sync.WaitGroup
	watch.Go(func() {
		_ = d.Watch(ctx, func(ref target.Ref) {
			select {
			case wake[ref] <- struct{}{}:
			default:
			}
		})
	})
	for _, e := range all {
		wg.Go(func() {
			for {
				progress, err := d.Sync(ctx, target.Desired{Ref: e.Ref, Revision: 1, Files: e.files})
				if err == nil && progress.Done {
					return
				}
				if err != nil {
					b.Logf("sync: %v", err)
				}
				select {
				case <-wake[e.Ref]:
				case <-time.After(30 * time.Second):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	wg.Wait()
	cancel()
	watch.Wait()
}

// alone commits all, makes the Applications and looks on.
func (p *place) alone(b *testing.B, d *delivered, all []*environment) {
	ctx := b.Context()
	var wg sync.WaitGroup
	for _, e := range all {
		wg.Go(func() {
			files := map[string][]byte{}
			for _, f := range e.files {
				files[f.Name] = f.Content
			}
			if _, err := p.repo.Commit(ctx, gitops.Change{Dir: d.dir(e.Ref), Files: files}); err != nil {
				b.Errorf("commit: %v", err)
			}
		})
	}
	wg.Wait()
	apps := p.client.Resource(applicationKind).Namespace("argocd")
	names := map[string]bool{}
	for _, e := range all {
		for _, content := range d.Files(e.Ref, nil) {
			u := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(content, &u.Object); err != nil {
				b.Fatal(err)
			}
			if _, err := apps.Create(ctx, u, metav1.CreateOptions{}); err != nil {
				b.Fatalf("create: %v", err)
			}
			names[u.GetName()] = true
		}
	}
	for len(names) > 0 {
		list, err := apps.List(ctx, metav1.ListOptions{LabelSelector: "blueberry.dev/target=" + p.target, ResourceVersion: "0"})
		if err != nil {
			b.Fatalf("list: %v", err)
		}
		for _, u := range list.Items {
			if s, _, _ := unstructured.NestedString(u.Object, "status", "sync", "status"); s == "Synced" {
				delete(names, u.GetName())
			}
		}
		pause(ctx, 500*time.Millisecond)
		if ctx.Err() != nil {
			b.Fatal(fmt.Errorf("%d are never synced: %w", len(names), ctx.Err()))
		}
	}
}
